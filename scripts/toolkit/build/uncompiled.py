"""What a build tried to compile and could not, and made a wheel without: optional extensions, of which nobody hears.

The stand-ins for compilers (`compilers`) and for cargo keep a record: of Rust, a manifest stands for all that it has
compiled. A source that is nowhere in the tree is a probe.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from toolkit.build import system_headers
from toolkit.core import files
from toolkit.sources import c_sources

#: Bytes of a record and of a source that are read; sources that failed, files of a tree, and those of one name, that
#: are looked at; how deep a tree is; and sources that are told.
_LONGEST, _LONGEST_SOURCE, _FAILED, _FILES, _NAMESAKES, _DEEPEST, _MOST = 4 << 20, 8 << 20, 1000, 100_000, 50, 64, 20
#: What is translated to C before it is compiled.
_TRANSLATED = (".pyx", ".py")
#: Where tools try what a compiler can do: autoconf, distutils, CMake, Meson, the crate cc.
_TRIED = re.compile(
    r"(^|/)(CMakeFiles|CMakeScratch|CMakeTmp|TryCompile-[^/]*|meson-private|_?conf(ig)?test\.\w+|flag_check[^/]*)(/|$)"
)
#: Files of a tree that are there to be tried.
_PROBES = re.compile(
    r"(^|/)(cmake|config|m4|checks?|tests?|(check|test|try|have)_[^/]*|[^/]*test\.\w+)(/|$)", re.IGNORECASE
)
_DPKG = Path("/var/lib/dpkg/status")


def read(record: Path, tree: Path) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the sources of a tree that a build could not compile in any way, and those that it compiled.

    They are relative to the tree. Both it and the record belonged to the build, so they may hold anything.
    """
    outcomes = _outcomes(record)
    if not outcomes:
        return (), frozenset()
    own = _by_name(tree)
    failed = [path for path, is_made in outcomes.items() if not is_made][:_FAILED]
    made = frozenset(_in_tree(path, own) for path, is_made in outcomes.items() if is_made) - {""}
    found = {_in_tree(path, own) for path in failed} - made
    return tuple(sorted(path for path in found if path and not _PROBES.search(path)))[:_MOST], made


def _outcomes(record: Path) -> dict[str, bool]:
    """Return whether each source was compiled at all, by its path."""
    try:
        lines = files.read_foreign(record, _LONGEST).decode(errors="replace").split("\n")
    except (OSError, ValueError):
        return {}
    found: dict[str, bool] = {}
    for line in lines:
        status, directory, name = [*line.split("\t", 2), "", ""][:3]
        path = posixpath.normpath(posixpath.join(directory, name))
        if name and not _TRIED.search(path):
            found[path] = status == "0" or found.get(path, False)
    return found


def _by_name(tree: Path) -> dict[str, list[str]]:
    """Return the files of a tree by their names, as paths from its top; what a build has made may be of any depth."""
    found: dict[str, list[str]] = defaultdict(list)
    count, left = 0, [("", 0)]
    while left and count < _FILES:
        place, depth = left.pop()
        try:
            with os.scandir(tree / place) as entries:
                for entry in itertools.islice(entries, _FILES):
                    count += 1
                    path = posixpath.join(place, entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        left += [(path, depth + 1)] if depth < _DEEPEST else []
                    elif len(found[entry.name]) < _NAMESAKES:
                        found[entry.name].append(path)
        except OSError:
            continue
    return found


def _in_tree(path: str, own: Mapping[str, Sequence[str]]) -> str:
    """Return the file of the tree that a source is, or was made of; empty where there is none.

    A backend may have copied the tree elsewhere, so the end of the path decides.
    """
    name = posixpath.basename(path)
    stem = posixpath.splitext(name)[0]
    for known in (name, *(f"{stem}{suffix}" for suffix in _TRANSLATED)):
        # What stands in a directory is compiled in one of that name: `main.c` may be anybody's.
        near = [each for each in own.get(known, ()) if "/" not in each or _common(each, path)]
        if near:
            return max(near, key=lambda each: _common(each, path))
    return ""


def _common(first: str, second: str) -> int:
    """Return how many directories two paths have in common, from the end."""
    pairs = zip(reversed(first.split("/")[:-1]), reversed(second.split("/")[:-1]), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def state(tree: Path, sources: Iterable[str]) -> dict[str, str]:
    """Return what of this system these sources were compiled with: the headers that they name, and where each is.

    As `now` has it, which tells whether another try may do.
    """
    return now(headers(tree, sources))


def headers(tree: Path, sources: Iterable[str]) -> list[str]:
    """Return the headers that sources of a tree include, by way of others too, and that are not in the tree."""
    paths = [path for names in _by_name(tree).values() for path in names]
    texts = {path: c_sources.includes(path, content) for path, content in _contents(tree, paths)}
    # Of C that is made of Cython, too.
    stems = {posixpath.splitext(source)[0] for source in sources}
    made = [path for path in paths if posixpath.splitext(path)[0] in stems]
    return sorted(c_sources.headers(texts, [*sources, *made], paths))


def now(names: Iterable[str]) -> dict[str, str]:
    """Return, by header, what there is of it now; and what is installed."""
    return {"": _installed(), **system_headers.now(names)}


def _contents(tree: Path, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        if posixpath.splitext(path)[1] in c_sources.COMPILED | c_sources.INCLUDED:
            try:
                yield path, files.read_foreign(tree / path, _LONGEST_SOURCE)
            except (OSError, ValueError):
                continue


@cache
def _installed() -> str:
    """Return a digest of the packages that are installed: another one may have what a build did not find."""
    try:
        return hashlib.sha256(_DPKG.read_bytes()).hexdigest()
    except OSError:
        return ""


def about(output: str, sources: Iterable[str]) -> str:
    """Return the lines of a build's output that are about these sources, each with those after it that say more."""
    names = [f"{posixpath.splitext(posixpath.basename(source))[0]}." for source in sources]
    lines = output.split("\n")
    near = {n + more for n, line in enumerate(lines) if any(name in line for name in names) for more in range(4)}
    return "\n".join(line for number, line in enumerate(lines) if number in near)
