"""Stand-ins for compilers: their output has no trace of the directory of the build, and they record what failed."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

_NAMES = ("cc", "gcc", "clang", "c++", "g++", "clang++", "gfortran")
_PREFIXES = ("", "x86_64-linux-gnu-", "aarch64-linux-gnu-")

# The last map that fits a path is the one that counts (GCC's manual, -ffile-prefix-map), so ours come last. A backend
# may copy the tree to a directory with a random name and compile there, hence the directory the compiler is run in.
_WRAPPER = """\
#!/bin/sh
case "$PWD/" in
    {patterns}) set -- "$@" {maps} "-ffile-prefix-map=$PWD=." ;;
    *) set -- "$@" {maps} -ffile-prefix-map={source}=. ;;
esac
{compiler} "$@"
status=$?
for word do
    case $word in
        *.c | *.cc | *.cpp | *.cxx | *.c++ | *.C | *.f | *.f90) printf '%s\t%s\t%s\n' "$status" "$PWD" "$word" ;;
    esac
done >> {record} 2> /dev/null
exit $status
"""


def wrap(directory: Path, hidden: Mapping[str, str], source: str, search_path: str, record: str) -> Path:
    """Fill `directory` with stand-ins for the compilers of `search_path`, and return it.

    They append to `record` a line for each source that they are given: status, directory and path, with tabs between.

    They hide the directories `hidden`, by the names that these get instead, and `source`, the tree that is built. The
    CFLAGS of a build cannot do this: backends of their own (frozenlist, propcache) add maps after them, or build where
    no flag could foresee.
    """
    directory.mkdir(exist_ok=True)
    maps = " ".join(shlex.quote(f"-ffile-prefix-map={path}={name}") for path, name in hidden.items())
    patterns = "|".join(f"{shlex.quote(path)}/*" for path in hidden)
    for name in (prefix + name for prefix in _PREFIXES for name in _NAMES):
        compiler = shutil.which(name, path=search_path)
        if compiler:
            script = directory / name
            words = {"source": shlex.quote(source), "compiler": shlex.quote(compiler), "record": shlex.quote(record)}
            script.write_text(_WRAPPER.format(maps=maps, patterns=patterns, **words))
            script.chmod(0o755)
    return directory
