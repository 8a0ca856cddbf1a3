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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.sandbox import system_calls
from toolkit.sandbox.limits import Limits

PROGRAM = "/usr/bin/bwrap"
_MERGED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
#: No credentials are in these.
_READ = (
    *("/opt", "/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime"),
    *("/etc/os-release", "/etc/debian_version", "/etc/lsb-release", "/etc/mime.types", "/etc/protocols"),
    *("/etc/services", "/etc/locale.alias", "/etc/perl", "/etc/fonts", "/etc/java", "/etc/texmf", "/etc/xml"),
    *("/etc/sgml", "/etc/dpkg/origins", "/etc/dpkg/buildflags.conf", "/etc/ssl/openssl.cnf", "/etc/ssl/certs"),
    "/etc/ca-certificates",
)
#: Users that exist nowhere, so that the kernel counts the processes of each run apart.
_FIRST_USER, _USERS = 2_000_000_000, 100_000_000
#: Who an ordinary user is inside.
_BUILDER = 1000
#: Seconds that the kernel gets to end what a run has left behind.
_PATIENCE = 10
_numbers = itertools.count()


@dataclass(frozen=True, kw_only=True)
class View:
    """What a program finds inside: directories and files of this machine, by the path that each has there.

    `writable` may be changed by it and belongs to it. `temporary` is /tmp and /var/tmp.
    """

    temporary: Path
    writable: Mapping[str, Path] = field(default_factory=dict)
    readable: Mapping[str, Path] = field(default_factory=dict)

    @property
    def own(self) -> tuple[Path, ...]:
        """Return the directories that the program may write to."""
        return (self.temporary, *self.writable.values())


@contextmanager
def command(words: Sequence[str], view: View, limits: Limits, directory: str, *, as_root: bool) -> Iterator[Wrapped]:
    """Give the block the command that runs another one inside, from `directory`.

    `as_root` takes the rights of root to build the walls, and none into them; else they are built by a user namespace.
    """
    user = _FIRST_USER + (os.getpid() * 64 + next(_numbers)) % _USERS if as_root else _BUILDER
    with ExitStack() as stack:
        status, reported = os.pipe()
        filter_ = _in_memory(system_calls.program())
        texts = {f"/etc/{name}": _in_memory(text.encode()) for name, text in _etc(user).items()}
        for descriptor in (status, reported, filter_, *texts.values()):
            stack.callback(os.close, descriptor)
        walls = [PROGRAM, "--die-with-parent", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
        walls += ["--unshare-cgroup-try", "--hostname", "sandbox", "--seccomp", str(filter_), "--cap-drop", "ALL"]
        inner = ["prlimit", f"--nproc={limits.processes}", f"--data={limits.memory}", f"--fsize={limits.disk}"]
        inner += ["--core=0", "--"]
        if as_root:
            for path in view.own:
                _give(path, user)
            # What setpriv needs to become somebody else, for good.
            for name in ("SETUID", "SETGID", "SETPCAP"):
                walls += ["--cap-add", f"CAP_{name}"]
            other = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"]
            inner = [*other, "--inh-caps=-all", "--bounding-set=-all", "--", *inner]
        else:
            walls += ["--unshare-user", "--uid", str(user), "--gid", str(user)]
        walls += ["--json-status-fd", str(reported), *_system(limits, texts), *_mounts(view), "--chdir", directory]
        yield Wrapped(
            words=(*walls, "--", *inner, *words), descriptors=(filter_, reported, *texts.values()), status=status
        )


@dataclass(frozen=True, kw_only=True)
class Wrapped:
    """A command in its walls, the descriptors that it inherits, and the one on which bubblewrap reports."""

    words: tuple[str, ...]
    descriptors: tuple[int, ...]
    status: int

    def with_variables(self, variables: Mapping[str, str]) -> tuple[str, ...]:
        """Return the command, with variables that only what is inside gets."""
        program, *others = self.words
        return (program, *(word for pair in variables.items() for word in ("--setenv", *pair)), *others)

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


def _in_memory(content: bytes) -> int:
    """Return a descriptor from which a program reads this."""
    descriptor = os.memfd_create("sandbox")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _etc(user: int) -> dict[str, str]:
    """Return the files that tell who one is, and how names are looked up."""
    nobody = "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    return {
        "passwd": f"root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n{nobody}builder:x:{user}:{user}::/tmp:/bin/sh\n",
        "group": f"root:x:0:\nnogroup:x:65534:\nbuilder:x:{user}:\n",
        "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n",
    }


def _system(limits: Limits, texts: Mapping[str, int]) -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for name in _MERGED:
        if os.path.islink(name):
            yield from ("--symlink", os.readlink(name), name)
        elif os.path.isdir(name):
            yield from ("--ro-bind", name, name)
    configured = sorted(map(str, Path("/etc").glob("python3*")))
    for name in (*_READ, *configured):
        if os.path.exists(name):
            yield from ("--ro-bind", name, name)
    for name, descriptor in texts.items():
        yield from ("--perms", "0644", "--file", str(descriptor), name)
    yield from ("--proc", "/proc", "--dev", "/dev")
    # Where root builds the walls by a user namespace, it could still set the kernel's parameters, by its number alone.
    for name in filter(os.path.exists, ("/proc/sys", "/proc/sysrq-trigger")):
        yield from ("--ro-bind", name, name)
    yield from ("--size", str(max(limits.memory // 4, 1 << 20)), "--perms", "1777", "--tmpfs", "/dev/shm")


def _mounts(view: View) -> Iterator[str]:
    for inside, path in view.readable.items():
        yield from ("--ro-bind", str(path), inside)
    for inside in ("/tmp", "/var/tmp"):
        yield from ("--bind", str(view.temporary), inside)
    for inside, path in view.writable.items():
        yield from ("--bind", str(path), inside)
    # The root itself, and /dev, are in memory, of which they could take any amount.
    yield from ("--remount-ro", "/", "--remount-ro", "/dev")


def _give(path: Path, user: int) -> None:
    """Make a user the owner of a directory and all below it, following no link."""
    os.lchown(path, user, user)
    if stat.S_ISDIR(os.lstat(path).st_mode):
        for parent, folders, names in os.walk(path):
            for name in (*folders, *names):
                os.lchown(os.path.join(parent, name), user, user)
