"""Run a program with no network but a loopback of its own, and no process outside: `isolation_runner.py PROGRAM ...`.

Root takes namespaces for that; anybody else first a user namespace in which they stay who they are. All that the
program starts ends with it, or with this process, whatever ends that. The standard library alone, as this is started by
its path.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
from pathlib import Path

# sched.h
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x20000, *(1 << n for n in range(27, 31))
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1  # netdevice(7)
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 1 << 14, 1 << 18  # mount(2)
PR_SET_PDEATHSIG = 1  # prctl(2)
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LIBC = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def enter_namespaces() -> None:
    """Have the next child live in namespaces of its own. Raises `OSError` where the kernel forbids it."""
    # What fakeroot leaves in System V's message queues when it is killed ends with theirs.
    wanted = CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC
    if _LIBC.unshare(wanted) == 0:
        return
    user, group = os.geteuid(), os.getegid()
    _check(_LIBC.unshare(CLONE_NEWUSER | wanted), "no namespaces")
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny", encoding="ascii")
    (own / "uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    (own / "gid_map").write_text(f"{group} {group} 1", encoding="ascii")


def raise_loopback() -> None:
    """Bring up `lo`, which is down in a new network namespace: tests talk to the servers that they start."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        name, flags = struct.unpack("16sh14x", fcntl.ioctl(handle, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0)))
        fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sh14x", name, flags | IFF_UP))


def mount_proc() -> None:
    """Mount the /proc of these processes; no mount is seen outside."""
    # In a chroot, / may be no mount; /proc, on which the new one is mounted, then is.
    if _LIBC.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        _check(_LIBC.mount(None, b"/proc", None, MS_REC | MS_PRIVATE, None), "mounts cannot be made private")
    _check(_LIBC.mount(b"proc", b"/proc", b"proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, None), "/proc cannot be mounted")


def run_all(words: list[str]) -> int:
    """Run the program below process 1, whose end is the end of all, and return its exit status."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    mount_proc()
    raise_loopback()
    program = _start(words)
    while True:
        # Process 1 also gets those whose parents have ended.
        pid, status = os.wait()
        if pid == program:
            return exit_status(status)


def _start(words: list[str]) -> int:
    # Handlers end at the program, as ignored signals would not: it gets the signals of its group itself.
    for number in _ENDING:
        signal.signal(number, lambda *_: None)
    child = os.fork()
    if child == 0:
        # CPython ignores these.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        try:
            os.execvp(words[0], words)
        except OSError as error:
            print(f"{words[0]}: {error.strerror}", file=sys.stderr)
            os._exit(127)
    return child


def exit_status(status: int) -> int:
    """Return the exit status that says how a child ended, in the words of a shell."""
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    enter_namespaces()
    first = os.fork()
    if first == 0:
        os._exit(run_all(sys.argv[1:]))
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(exit_status(os.waitpid(first, 0)[1]))
