"""Become a program that Landlock and a filter of system calls confine: `landlock_runner.py REQUEST PROGRAM ...`.

REQUEST is a file of JSON: lists of paths (`readable`, `writable`), whether there are `sockets`, the descriptor of the
`filter`, and `limits` (setrlimit(2)). The standard library alone, as this is started by its path. https://docs.kernel.org/userspace-api/landlock.html
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import stat
import struct
import sys

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
#: Signals to others are confined since this version (Linux 6.12).
ABI = 6
_FILES = (1 << 16) - 1  # every right to files of this version
_READ = 1 << 0 | 1 << 2 | 1 << 3  # execute, read a file, read a directory
_OF_A_FILE = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15  # and write, truncate, ioctl of a device
_NETWORK = 1 << 0 | 1 << 1  # bind, connect (TCP)
_SCOPES = 1 << 0 | 1 << 1  # abstract sockets, signals
_BENEATH = 1
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER, _DROP, _PARENT_DEATH = 38, 22, 2, 24, 1  # prctl(2)

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


def filter_calls(program: bytes) -> None:
    """Have the kernel refuse system calls by this filter."""
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    _checked(libc.prctl(_SET_SECCOMP, _FILTER, head, 0, 0))


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def main(path: str, words: list[str]) -> None:
    """Confine this process and become the program."""
    with open(path, encoding="utf-8") as stream:
        request = json.load(stream)
    libc.prctl(_PARENT_DEATH, 9, 0, 0, 0)
    for name, value in request["limits"].items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (value, value))
    with os.fdopen(request["filter"], "rb") as stream:
        program = stream.read()
    confine(request["readable"], request["writable"], sockets=request["sockets"])
    drop_capabilities()
    filter_calls(program)
    os.execvp(words[0], words)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
