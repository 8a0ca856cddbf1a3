"""Run a program that Landlock and a filter of system calls confine: `landlock_runner.py REQUEST PROGRAM ...`.

REQUEST is the descriptor of a file of JSON: lists of paths (`readable`, `writable`), whether there are `sockets`, the
descriptor of the `filter`, the number of the call that loads it (`seccomp`), `limits` (setrlimit(2)), and by their
numbers the calls that are `supervised`. The standard library alone, as this is started by its path.
https://docs.kernel.org/userspace-api/landlock.html

Landlock does not see what changes the mode, the owner, the times or the attributes of a file. The kernel asks this
process about such calls (seccomp_unotify(2)), which does them itself, where the file is one that may be written to. It
is also the parent of all whose own parents have ended, so that whoever looks at its descendants misses none.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import resource
import select
import socket
import stat
import struct
import sys
from contextlib import suppress

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
#: Signals to others are confined since this version (Linux 6.12).
ABI = 6
_FILES = (1 << 16) - 1  # every right to files of this version
_READ = 1 << 0 | 1 << 2 | 1 << 3  # execute, read a file, read a directory
_OF_A_FILE = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15  # and write, truncate, ioctl of a device
_NETWORK = 1 << 0 | 1 << 1  # bind, connect (TCP)
_SCOPES = 1 << 0 | 1 << 1  # abstract sockets, signals
_BENEATH = 1
_NO_NEW_PRIVILEGES, _DROP, _PARENT_DEATH, _SUBREAPER = 38, 24, 1, 36  # prctl(2)
_SET_FILTER, _NEW_LISTENER = 1, 1 << 3  # seccomp(2)
_RECEIVE, _SEND = 0xC0502100, 0xC0182101  # seccomp_unotify(2)
_NOTIFICATION, _RESPONSE = struct.Struct("=QIIiIQ6Q"), struct.Struct("=QqiI")
_AT_CWD, _NO_FOLLOW, _EMPTY_PATH, _UTIME_NOW = -100, 0x100, 0x1000, (1 << 30) - 1
#: Bytes of a path, of a name and of a value of an extended attribute, at most (limits.h).
_PATH, _NAME, _VALUE = 4096, 256, 1 << 16
#: Seconds between two looks for orphans that have ended.
_LOOK = 1

libc = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """Return the version of Landlock that the kernel has, less than 1 where it has none."""
    return int(libc.syscall(_CREATE_RULESET, None, 0, 1))


def confine(readable: list[str], writable: list[str], *, sockets: bool) -> None:
    """Leave this process, and all that it starts, these files, TCP only with `sockets`, and nobody else's processes."""
    attributes = struct.pack("=QQQ", _FILES, 0 if sockets else _NETWORK, _SCOPES)
    ruleset = _checked(libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0))
    for paths, rights in ((readable, _READ), (writable, _FILES)):
        for path in paths:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            given = rights if stat.S_ISDIR(os.fstat(descriptor).st_mode) else rights & _OF_A_FILE
            _checked(libc.syscall(_ADD_RULE, ruleset, _BENEATH, struct.pack("=Qi", given, descriptor), 0))
            os.close(descriptor)
    _checked(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    _checked(libc.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def drop_capabilities() -> None:
    """Give up what root may do, also what a program that root starts gets back (capabilities(7))."""
    for number in range(64):
        # Beyond the last one it fails.
        libc.prctl(_DROP, number, 0, 0, 0)
    header, nothing = struct.pack("=Ii", 0x20080522, 0), bytes(24)
    _checked(libc.capset(header, nothing))


def filter_calls(program: bytes, number: int) -> int:
    """Have the kernel refuse system calls by this filter, and return the descriptor on which it asks about others."""
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    return _checked(libc.syscall(number, _SET_FILTER, _NEW_LISTENER, head))


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


class Supervisor:
    """Answers the calls that the kernel asks about: `calls` are their names by number.

    What it does it does to the file that it has opened, whose path it has asked the kernel for: no link can be put in
    the way meanwhile.
    """

    def __init__(self, listener: int, calls: dict[int, str], writable: list[str]) -> None:
        self._listener, self._calls = listener, calls
        self._writable = tuple(os.path.realpath(path) for path in writable)

    def answer(self) -> None:
        """Answer one call."""
        # One that has been ended meanwhile needs no answer.
        with suppress(FileNotFoundError):
            request = bytearray(_NOTIFICATION.size)
            fcntl.ioctl(self._listener, _RECEIVE, request)
            identity, process, _, number, _, _, *arguments = _NOTIFICATION.unpack(request)
            try:
                fault = self._do(self._calls[number], process, arguments)
            except OSError as error:
                fault = error.errno or errno.EPERM
            fcntl.ioctl(self._listener, _SEND, _RESPONSE.pack(identity, 0, -fault, 0))

    def _do(self, name: str, process: int, arguments: list[int]) -> int:
        """Do a call of a process and return 0. Raises `OSError` for what it may not do, or nobody can."""
        follows = name[0] != "l"
        if name in ("fchmodat", "fchmodat2", "fchownat", "futimesat", "utimensat"):
            directory, path, *rest = arguments
            flags = rest[{"fchmodat2": 1, "fchownat": 2, "utimensat": 1}.get(name, 0)] & 0xFFFF_FFFF
            flags = 0 if name in ("fchmodat", "futimesat") else flags
            follows = not flags & _NO_FOLLOW
            target = _at(process, directory, _text(process, path, _PATH) if path else b"")
        elif name in ("fchmod", "fchown", "fsetxattr", "fremovexattr"):
            target, rest = _at(process, arguments[0], b""), arguments[1:]
        else:
            target, rest = _at(process, _AT_CWD, _text(process, arguments[0], _PATH)), arguments[1:]
        descriptor = os.open(target, os.O_PATH | os.O_CLOEXEC | (0 if follows else os.O_NOFOLLOW))
        try:
            own = f"/proc/self/fd/{descriptor}"
            found = os.readlink(own)
            if not any(found == path or found.startswith(f"{path}/") for path in self._writable):
                return errno.EPERM
            self._change(name, process, descriptor, own, rest)
        finally:
            os.close(descriptor)
        return 0

    def _change(self, name: str, process: int, descriptor: int, own: str, rest: list[int]) -> None:
        if "chmod" in name:
            os.chmod(own, rest[0] & 0o7777)
        elif "chown" in name:
            user, group = (ctypes.c_uint(number) for number in rest[:2])
            _checked(libc.fchownat(descriptor, b"", user, group, _EMPTY_PATH))
        elif "removexattr" in name:
            os.removexattr(own, _text(process, rest[0], _NAME))
        elif "setxattr" in name:
            if rest[2] > _VALUE:
                raise OSError(errno.E2BIG, os.strerror(errno.E2BIG))
            value = _memory(process, rest[1], rest[2]) if rest[2] else b""
            os.setxattr(own, _text(process, rest[0], _NAME), value, rest[3] & 0xFFFF_FFFF)
        else:
            _checked(libc.utimensat(descriptor, b"", _times(name, process, rest[0]), _EMPTY_PATH))


def _at(process: int, directory: int, path: bytes) -> bytes:
    """Return the path by which this process finds what another one calls `path`."""
    if path.startswith(b"/proc/self/"):
        return b"/proc/%d/%s" % (process, path[len(b"/proc/self/") :])
    number = ctypes.c_int(directory & 0xFFFF_FFFF).value
    base = b"/proc/%d/cwd" % process if number == _AT_CWD else b"/proc/%d/fd/%d" % (process, number)
    # A path that is absolute stays so.
    return os.path.join(base, path) if path else base


def _times(name: str, process: int, address: int) -> bytes:
    """Return the times of a call as utimensat(2) takes them: two of seconds and nanoseconds."""
    if not address:
        return struct.pack("@4l", 0, _UTIME_NOW, 0, _UTIME_NOW)
    if name == "utime":
        access, change = struct.unpack("@2l", _memory(process, address, struct.calcsize("@2l")))
        return struct.pack("@4l", access, 0, change, 0)
    times = list(struct.unpack("@4l", _memory(process, address, struct.calcsize("@4l"))))
    if name != "utimensat":
        times[1::2] = (microseconds * 1000 for microseconds in times[1::2])
    return struct.pack("@4l", *times)


def _memory(process: int, address: int, size: int) -> bytes:
    """Return the memory of a process; fewer bytes where it ends."""
    descriptor = os.open(f"/proc/{process}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, size, address)
    except OverflowError:
        raise OSError(errno.EFAULT, os.strerror(errno.EFAULT)) from None
    finally:
        os.close(descriptor)


def _text(process: int, address: int, longest: int) -> bytes:
    text, end, _ = _memory(process, address, longest).partition(b"\0")
    if not end:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    return text


def supervise(supervisor: Supervisor, listener: int, program: int) -> int:
    """Answer calls until the program has ended, and return its exit status in the words of a shell."""
    ended = os.pidfd_open(program)
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    poll.register(ended, select.POLLIN)
    while True:
        ready = dict(poll.poll(_LOOK * 1000))
        if ready.get(listener, 0) & select.POLLIN:
            supervisor.answer()
        elif listener in ready:
            poll.unregister(listener)
        while (found := _reaped())[0]:
            if found[0] == program:
                return 128 + os.WTERMSIG(found[1]) if os.WIFSIGNALED(found[1]) else os.WEXITSTATUS(found[1])


def _reaped() -> tuple[int, int]:
    with suppress(ChildProcessError):
        return os.waitpid(-1, os.WNOHANG)
    return 0, 0


def main(descriptor: int, words: list[str]) -> int:
    """Run the program confined and return its exit status."""
    with os.fdopen(descriptor, encoding="utf-8") as stream:
        request = json.load(stream)
    with os.fdopen(request["filter"], "rb") as stream:
        program = stream.read()
    libc.prctl(_SUBREAPER, 1, 0, 0, 0)
    mine, others = socket.socketpair()
    child = os.fork()
    if child == 0:
        libc.prctl(_PARENT_DEATH, 9, 0, 0, 0)
        for name, value in request["limits"].items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (value, value))
        confine(request["readable"], request["writable"], sockets=request["sockets"])
        drop_capabilities()
        listener = filter_calls(program, request["seccomp"])
        others.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("@i", listener))])
        # None of these descriptors is inherited.
        os.execv(_found(words[0]), words)
    others.close()
    drop_capabilities()
    descriptors = socket.recv_fds(mine, 1, 1)[1]
    if not descriptors:
        # It has said why it could not be confined.
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    calls = {int(number): name for number, name in request["supervised"].items()}
    return supervise(Supervisor(descriptors[0], calls, request["writable"]), descriptors[0], child)


def _found(program: str) -> str:
    """Return the path of a program; nothing can be imported any more that would look for it."""
    if "/" in program:
        return program
    places = (os.path.join(place, program) for place in os.environ.get("PATH", os.defpath).split(":"))
    return next((path for path in places if os.access(path, os.X_OK)), program)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
