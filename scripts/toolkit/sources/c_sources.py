"""What C, C++ and Cython sources include whatever the machine: the headers that their build cannot do without.

Conditions are not evaluated: what stands under one is not counted, as no compiler may ever see it.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

#: By suffix: what is compiled, and what that may include. SWIG makes C of `.i`.
COMPILED = frozenset({".c", ".cc", ".cpp", ".cxx", ".c++", ".pyx", ".i"})
INCLUDED = frozenset({".h", ".hh", ".hpp", ".hxx", ".inc", ".pxd", ".pxi"})
_CYTHON = frozenset({".pyx", ".pxd", ".pxi"})
_DIRECTIVE = re.compile(
    rb"^[ \t]*[#%][ \t]*(?P<word>include|import|ifdef|ifndef|if|elif|else|endif|define)\b[ \t]*"
    rb'(?:(?P<open>[<"])(?P<path>[\w./+-]{1,255})[>"]|(?P<name>\w*))',
    re.MULTILINE,
)
#: `cdef extern from "zlib.h":`, `from a.b cimport c`, `cimport a.b`, `include "a.pxi"`, at the beginning of a line.
_CDEF = re.compile(
    rb"""^cdef[ ]+extern[ ]+from[ ]+["']<?(?P<header>[\w./+-]{1,255})>?["']"""
    rb"""|^(?:from[ ]+(?P<origin>[.\w]+)[ ]+cimport|cimport[ ]+(?P<module>[.\w]+))"""
    rb"""|^include[ ]+["'](?P<file>[\w./-]{1,255})["']""",
    re.MULTILINE,
)


def includes(path: str, content: bytes) -> tuple[str, ...]:
    """Return what a source includes that no condition keeps from it: headers and Cython's files, as it writes them."""
    found = _of_cython(path, content) if posixpath.splitext(path)[1] in _CYTHON else _of_c(content)
    return tuple(dict.fromkeys(found))


def _of_cython(name: str, content: bytes) -> Iterator[str]:
    yield f"{posixpath.splitext(posixpath.basename(name))[0]}.pxd"
    for match in _CDEF.finditer(content):
        if module := match["origin"] or match["module"]:
            yield f"{module.decode().strip('.').replace('.', '/')}.pxd"
        elif path := match["header"] or match["file"]:
            yield path.decode()


def _of_c(content: bytes) -> Iterator[str]:
    """Yield what is included outside of conditions; the guard of a header (`#ifndef X`, `#define X`) is none."""
    depth, guards, guard = 0, 0, b""
    for match in _DIRECTIVE.finditer(_without_comments(content)):
        word = match["word"]
        if word in (b"if", b"ifdef", b"ifndef"):
            depth += 1
            guard = match["name"] if word == b"ifndef" and depth == 1 and not guards else b""
            continue
        if word == b"endif":
            depth -= 1
        elif word == b"define" and guard and match["name"] == guard:
            depth, guards = depth - 1, 1
        elif word in (b"include", b"import") and match["path"] and depth <= 0:
            yield match["path"].decode()
        guard = b""


def _without_comments(content: bytes) -> bytes:
    kept, place = [], 0
    while (start := content.find(b"/*", place)) >= 0 and (end := content.find(b"*/", start + 2)) >= 0:
        kept.append(content[place:start])
        place = end + 2
    return b" ".join([*kept, content[place:]])


def headers(sources: Mapping[str, Sequence[str]], compiled: Iterable[str], paths: Iterable[str]) -> frozenset[str]:
    """Return the headers that the compiled files include, by way of others too, and that are not among `paths`.

    `sources` is what each file includes, by its path.
    """
    own: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        own[posixpath.basename(path)].append(path)
    found: set[str] = set()
    seen: set[str] = set()
    left = list(compiled)
    while left:
        path = left.pop()
        if path in seen or path not in sources:
            continue
        seen.add(path)
        for written in sources[path]:
            plain = posixpath.normpath(written).lstrip("./")
            inside = [each for each in own[posixpath.basename(plain)] if f"/{each}".endswith(f"/{plain}")]
            left += inside
            if not inside:
                found.add(plain)
    return frozenset(found)
