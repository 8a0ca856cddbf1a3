"""Compilers whose output has no trace of the directory that a build took place in."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

_NAMES = ("cc", "gcc", "clang", "c++", "g++", "clang++", "gfortran")
_PREFIXES = ("", "x86_64-linux-gnu-", "aarch64-linux-gnu-")

# The last map that fits a path is the one that counts (GCC's manual, -ffile-prefix-map), so ours come last. A backend
# may copy the tree to a directory with a random name and compile there, hence the directory the compiler is run in.
_WRAPPER = """\
#!/bin/sh
case "$PWD" in
    {scratch}/*) set -- "$@" -ffile-prefix-map={scratch}=. "-ffile-prefix-map=$PWD=." ;;
    *) set -- "$@" -ffile-prefix-map={scratch}=. -ffile-prefix-map={source}=. ;;
esac
exec {compiler} "$@"
"""


def wrap(directory: Path, scratch: Path, source: Path, search_path: str) -> Path:
    """Fill `directory` with stand-ins for the compilers of `search_path`, and return it.

    They hide `scratch` and what is below it, and `source`, the tree that is built. The CFLAGS of a build cannot do
    this: backends of their own (frozenlist, propcache) add maps after them, or build where no flag could foresee.
    """
    directory.mkdir(exist_ok=True)
    for name in (prefix + name for prefix in _PREFIXES for name in _NAMES):
        compiler = shutil.which(name, path=search_path)
        if compiler:
            words = {"scratch": scratch, "source": source, "compiler": compiler}
            script = directory / name
            script.write_text(_WRAPPER.format_map({key: shlex.quote(str(word)) for key, word in words.items()}))
            script.chmod(0o755)
    return directory
