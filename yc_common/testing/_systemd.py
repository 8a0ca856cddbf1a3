"""Stand-ins for what systemd listens with."""

from __future__ import annotations

import array
import mmap
import os
import socket
import struct
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class _Datagrams:
    """A Unix datagram socket at a path."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.socket.bind(os.fspath(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()
        self.path.unlink(missing_ok=True)


class NotifySocket(_Datagrams):
    """What `$NOTIFY_SOCKET` names: keeps the messages of a service, as `NAME=value` lines."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.messages: list[str] = []

    def wait_for(self, line: str, seconds: float = 10.0) -> None:
        """Wait until a message with this line comes, after those seen before; raises `AssertionError`."""
        deadline = time.monotonic() + seconds
        while True:
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                message = self.socket.recv(65536).decode()
            except TimeoutError:
                raise AssertionError(f"no {line!r} in {seconds:g} s, only {self.messages}") from None
            self.messages.append(message)
            if line in message.split("\n"):
                return

    def drain(self) -> list[str]:
        """Return the messages that are there now, and keep them too."""
        self.socket.setblocking(False)
        found: list[str] = []
        try:
            while True:
                found.append(self.socket.recv(65536).decode())
        except BlockingIOError:
            self.messages += found
            return found


class JournalSocket(_Datagrams):
    """What journald listens on: reads entries of its native protocol, also those passed as memory files."""

    def entry(self, seconds: float = 10.0) -> dict[str, str]:
        """Return the next entry; raises `TimeoutError`."""
        self.socket.settimeout(seconds)
        data, rights, _, _ = self.socket.recvmsg(1 << 20, socket.CMSG_SPACE(4))
        if rights:
            number = array.array("i", rights[0][2])[0]
            with os.fdopen(number, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as memory:
                data = memory[:]
        return _fields(data)


def _fields(data: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    while data:
        line, _, rest = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = struct.unpack("<Q", rest[:8])[0]
            value, rest = rest[8 : 8 + size], rest[9 + size :]
        fields[name.decode()] = value.decode()
        data = rest
    return fields
