"""Limits upon foreign code: time, memory, disk, processes and output; each is a setting."""

from __future__ import annotations

import argparse
import os
import re
import resource
import stat
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.core.errors import UserError
from toolkit.core.process import every_process
from toolkit.project.settings import default_of, number

_UNITS = {"": 1, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
#: The kernel takes no more than 8 EiB.
_LARGEST = 1 << 50
#: With less memory no program begins, so that none could say that it was too little.
_LEAST_MEMORY = 1 << 20
#: More files than any source tree has, fewer than the inodes of a file system.
_MOST_FILES = 2_000_000
#: What programs say that the kernel has refused more of something, by the limits upon it.
_REFUSED = {
    "MEMORY": r"MemoryError|[Cc]annot allocate memory|virtual memory exhausted|out of memory|bad_alloc",
    "PROCESSES": r"Resource temporarily unavailable|[Cc]annot fork|can't start new thread",
    "DISK": r"File too large",
}
#: Where files in memory are, by proc(5).
_IN_MEMORY = ("/memfd:", "/dev/shm/")
_IN_MEMORY_MAPPED = (*(name.encode() for name in _IN_MEMORY), b"/dev/zero", b"/SYSV")
#: Bytes that a pipe holds (pipe(7)), and a socket (socket(7), SO_SNDBUF), and one that a program has widened, where the
#: kernel is set to allow so much; what the kernel keeps of each mapped part.
_PIPE, _SOCKET, _WIDENED, _MAPPING = 1 << 16, 212_992, 1 << 23, 1 << 8
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

    def of_a_process(self) -> dict[str, int]:
        """Return what the kernel keeps each process to, by the names of setrlimit(2): nobody may raise a hard limit."""
        wanted = {"nproc": self.processes, "data": self.memory, "fsize": self.disk, "core": 0}
        hard = {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))[1] for name in wanted}
        return {name: value if hard[name] < 0 else min(value, hard[name]) for name, value in wanted.items()}

    def suggestion(self, output: str) -> str:
        """Return what to do about a run that failed with this output, if a limit may be why; else nothing.

        A program may say the same for reasons of its own: a server that a file is too large for it.
        """
        values = {"MEMORY": shown(self.memory), "PROCESSES": str(self.processes), "DISK": shown(self.disk)}
        for name, pattern in _REFUSED.items():
            if found := re.search(pattern, output):
                value = f"SANDBOX_{name}={values[name]} now"
                return f"it says `{found[0]}`: where that is for want of more, SANDBOX_{name}= ({value})"
        return ""

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
            type=size(setting, _LEAST_MEMORY if name == "memory" else 1),
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


def size(setting: str, least: int) -> Callable[[str], int]:
    """Return what reads the value of a setting that is a size of at least so many bytes, such as 8G or 64M."""

    def read(text: str) -> int:
        found = re.fullmatch(r"([0-9]{1,16})([BKMGT]?)", text)
        value = int(found[1]) * _UNITS[found[2]] if found else 0
        if not least <= value <= _LARGEST:
            raise UserError(
                f"{setting}={text}: not a size from {shown(least)} to {shown(_LARGEST)}",
                f"write a number, and B, K, M, G or T after it: {setting}={default_of(setting)}",
            )
        return value

    return read


@dataclass(kw_only=True)
class Watch:
    """Looks, now and then, whether a run keeps to its limits; `directories` are those it may write to."""

    limits: Limits
    directories: Sequence[Path]
    _start: float = field(default_factory=time.monotonic)
    _next_walk: float = 0.0
    _before: _Room = field(init=False)
    _walked: _Room = field(init=False)

    def __post_init__(self) -> None:
        self._before = self._walked = _Room.of(self.directories)

    def look(self, process: int) -> None:
        """Look at the tree of processes below this one. Raises `LimitError`."""
        now = time.monotonic()
        if now - self._start > self.limits.seconds:
            raise exceeded(f"it took more than {self.limits.seconds} s", "SANDBOX_TIME", str(self.limits.seconds))
        members = _tree(process)
        if len(members) > self.limits.processes:
            raise self._too_many_processes()
        nameless = _Nameless.of(members)
        room = _Room.of(self.directories)
        memory = [_memory(member) for member in members]
        own = sum(part for part, _ in memory)
        # Counted once for each of those that share it, it may be less than it seems.
        seeming = own + max(nameless.memory, sum(part for _, part in memory))
        if seeming > self.limits.memory and own + max(nameless.memory, sum(map(_share, members))) > self.limits.memory:
            raise self._too_much_memory()
        # Where it may be more than can be seen, what this machine has lost is what counts.
        may_be_more = nameless.is_more or nameless.sockets * _WIDENED > self.limits.memory
        if may_be_more and room.memory_lost_since(self._before) > self.limits.memory:
            raise self._too_much_memory()
        # A large tree takes long to walk, and is walked less often, but for when as much may have come to it.
        if now >= self._next_walk or self._walked.free - room.free > self.limits.disk:
            self._walked = room
            self._look_at_disk(nameless.disk, self._before.free - room.free if nameless.is_more else None)
            self._next_walk = now + max(1.0, 30 * (time.monotonic() - now))

    def _look_at_disk(self, nameless: int, lost: int | None) -> None:
        """Add up what is in the directories; `lost` is what their file systems have lost, where that may be this run's.

        Also where not all can be seen, by a directory that is shut or deeper than any path.
        """
        used, count = nameless, 0
        for path in self.directories:
            for blocks in _blocks(path):
                if blocks is None:
                    lost = self._before.free - self._walked.free
                    continue
                used += blocks * 512
                count += 1
                if used > self.limits.disk:
                    raise self._too_much_disk()
                if count > _MOST_FILES:
                    raise LimitError(f"it made more than {_MOST_FILES} files", "no build needs as many: see what it is")
        if max(used, lost or 0) > self.limits.disk:
            raise self._too_much_disk()

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
    return f"{count}B"


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
    for member in every_process():
        found[member.parent].append(member.id)
    return found


def _memory(process: int) -> tuple[int, int]:
    """Return the bytes of memory that are a process's own, and those that it may share: no file is behind either.

    Its page tables are its own: they may be as large where all that they tell is that there is nothing.
    """
    own = shared = 0
    with suppress(OSError, ValueError), open(f"/proc/{process}/status", "rb") as stream:
        for line in stream:
            if line.startswith((b"RssAnon:", b"VmPTE:", b"VmSwap:", b"HugetlbPages:")):
                own += int(line.split()[1]) << 10
            elif line.startswith(b"RssShmem:"):
                shared = int(line.split()[1]) << 10
    return own, shared


def _share(process: int) -> int:
    """Return a process's part of the memory that it shares; to tell it takes the kernel a while."""
    with suppress(OSError, ValueError), open(f"/proc/{process}/smaps_rollup", "rb") as stream:
        return next((int(line.split()[1]) << 10 for line in stream if line.startswith(b"Pss_Shmem:")), 0)
    return _memory(process)[1]


@dataclass(frozen=True, kw_only=True)
class _Room:
    """What is left on the file systems of some directories, and of the memory of this machine, in bytes."""

    free: int
    memory: int
    shared_memory: int

    def memory_lost_since(self, before: _Room) -> int:
        """Return the bytes of memory that are used now and were not before; other programs free and use some too."""
        return max(before.memory - self.memory, self.shared_memory - before.shared_memory)

    @classmethod
    def of(cls, directories: Iterable[Path]) -> _Room:
        free = {}
        for path in directories:
            with suppress(FileNotFoundError):
                free[os.stat(path).st_dev] = os.statvfs(path)
        memory = machine_memory()
        return cls(
            free=sum(state.f_bfree * state.f_frsize for state in free.values()),
            memory=memory[b"MemAvailable"],
            shared_memory=memory.get(b"Shmem", 0),
        )


def machine_memory() -> dict[bytes, int]:
    """Return the bytes of this machine's memory by what they are for, proc_meminfo(5).

    Raises `FileNotFoundError` where there is no /proc.
    """
    with open("/proc/meminfo", "rb") as stream:
        return {name: int(value.split()[0]) << 10 for name, _, value in (line.partition(b":") for line in stream)}


@dataclass(kw_only=True)
class _Nameless:
    """Files that processes use and that no directory holds: bytes of memory (memfd_create(2)) and of disk.

    There `is_more` where some are on their way from one process to another, as nobody can look at those (unix(7)).
    Nor can they into `sockets`.
    """

    memory: int = 0
    disk: int = 0
    is_more: bool = False
    sockets: int = 0

    @classmethod
    def of(cls, processes: Iterable[int]) -> _Nameless:
        found = cls()
        # By the device and the number of each. What is open is not mapped only: its size is known.
        sizes: dict[tuple[int, int], tuple[bool, int]] = {}
        for process in processes:
            for key, value in _mapped(process):
                sizes.setdefault(key, value)
        for process in processes:
            sizes |= found._opened(process)
        for is_memory, size in sizes.values():
            if is_memory:
                found.memory += size
            else:
                found.disk += size
        return found

    def _opened(self, process: int) -> dict[tuple[int, int], tuple[bool, int]]:
        sizes = {}
        with suppress(OSError):
            for name in os.listdir(f"/proc/{process}/fd"):
                with suppress(OSError):
                    status = os.stat(f"/proc/{process}/fd/{name}")
                    if stat.S_ISSOCK(status.st_mode):
                        self.is_more |= _carries_files(f"/proc/{process}/fdinfo/{name}")
                        self.sockets += 1
                        sizes[status.st_dev, status.st_ino] = (True, _SOCKET)
                    elif stat.S_ISFIFO(status.st_mode):
                        sizes[status.st_dev, status.st_ino] = (True, _PIPE)
                    elif stat.S_ISREG(status.st_mode) and not status.st_nlink:
                        path = os.readlink(f"/proc/{process}/fd/{name}")
                        sizes[status.st_dev, status.st_ino] = (path.startswith(_IN_MEMORY), status.st_blocks * 512)
        return sizes


def _carries_files(path: str) -> bool:
    with open(path, "rb") as stream:
        return any(line.startswith(b"scm_fds:") and int(line.split()[1]) > 0 for line in stream)


def _mapped(process: int) -> Iterator[tuple[tuple[int, int], tuple[bool, int]]]:
    """Yield the mapped parts of files that no directory holds: they use room also where no page is present.

    And what the kernel keeps of all mapped parts, of which a process may have 65530 (vm.max_map_count).
    """
    count = 0
    with suppress(OSError, ValueError), open(f"/proc/{process}/maps", "rb") as stream:
        for line in stream:
            count += 1
            if line.endswith(b" (deleted)\n"):
                span, _, offset, device, number, path = line.split(None, 5)
                first, last = (int(word, 16) for word in span.split(b"-"))
                key = os.makedev(*(int(word, 16) for word in device.split(b":"))), int(number)
                yield key, (path.startswith(_IN_MEMORY_MAPPED), int(offset, 16) + last - first)
    yield (-1, process), (True, count * _MAPPING)


def _blocks(directory: Path) -> Iterable[int | None]:
    """Yield the size of each entry below a directory, in blocks of 512 bytes, and None for one that cannot be seen.

    One that vanishes is left out.
    """
    stack = [os.fspath(directory)]
    while stack:
        try:
            with os.scandir(stack.pop()) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        status = entry.stat(follow_symlinks=False)
                        yield status.st_blocks
                        if stat.S_ISDIR(status.st_mode):
                            stack.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            yield None
