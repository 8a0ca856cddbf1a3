"""What a build tried to compile and could not, and made a wheel without: optional extensions, of which nobody hears.

The stand-ins for compilers (`compilers`) keep a record. A source that is nowhere in the tree is a probe.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from toolkit.core import files
from toolkit.sources import c_sources

#: Bytes of a record and of a source that are read, and sources that are told.
_LONGEST, _LONGEST_SOURCE, _MOST = 16 << 20, 8 << 20, 20
#: What is translated to C before it is compiled.
_TRANSLATED = (".pyx", ".py")
#: Whether something compiles is what these are for: configure, CMake and the like.
_PROBES = re.compile(
    r"(^|/)(cmake|config|m4|checks?|tests?|[^/]*test\.\w+|(check|test|try|have)_[^/]*)(/|$)", re.IGNORECASE
)
_PLACES = ("/usr/local/include", "/usr/include")
_DPKG = Path("/var/lib/dpkg/status")


def find(record: Path, tree: Path) -> tuple[str, ...]:
    """Return the sources of a tree that a build could not compile in any way, relative to the tree.

    Both belonged to the build, so they may hold anything.
    """
    failed = _failed(record)
    own = _by_name(tree) if failed else {}
    found = (_in_tree(path, own) for path in failed)
    return tuple(sorted({path for path in found if path and not _PROBES.search(path)}))[:_MOST]


def _failed(record: Path) -> list[str]:
    try:
        lines = files.read_foreign(record, _LONGEST).decode(errors="replace").splitlines()
    except (OSError, ValueError):
        return []
    outcomes: dict[str, bool] = {}
    for line in lines:
        status, directory, name = [*line.split("\t", 2), "", ""][:3]
        path = posixpath.normpath(posixpath.join(directory, name))
        outcomes[path] = status == "0" or outcomes.get(path, False)
    return [path for path, has_succeeded in outcomes.items() if not has_succeeded]


def _by_name(tree: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for directory, _, names in os.walk(tree):
        for name in names:
            found[name].append(Path(directory, name).relative_to(tree).as_posix())
    return found


def _in_tree(path: str, own: dict[str, list[str]]) -> str:
    """Return the file of the tree that a source is, or was made of; empty where there is none.

    A backend may have copied the tree elsewhere, so the end of the path decides.
    """
    stem = posixpath.splitext(posixpath.basename(path))[0]
    for name in (posixpath.basename(path), *(f"{stem}{suffix}" for suffix in _TRANSLATED)):
        if name in own:
            return max(own[name], key=lambda each: _common(each, path))
    return ""


def _common(first: str, second: str) -> int:
    """Return how many directories two paths have in common, from the end."""
    pairs = zip(reversed(first.split("/")[:-1]), reversed(second.split("/")[:-1]), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def state(tree: Path, sources: Iterable[str]) -> dict[str, str]:
    """Return what of this system these sources were compiled with: the headers that they name, and where each is.

    As `now` has it, which tells whether another try may do.
    """
    own = _by_name(tree)
    paths = [path for names in own.values() for path in names]
    texts = {path: c_sources.includes(path, content) for path, content in _contents(tree, paths)}
    # Of C that is made of Cython, too.
    stems = {posixpath.splitext(source)[0] for source in sources}
    made = [path for path in paths if posixpath.splitext(path)[0] in stems]
    return now(sorted(c_sources.headers(texts, [*sources, *made], paths)))


def now(headers: Iterable[str]) -> dict[str, str]:
    """Return, by header, what there is of it now; and what is installed."""
    return {"": _installed(), **{name: " ".join(_found(name)) for name in headers}}


def _contents(tree: Path, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        if posixpath.splitext(path)[1] in c_sources.COMPILED | c_sources.INCLUDED:
            try:
                yield path, files.read_foreign(tree / path, _LONGEST_SOURCE)
            except (OSError, ValueError):
                continue


def _found(header: str) -> Iterator[str]:
    """Yield the places, sizes and times of a header."""
    if header.startswith("/") or ".." in header.split("/"):
        return
    for place in _PLACES:
        for directory in (place, *_multiarch(place)):
            try:
                status = os.stat(f"{directory}/{header}")
            except (OSError, ValueError):
                continue
            yield f"{directory} {status.st_size} {status.st_mtime_ns}"


@cache
def _multiarch(place: str) -> tuple[str, ...]:
    return tuple(sorted(str(path) for path in Path(place).glob("*-linux-gnu*")))


@cache
def _installed() -> str:
    """Return a digest of the packages that are installed: another one may have what a build did not find."""
    try:
        return hashlib.sha256(_DPKG.read_bytes()).hexdigest()
    except OSError:
        return ""
