"""The history of a repository as a graph of commits, and what of it stays when it is cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from toolkit.core.git import Repository


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit: its parents, and the day it was made (ISO)."""

    parents: tuple[str, ...]
    day: str


def read(repository: Repository) -> dict[str, Commit]:
    """Return every commit that a ref of the repository reaches, by id."""
    lines = repository.read("log", "--all", "--format=%H %cs %P").splitlines()
    return {words[0]: Commit(parents=tuple(words[2:]), day=words[1]) for words in map(str.split, lines)}


def window(commits: Mapping[str, Commit], tips: Iterable[str], depth: int) -> frozenset[str]:
    """Return the commits that are at most `depth` deep, the tips being 1: what `git fetch --depth` gets."""
    found: set[str] = set()
    level = [tip for tip in tips if tip in commits]
    for _ in range(depth):
        found.update(level)
        level = [parent for id in level for parent in commits[id].parents if parent in commits and parent not in found]
        level = list(dict.fromkeys(level))
    return frozenset(found)
