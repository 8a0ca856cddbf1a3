"""What releases of build tools have removed, and the words by which older sources show that they use it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from toolkit.core import documents


@dataclass(frozen=True, kw_only=True)
class Removal:
    """The `release` of `name`, of that date (ISO 8601), no longer has `what`.

    A setup.py that uses it has one of the `words`: what it imports, or passes to setup(). Without words, whoever is
    built with it may use it. `python` is the newest one that runs the releases before.
    """

    name: str
    release: str
    date: str
    what: str
    words: frozenset[str] = frozenset()
    python: tuple[int, int]


#: The oldest release of each name first. Releases of setuptools before 49 cannot be built by others from their sources;
#: and what was compiled with numpy 1 does not run with numpy 2, which is what else of the service may need.
REMOVALS = (
    Removal(
        name="setuptools",
        release="58",
        date="2021-09-05",
        what="2to3",
        words=frozenset({"use_2to3", "use_2to3_fixers", "build_py_2to3"}),
        python=(3, 11),
    ),
    Removal(
        name="setuptools",
        release="74",
        date="2024-08-27",
        what="distutils.msvccompiler",
        words=frozenset({"msvccompiler", "msvc9compiler"}),
        python=(3, 13),
    ),
    Removal(
        name="setuptools",
        release="82",
        date="2026-02-08",
        what="pkg_resources",
        words=frozenset({"pkg_resources"}),
        python=(3, 14),
    ),
    Removal(name="cython", release="3", date="2023-07-17", what="the ways of Cython 0.29", python=(3, 12)),
)
_WORDS = frozenset().union(*(removal.words for removal in REMOVALS))


def words_in(setup: bytes) -> tuple[str, ...]:
    """Return the words of removals that a setup.py has."""
    try:
        tree = documents.python(setup)
    except ValueError:
        # Of an older Python, perhaps; a word in a comment costs no more than a bound.
        return tuple(sorted(word for word in _WORDS if word.encode() in setup))
    return tuple(sorted(_WORDS & {name for node in ast.walk(tree) for name in _names(node)}))


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom):
        yield from (node.module or "").split(".")
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (part for alias in node.names for part in alias.name.split("."))
    if isinstance(node, ast.keyword) and node.arg:
        yield node.arg
    # `**{"use_2to3": True}`, `extra["use_2to3"] = True`.
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
