"""Compile the modules below a directory. Run by the interpreter that will load them, so standard library only.

Arguments: the directory of the modules, the one that gets the byte code, and the final path of both. The byte code is
of the unchecked hash-based kind (PEP 552): no time stamps, and no look at the source when it is loaded.
"""

from __future__ import annotations

import importlib.util
import os
import py_compile
import sys
import warnings
from collections.abc import Iterator


def modules(directory: str) -> Iterator[str]:
    """Yield the source files below a directory, always in the same order."""
    for parent, directories, names in os.walk(directory):
        directories.sort()
        yield from (os.path.join(parent, name) for name in sorted(names) if name.endswith(".py"))


def compile_module(path: str, target: str, final: str) -> None:
    """Compile one file to `target`; `final` is the path that the source will have.

    What is not Python of this version (templates, test data) is left alone, as pip and compileall do.
    """
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    try:
        py_compile.compile(path, target, dfile=final, doraise=True, invalidation_mode=mode)
    except (py_compile.PyCompileError, ValueError, RecursionError) as error:
        print(f"not compiled: {final}: {error}")


if __name__ == "__main__":
    source, written, prefix = sys.argv[1:]
    warnings.simplefilter("ignore")
    for module in modules(source):
        name = module[len(source) :]
        compile_module(module, importlib.util.cache_from_source(written + name), prefix + name)
