"""The walls, built by bubblewrap: own namespaces, a read-only system, no privileges (bwrap(1)).

The system is all of /usr and those files of /etc that compilers and interpreters read. Nothing else of this machine
can be seen: no home, /run, /tmp or /var, no processes of others, no network but a loopback of its own.
"""

from __future__ import annotations

import itertools
import os
import re
import select
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from toolkit.sandbox import system_calls
from toolkit.sandbox.limits import Limits
from toolkit.sandbox.view import MERGED, TEMPORARY, USER, View, Wrapped, in_memory, system

PROGRAM = "/usr/bin/bwrap"
#: By their paths (util-linux): what is first on PATH inside are the scripts of those who are to be confined.
_SETPRIV, _PRLIMIT = "/usr/bin/setpriv", "/usr/bin/prlimit"
_SHARED_MEMORY = "/dev/shm"
_PRELOADED = frozenset({"LD_PRELOAD"})
_OF_THE_MACHINE = ("/proc/cpuinfo", "/proc/stat", "/proc/version")
#: Users that exist nowhere, so that the kernel counts the processes of each run apart.
_FIRST_USER, _USERS = 2_000_000_000, 100_000_000
#: Who an ordinary user is inside.
_BUILDER = 1000
#: Seconds that the kernel gets to end what a run has left behind.
_PATIENCE = 10
_numbers = itertools.count()


@contextmanager
def command(
    words: Sequence[str],
    view: View,
    limits: Limits,
    directory: str,
    environment: Mapping[str, str],
    hidden: Sequence[Path],
    *,
    as_root: bool,
) -> Iterator[Wrapped]:
    """Give the block the command that runs another one inside, from `directory`.

    Of the system's directories those that are `hidden` are empty. `as_root` takes the rights of root to build the
    walls, and none into them; else they are built by a user namespace.
    """
    user = _FIRST_USER + (os.getpid() * 64 + next(_numbers)) % _USERS if as_root else _BUILDER
    with ExitStack() as stack:
        status, reported = os.pipe()
        filter_ = in_memory(system_calls.program())
        texts = {f"/etc/{name}": in_memory(text.encode()) for name, text in _etc(user).items()}
        for descriptor in (status, reported, filter_, *texts.values()):
            stack.callback(os.close, descriptor)
        walls = [PROGRAM, "--die-with-parent", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
        walls += ["--unshare-cgroup-try", "--hostname", "sandbox", "--seccomp", str(filter_), "--cap-drop", "ALL"]
        inner = [_PRLIMIT, *(f"--{name}={value}" for name, value in limits.of_a_process().items()), "--"]
        if as_root:
            for path in view.own:
                _give(path, user)
            for inside, path in view.readable.items():
                if inside != str(path):
                    _open_to_all(path)
            # What setpriv needs to become somebody else, for good, and bubblewrap to enter that user's directories.
            for name in ("SETUID", "SETGID", "SETPCAP", "DAC_READ_SEARCH"):
                walls += ["--cap-add", f"CAP_{name}"]
            other = [_SETPRIV, "--reuid", str(user), "--regid", str(user), "--clear-groups"]
            inner = [*other, "--inh-caps=-all", "--bounding-set=-all", "--", *inner]
        else:
            walls += ["--unshare-user", "--uid", str(user), "--gid", str(user)]
        walls += [
            "--json-status-fd",
            str(reported),
            *_directories(view),
            *_system(limits, texts),
            *_mounts(view, _emptied(hidden)),
            "--chdir",
            directory,
        ]
        # Libraries that are preloaded (fakeroot's) would tell bubblewrap that somebody else runs it.
        for name in _PRELOADED & environment.keys():
            walls += ["--setenv", name, environment[name]]
        yield _Reported(
            words=[*walls, "--", *inner, *words],
            environment={name: value for name, value in environment.items() if name not in _PRELOADED},
            descriptors=(filter_, reported, *texts.values()),
            status=status,
        )


@dataclass(frozen=True, kw_only=True)
class _Reported(Wrapped):
    """A command of bubblewrap, and the descriptor on which that reports."""

    status: int

    def wait(self) -> None:
        """Wait until the kernel has ended all that was inside: bubblewrap itself ends a moment before."""
        os.set_blocking(self.status, False)
        try:
            found = re.search(rb'"child-pid": *(\d+)', os.read(self.status, 4096))
            descriptor = os.pidfd_open(int(found[1])) if found else None
        except (BlockingIOError, ProcessLookupError):
            return
        if descriptor is not None:
            select.select([descriptor], [], [], _PATIENCE)
            os.close(descriptor)


def _etc(user: int) -> dict[str, str]:
    """Return the files that tell who one is, and how names are looked up."""
    nobody = "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    root = "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n"
    return {
        "passwd": f"{root}{nobody}{USER}:x:{user}:{user}::{TEMPORARY}:/bin/sh\n",
        "group": f"root:x:0:\nnogroup:x:65534:\n{USER}:x:{user}:\n",
        "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n",
    }


def _directories(view: View) -> Iterator[str]:
    """Make the directories above all that is put there: else one is as private as what comes first."""
    inside = [*system(), *view.readable, *view.writable, f"/var{TEMPORARY}"]
    above = {os.fspath(parent) for path in inside for parent in PurePosixPath(path).parents} - {"/"}
    for name in sorted(above):
        yield from ("--perms", "0755", "--dir", name)


def _system(limits: Limits, texts: Mapping[str, int]) -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for name in MERGED:
        if os.path.islink(name):
            yield from ("--symlink", os.readlink(name), name)
        elif os.path.isdir(name):
            yield from ("--ro-bind", name, name)
    for name in system():
        yield from ("--ro-bind", name, name)
    for name, descriptor in texts.items():
        yield from ("--perms", "0644", "--file", str(descriptor), name)
    yield from ("--proc", "/proc", "--dev", "/dev")
    # Where root builds the walls by a user namespace, it could still set the kernel's parameters, by its number alone.
    # What tells of the machine is as it is outside: containers cover it (https://linuxcontainers.org/lxcfs/).
    for name in filter(os.path.exists, ("/proc/sys", "/proc/sysrq-trigger", *_OF_THE_MACHINE)):
        yield from ("--ro-bind", name, name)
    yield from ("--size", str(max(limits.memory // 4, 1 << 20)), "--perms", "1777", "--tmpfs", _SHARED_MEMORY)


def _emptied(hidden: Sequence[Path]) -> list[str]:
    """Return those of the hidden directories that the system's have in them."""
    needed = [Path(name) for name in ("/usr", *MERGED) if not os.path.islink(name)]
    shown = [*needed, *map(Path, system())]
    return [
        str(path)
        for path in hidden
        if os.path.isdir(path) and path not in needed and any(map(path.is_relative_to, shown))
    ]


def _mounts(view: View, hidden: Sequence[str]) -> Iterator[str]:
    writable = {**dict.fromkeys((TEMPORARY, f"/var{TEMPORARY}"), view.temporary), **view.writable}
    mounts = {path: ["--tmpfs", path] for path in hidden}
    mounts |= {inside: ["--ro-bind", str(path), inside] for inside, path in view.readable.items()}
    mounts |= {inside: ["--bind", str(path), inside] for inside, path in writable.items()}
    # What is mounted above another would cover that, and the directories between: an interpreter may be below /tmp.
    covering = {*mounts, _SHARED_MEMORY}
    for inside in sorted(mounts):
        between = [path for path in PurePosixPath(inside).parents if covering & set(map(str, path.parents))]
        for path in reversed(between):
            yield from ("--perms", "0755", "--dir", str(path))
        yield from mounts[inside]
    # They are in memory, of which they could take any amount, as are the root itself and /dev.
    for inside in ("/", "/dev", *hidden):
        yield from ("--remount-ro", inside)


def _give(path: Path, user: int) -> None:
    """Make a user the owner of a directory and all below it, following no link.

    What an earlier run has left in a directory that is kept may be deeper than that goes: it stays another's.
    """
    os.lchown(path, user, user)
    if stat.S_ISDIR(os.lstat(path).st_mode):
        # By the descriptor of each directory: a run that shares it may put a link in the place of one meanwhile.
        with suppress(OSError, RecursionError):
            for _, folders, names, directory in os.fwalk(path):
                for name in (*folders, *names):
                    os.chown(name, user, user, dir_fd=directory, follow_symlinks=False)


def _open_to_all(path: Path) -> None:
    """Let everybody read what its owner can, where a mask (umask(2)) has kept that from others."""
    found = [path]
    is_directory = path.is_dir()
    # A directory may have been opened by itself; the first look spares one at all that is in it.
    if all(each.lstat().st_mode & 0o004 for each in (path, *(path.iterdir() if is_directory else ()))):
        return
    if is_directory:
        found += (Path(parent, name) for parent, folders, names in os.walk(path) for name in (*folders, *names))
    for each in found:
        if not each.is_symlink():
            mode = stat.S_IMODE(each.stat().st_mode)
            each.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)
