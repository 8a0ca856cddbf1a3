"""The processes of this machine, as proc(5) shows them: what a test has started, and whether it still runs."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

#: Its id and its start, in clock ticks, tell a process from all that ever run.
Identity = tuple[int, str]


@dataclass(frozen=True)
class Process:
    """A process as it is now: the id of its parent and the words of its command."""

    parent: int
    words: tuple[str, ...]


def alive() -> dict[Identity, Process]:
    """Return the processes that run, zombies left out."""
    found = {}
    # Not a glob, which may end by a process that has just gone.
    for path in (Path("/proc", name) for name in filter(str.isdigit, os.listdir("/proc"))):
        with contextlib.suppress(OSError):
            state, parent, *others = (path / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            words = (path / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            if state not in "ZX":
                found[int(path.name), others[17]] = Process(int(parent), tuple(words))
    return found


def started_by(pid: int, until: str, seconds: float = 120) -> set[Identity]:
    """Watch what a process starts until a word of one's command contains this, and return all of it."""
    found: set[Identity] = set()
    limit = time.monotonic() + seconds
    while True:
        now, before = alive(), -1
        while len(found) > before:
            before, family = len(found), {pid, *(each for each, _ in found)}
            found |= {identity for identity, process in now.items() if process.parent in family}
        if any(until in word for identity in found & now.keys() for word in now[identity].words):
            return found
        if time.monotonic() > limit:
            raise TimeoutError


def wait_for_end(identities: set[Identity], seconds: float = 20) -> None:
    """Wait until none of these runs any more; raises `TimeoutError`."""
    limit = time.monotonic() + seconds
    while left := alive().keys() & identities:
        if time.monotonic() > limit:
            raise TimeoutError(left)
        time.sleep(0.02)
