"""What `make sbuild` made, beside what `make deb` made of the same source: developers test the one and ship the other.

What differs are parts that a build leaves out where it does not find what they need, such as an optional extension.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from toolkit.core import console, process
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line
from toolkit.debian import deb_names, source_package
from toolkit.debian.proof import deb_contents

#: dh_installchangelogs puts the entry of a suite, deb-changelog(5) `binary-only`, into a file beside the rest.
_CHANGELOG = re.compile(r"/usr/share/doc/[^/]+/changelog\.(Debian\.)?[a-z0-9-]+\.gz")
_LIBRARIES = re.compile(r"/lib/(python3\.\d+)/")
_ADVICE = "what a build uses where it finds it belongs in Build-Depends, or in Build-Conflicts"
#: How many differences of a package are told, and characters of each.
_MOST, _LONGEST = 10, 400


def warn(here: Path, clean: Path, dsc: str) -> None:
    """Warn of files and dependencies that packages have in only one of two directories: this machine's, a chroot's.

    Nothing is said where the source, by the file `dsc` in both, or a package's interpreter is not the same. What was
    built is built: packages that cannot be compared are no error.
    """
    try:
        _compare(here, clean, dsc)
    except (UserError, OSError) as error:
        console.warn(f"{here} and {clean} cannot be compared: {error.what if isinstance(error, UserError) else error}")


def _compare(here: Path, clean: Path, dsc: str) -> None:
    paths = [directory / dsc for directory in (here, clean)]
    if not all(path.is_file() for path in paths) or len({(*source_package.checksums(path),) for path in paths}) > 1:
        console.debug(f"{here} has no packages of this source to compare with")
        return
    first, second = _packages(here), _packages(clean)
    for name, architecture in sorted(first.keys() & second.keys()):
        if told := list(_differences(first[name, architecture], second[name, architecture])):
            rest = [f"and {len(told) - _MOST} more"] if len(told) > _MOST else []
            what = f"{name}: `make deb` and `make sbuild` made different packages of the same source"
            console.warn("\n".join([what, *told[:_MOST], *rest, _ADVICE]))


def _packages(directory: Path) -> dict[tuple[str, str], Path]:
    """Return the packages in a directory by name and architecture, but those of debug symbols."""
    found = {(deb_names.package(path), deb_names.architecture(path)): path for path in directory.glob("*.deb")}
    return {key: path for key, path in found.items() if not deb_names.is_symbols(key[0])}


def _differences(here: Path, clean: Path) -> Iterator[str]:
    first, second = deb_contents.paths(here), deb_contents.paths(clean)
    if _interpreters(first) != _interpreters(second):
        console.debug(f"{here} and {clean} are for different interpreters")
        return
    for verb, more, less in (("deb", first, second), ("sbuild", second, first)):
        files = (path for path in sorted(more - less) if not _CHANGELOG.fullmatch(path))
        yield from (f"only in that of `make {verb}`: {one_line(path, _LONGEST)}" for path in files)
    first, second = _depends(here), _depends(clean)
    for verb, names in (("deb", first - second), ("sbuild", second - first)):
        yield from (f"only that of `make {verb}` depends on {one_line(name, _LONGEST)}" for name in sorted(names))


def _interpreters(paths: frozenset[str]) -> set[str]:
    return {found[1] for found in map(_LIBRARIES.search, paths) if found}


def _depends(deb: Path) -> frozenset[str]:
    """Return what a package depends on, whichever version."""
    fields = process.read(["dpkg-deb", "--show", "--showformat=${Pre-Depends}, ${Depends}", deb])
    names = (re.sub(r" *\([^)]*\)", "", relation).strip() for relation in fields.split(","))
    return frozenset(filter(None, names))
