"""What an installed environment has to load: the importable names and the shared libraries of each distribution.

They are read from RECORD, for METADATA does not say what can be imported.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from toolkit.model.core_metadata import CoreMetadata, parse
from toolkit.model.interpreter import Interpreter
from toolkit.model.names import normalize
from toolkit.wheel import elf, record

#: What is no part of a distribution's interface, though many install it.
_NOT_IMPORTED = re.compile(r"tests?|test_.*|.*_tests?|conftest|setup|docs?|examples?|benchmarks?|__.*__")
_LIBRARY = re.compile(r".*\.so(\.[0-9]+)*")
#: `x.cpython-311-x86_64-linux-gnu.so`; another interpreter, and another C library, has another tag.
_TAGGED = re.compile(r".*\.(?P<tag>(cpython|pypy)[^./]*)\.so")
#: Old forms of a namespace package, whose `__init__.py` several distributions have.
_NAMESPACE = re.compile(rb"pkgutil.{0,40}extend_path|declare_namespace", re.DOTALL)
_LONGEST_NAMESPACE = 4096


@dataclass(frozen=True, kw_only=True)
class Installed:
    """A distribution: its metadata, what can be imported of it, and its libraries and all files, from the root on."""

    metadata: CoreMetadata
    modules: tuple[str, ...]
    libraries: tuple[str, ...]
    names: frozenset[str]

    @property
    def name(self) -> str:
        """Return its normalized name."""
        return normalize(self.metadata.name)


def read(root: Path, interpreter: Interpreter) -> list[Installed]:
    """Return the distributions of the environment at `root`, by name."""
    site = interpreter.site_packages
    native = elf.read(interpreter.path.resolve())
    found = []
    for information in sorted((root / site).glob("*.dist-info")):
        rows = record.read(information / record.FILE)
        # Paths are relative to site-packages: scripts are at `../../../bin/x`.
        names = [posixpath.normpath(posixpath.join(site, row.path)) for row in rows]
        inside = [name.removeprefix(f"{site}/") for name in names if name.startswith(f"{site}/")]
        libraries = [
            name for name in names if _LIBRARY.fullmatch(name) and _is_loadable(root / name, interpreter, native)
        ]
        found.append(
            Installed(
                metadata=parse((information / "METADATA").read_bytes()),
                modules=modules(root / site, inside, interpreter),
                libraries=tuple(sorted(libraries)),
                names=frozenset(names),
            )
        )
    return found


def _is_loadable(path: Path, interpreter: Interpreter, native: elf.Elf | None) -> bool:
    """Tell whether a library is one for this interpreter and machine."""
    tagged = _TAGGED.fullmatch(path.name)
    if (tagged and tagged["tag"] != interpreter.soabi) or path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as stream:
        # A text of that name is for a linker.
        if stream.read(4) != elf.MAGIC:
            return False
    found = elf.read(path)
    # One that is damaged cannot be loaded, which is to be said.
    return not found or not native or found.machine == native.machine


def modules(site: Path, names: Iterable[str], interpreter: Interpreter) -> tuple[str, ...]:
    """Return what can be imported of files in a site-packages directory: packages, and modules that are in none."""
    return tuple(sorted(set(_modules(site, names, interpreter))))


def _modules(site: Path, names: Iterable[str], interpreter: Interpreter) -> Iterator[str]:
    every = [name.split("/") for name in names if name.endswith((".py", ".so"))]
    packages = {"/".join(parts[:-1]) for parts in every if parts[-1] == "__init__.py"}
    packages = {package for package in packages if not _is_namespace(site / package / "__init__.py")}
    for *above, name in every:
        # The outermost package, or the module itself, which may stand in namespaces.
        depth = next((end for end in range(1, len(above) + 1) if "/".join(above[:end]) in packages), 0)
        found = above[:depth] if depth else [*above, _module(name, interpreter)]
        if all(part.isidentifier() and not _NOT_IMPORTED.fullmatch(part) for part in found):
            yield ".".join(found)


def _is_namespace(path: Path) -> bool:
    return path.is_file() and path.stat().st_size < _LONGEST_NAMESPACE and bool(_NAMESPACE.search(path.read_bytes()))


def _module(name: str, interpreter: Interpreter) -> str:
    """Return the name of the module in a file, nothing for a library that is none."""
    for suffix in (".py", f".{interpreter.soabi}.so", ".abi3.so"):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return "" if name.startswith("lib") else name.removesuffix(".so")
