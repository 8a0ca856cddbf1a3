"""Ways out for log lines. None of them ever waits: what cannot be taken at once is refused with `BlockingIOError`."""

from __future__ import annotations

import array
import errno
import fcntl
import os
import select
import socket
import stat
import time
from typing import Protocol

#: Where journald listens for structured entries.
JOURNAL = "/run/systemd/journal/socket"
#: POSIX: a pipe that is writable takes this much at once.
_AT_ONCE = 4096


class Channel(Protocol):
    """One way out."""

    def send(self, data: bytes) -> int:
        """Take some of `data` and return how much; raises `BlockingIOError` for later, another `OSError` for never."""

    def wait(self, seconds: float) -> None:
        """Return when more may be taken, at the latest after `seconds`."""

    def close(self) -> None:
        """Give up what this channel opened for itself."""


class StreamChannel:
    """A file, terminal, pipe or socket that others share; their view of it is left as it is.

    `O_NONBLOCK` belongs to the open file description, which a shell or a parent process shares with us: setting
    it on standard error would break them. So a pipe is opened once more through /proc, and a socket sent to with
    MSG_DONTWAIT.
    """

    def __init__(self, descriptor: int) -> None:
        kind = os.fstat(descriptor).st_mode
        self._socket: socket.socket | None = None
        self._polls = False
        if stat.S_ISSOCK(kind):
            self._socket = socket.socket(fileno=os.dup(descriptor))
            self._descriptor = self._socket.fileno()
        elif stat.S_ISREG(kind):
            self._descriptor = os.dup(descriptor)
        else:
            self._descriptor = self._again(descriptor)
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLOUT)

    def _again(self, descriptor: int) -> int:
        try:
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
            return os.open(f"/proc/self/fd/{descriptor}", flags)
        except OSError:
            self._polls = True
            return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)

    def send(self, data: bytes) -> int:
        """See `Channel`."""
        if self._socket:
            return self._socket.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        if self._polls:
            if not self._poll.poll(0):
                raise BlockingIOError(errno.EAGAIN, "full")
            data = data[:_AT_ONCE]
        return os.write(self._descriptor, data)

    def wait(self, seconds: float) -> None:
        """See `Channel`."""
        self._poll.poll(seconds * 1000)

    def close(self) -> None:
        """See `Channel`."""
        if self._socket:
            self._socket.close()
        else:
            os.close(self._descriptor)


class JournalChannel:
    """journald's native protocol: one datagram an entry, or a sealed memory file when it is too large for one."""

    def __init__(self, path: str = JOURNAL) -> None:
        self._path = path
        self._socket: socket.socket | None = None

    def send(self, data: bytes) -> int:
        """See `Channel`."""
        try:
            self._connected().send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except (FileNotFoundError, ConnectionError) as error:
            self.close()  # journald restarts; its socket comes back
            raise BlockingIOError(errno.EAGAIN, "no journal") from error
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                raise BlockingIOError(errno.EAGAIN, "full") from error
            if error.errno != errno.EMSGSIZE:
                raise
            self._send_file(data)
        return len(data)

    def _connected(self) -> socket.socket:
        # Connected, because only then does poll() tell when the other side's queue has room.
        if self._socket is None:
            opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            try:
                opened.connect(self._path)
            except OSError:
                opened.close()
                raise
            self._socket = opened
        return self._socket

    def _send_file(self, data: bytes) -> None:
        memory = os.memfd_create("journal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with os.fdopen(os.dup(memory), "wb") as stream:
                stream.write(data)
            seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
            fcntl.fcntl(memory, fcntl.F_ADD_SEALS, seals)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [memory]))]
            self._connected().sendmsg([], rights, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        finally:
            os.close(memory)

    def wait(self, seconds: float) -> None:
        """See `Channel`."""
        if self._socket is None:
            time.sleep(min(seconds, 0.2))
            return
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT)
        poll.poll(seconds * 1000)

    def close(self) -> None:
        """See `Channel`."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def under_journal(descriptor: int, variable: str) -> bool:
    """Tell whether the descriptor is the one that systemd connected to the journal (`$JOURNAL_STREAM`)."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return variable == f"{status.st_dev}:{status.st_ino}"
