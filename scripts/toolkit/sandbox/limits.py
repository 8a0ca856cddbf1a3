"""Limits upon foreign code: time, memory, disk, processes and output; each is a setting."""

from __future__ import annotations

import argparse
import os
import re
import stat
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.core.errors import UserError
from toolkit.project.settings import default_of, number

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
#: More files than any source tree has, fewer than the inodes of a file system.
_MOST_FILES = 2_000_000
#: Not every kernel has these files (CONFIG_PROC_CHILDREN).
_HAS_CHILDREN = os.path.exists(f"/proc/self/task/{os.getpid()}/children")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one run may use: seconds, bytes of memory, of disk and of output, and processes at one time."""

    seconds: int
    memory: int
    disk: int
    processes: int
    output: int

    def describe(self) -> str:
        """Return the limits as a person reads them."""
        return (
            f"{self.seconds} s, {shown(self.memory)} of memory, {shown(self.disk)} of disk, "
            f"{self.processes} processes, {shown(self.output)} of output"
        )

    def settings(self) -> dict[str, str]:
        """Return the settings that give these limits, for a verb inside a package build."""
        sizes = {"MEMORY": self.memory, "DISK": self.disk, "OUTPUT": self.output}
        numbers = {"TIME": self.seconds, "PROCESSES": self.processes}
        return {f"SANDBOX_{name}": str(value) for name, value in {**numbers, **sizes}.items()}


class LimitError(UserError):
    """A run that was ended at one of its limits."""


def exceeded(what: str, setting: str, value: str) -> LimitError:
    """Return the error of a run that was ended for `what`; `value` is what the setting has."""
    return LimitError(what, f"where it has good reason for more: {setting}= ({setting}={value} now)")


def add_options(group: argparse._ActionsContainer) -> None:
    """Add the options for the limits."""
    count = number("SANDBOX_TIME", "a number of seconds", 3600)
    group.add_argument(
        "--sandbox-time",
        type=count,
        default=default_of("SANDBOX_TIME"),
        metavar="SECONDS",
        help="the longest a run takes",
    )
    for name, what in (("memory", "memory"), ("disk", "disk space"), ("output", "output")):
        setting = f"SANDBOX_{name.upper()}"
        group.add_argument(
            f"--sandbox-{name}",
            type=size(setting),
            default=default_of(setting),
            metavar="SIZE",
            help=f"the most {what} of a run",
        )
    group.add_argument(
        "--sandbox-processes",
        type=number("SANDBOX_PROCESSES", "a number of processes", 1024),
        default=default_of("SANDBOX_PROCESSES"),
        metavar="NUMBER",
        help="the most processes of a run at one time",
    )


def from_arguments(arguments: argparse.Namespace) -> Limits:
    """Return the limits of a parsed command line."""
    return Limits(
        seconds=arguments.sandbox_time,
        memory=arguments.sandbox_memory,
        disk=arguments.sandbox_disk,
        processes=arguments.sandbox_processes,
        output=arguments.sandbox_output,
    )


def size(setting: str) -> Callable[[str], int]:
    """Return what reads the value of a setting that is a size in bytes, such as 8G or 64M."""

    def read(text: str) -> int:
        found = re.fullmatch(r"([1-9][0-9]{0,11})([KMGT]?)", text)
        if not found:
            raise UserError(f"{setting}={text}: not a size", f"write bytes, or K, M, G, T after a number: {setting}=8G")
        return int(found[1]) * _UNITS[found[2]]

    return read


@dataclass(kw_only=True)
class Watch:
    """Looks, now and then, whether a run keeps to its limits; `directories` are those it may write to."""

    limits: Limits
    directories: Sequence[Path]
    _start: float = field(default_factory=time.monotonic)
    _next_walk: float = 0.0

    def look(self, process: int) -> None:
        """Look at the tree of processes below this one. Raises `LimitError`."""
        now = time.monotonic()
        if now - self._start > self.limits.seconds:
            raise exceeded(f"it took more than {self.limits.seconds} s", "SANDBOX_TIME", str(self.limits.seconds))
        members = _tree(process)
        if len(members) > self.limits.processes:
            raise self._too_many_processes()
        nameless = dict(_nameless(members))
        in_memory = sum(size for (_, is_memory, _), size in nameless.items() if is_memory)
        memory = [_memory(member) for member in members]
        own = sum(part for part, _ in memory) + in_memory
        # Counted once for each of those that share it, it may be less than it seems.
        seeming = own + sum(part for _, part in memory)
        if seeming > self.limits.memory and own + sum(map(_share, members)) > self.limits.memory:
            raise self._too_much_memory()
        if now >= self._next_walk:
            self._look_at_disk(sum(nameless.values()) - in_memory)
            # A large tree takes long to walk, and is walked less often.
            took = time.monotonic() - now
            self._next_walk = now + max(1.0, 30 * took)

    def explain(self, output: str) -> LimitError | None:
        """Return the limit that a failed run met by itself, as the kernel refused it more; None where it met none."""
        if re.search(r"MemoryError|[Cc]annot allocate memory|virtual memory exhausted|out of memory|bad_alloc", output):
            return self._too_much_memory()
        if re.search(r"Resource temporarily unavailable|[Cc]annot fork|can't start new thread", output):
            return self._too_many_processes()
        if re.search(r"File too large", output):
            return self._too_much_disk()
        return None

    def _look_at_disk(self, nameless: int) -> None:
        used, count = nameless, 0
        if used > self.limits.disk:
            raise self._too_much_disk()
        for path in self.directories:
            for blocks in _blocks(path):
                used += blocks * 512
                count += 1
                if used > self.limits.disk:
                    raise self._too_much_disk()
                if count > _MOST_FILES:
                    raise LimitError(f"it made more than {_MOST_FILES} files", "no build needs as many: see what it is")

    def _too_much_disk(self) -> LimitError:
        value = shown(self.limits.disk)
        return exceeded(f"it wrote more than {value} to the disk", "SANDBOX_DISK", value)

    def _too_much_memory(self) -> LimitError:
        value = shown(self.limits.memory)
        return exceeded(f"it needs more than {value} of memory", "SANDBOX_MEMORY", value)

    def _too_many_processes(self) -> LimitError:
        value = str(self.limits.processes)
        return exceeded(f"it started more than {value} processes at one time", "SANDBOX_PROCESSES", value)


def shown(count: int) -> str:
    """Return a number of bytes as a setting has it."""
    for unit in ("T", "G", "M", "K"):
        if count >= _UNITS[unit] and count % _UNITS[unit] == 0:
            return f"{count // _UNITS[unit]}{unit}"
    return str(count)


def _tree(process: int) -> list[int]:
    """Return a process and all its descendants, by proc(5)."""
    children = _children if _HAS_CHILDREN else _by_parent().__getitem__
    found = [process]
    for member in found:
        found += children(member)
    return found


def _children(process: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):
            with suppress(OSError), open(f"/proc/{process}/task/{thread}/children", "rb") as stream:
                found += map(int, stream.read().split())
    return found


def _by_parent() -> Mapping[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError, IndexError, ValueError), open(f"/proc/{name}/stat", "rb") as stream:
            # The program's name, in parentheses, may hold anything.
            found[int(stream.read().rpartition(b")")[2].split()[1])].append(int(name))
    return found


def _memory(process: int) -> tuple[int, int]:
    """Return the bytes of memory that are a process's own, and those that it may share: no file is behind either."""
    own = shared = 0
    with suppress(OSError, ValueError), open(f"/proc/{process}/status", "rb") as stream:
        for line in stream:
            if line.startswith(b"RssAnon:"):
                own = int(line.split()[1]) << 10
            elif line.startswith(b"RssShmem:"):
                shared = int(line.split()[1]) << 10
    return own, shared


def _share(process: int) -> int:
    """Return a process's part of the memory that it shares; to tell it takes the kernel a while."""
    with suppress(OSError, ValueError), open(f"/proc/{process}/smaps_rollup", "rb") as stream:
        return next((int(line.split()[1]) << 10 for line in stream if line.startswith(b"Pss_Shmem:")), 0)
    return _memory(process)[1]


def _nameless(processes: Iterable[int]) -> Iterator[tuple[tuple[int, bool, int], int]]:
    """Yield the files that processes have open and that no directory holds: which it is, and its size in bytes.

    They are known by their file system, whether that is in memory (memfd_create(2)), and their number.
    """
    for process in processes:
        with suppress(OSError):
            for name in os.listdir(f"/proc/{process}/fd"):
                path = f"/proc/{process}/fd/{name}"
                with suppress(OSError):
                    status = os.stat(path)
                    if stat.S_ISREG(status.st_mode) and not status.st_nlink:
                        is_memory = os.readlink(path).startswith(("/memfd:", "/dev/shm/"))
                        yield (status.st_dev, is_memory, status.st_ino), status.st_blocks * 512


def _blocks(directory: Path) -> Iterable[int]:
    """Yield the size of each entry below a directory, in blocks of 512 bytes; one that vanishes is left out."""
    stack = [os.fspath(directory)]
    while stack:
        try:
            with os.scandir(stack.pop()) as entries:
                for entry in entries:
                    try:
                        yield entry.stat(follow_symlinks=False).st_blocks
                        if entry.is_dir(follow_symlinks=False):
                            stack.append(entry.path)
                    except OSError:
                        continue
        except OSError:
            continue
