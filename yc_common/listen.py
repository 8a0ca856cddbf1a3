"""Sockets to listen on, with addresses that are already in use told apart from those that a dead process left."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import stat
from collections.abc import Iterator

from yc_common.config import Address

__all__ = ["ListenError", "listen", "release"]


class ListenError(OSError):
    """An address that cannot be listened on; the message names it and says why."""

    def __init__(self, address: Address, why: str) -> None:
        super().__init__(f"{address}: {why}")
        self.address = address


def listen(address: Address, *, backlog: int = 512, mode: int = 0o660) -> socket.socket:
    """Return a listening socket that does not block; raises `ListenError`.

    A Unix socket's file gets `mode`. One that a dead process left is replaced; one that somebody answers on, or that is
    no socket, is left alone and refused.
    """
    return _listen_unix(address, backlog, mode) if address.path else _listen_tcp(address, backlog)


def release(listening: socket.socket) -> None:
    """Close a socket that `listen()` returned, and remove its file if it is still this socket's."""
    name = listening.getsockname()
    listening.close()
    if isinstance(name, str) and name:
        with contextlib.suppress(OSError), _alone(name):
            # Whoever replaced the file in the meantime answers there; our own is dead now.
            if stat.S_ISSOCK(os.lstat(name).st_mode) and not _answers(name):
                os.unlink(name)


def _listen_tcp(address: Address, backlog: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, place = found[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ListenError(address, error.strerror or str(error)) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
        return _start(listening, backlog)
    except OSError as error:
        listening.close()
        raise ListenError(address, _reason(error)) from error


def _listen_unix(address: Address, backlog: int, mode: int) -> socket.socket:
    if address.path.startswith("@"):
        return _bind(address, "\0" + address.path[1:], backlog)
    try:
        with _alone(address.path):
            _make_room(address)
            listening = _bind(address, address.path, backlog)
            os.chmod(address.path, mode)
            return listening
    except ListenError:
        raise
    except OSError as error:
        raise ListenError(address, _reason(error)) from error


def _make_room(address: Address) -> None:
    """Remove the socket of a dead process; refuse everything else that is in the way."""
    try:
        kind = os.lstat(address.path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise ListenError(address, "a file that is not a socket is in the way")
    if _answers(address.path):
        raise ListenError(address, "already in use: somebody answers there")
    os.unlink(address.path)


def _bind(address: Address, name: str, backlog: int) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(name)
        return _start(listening, backlog)
    except OSError as error:
        listening.close()
        raise ListenError(address, _reason(error)) from error


def _start(listening: socket.socket, backlog: int) -> socket.socket:
    listening.listen(backlog)
    listening.setblocking(False)
    return listening


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:
            return True  # its queue of connections is full
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        return True


@contextlib.contextmanager
def _alone(path: str) -> Iterator[None]:
    """Keep two processes from judging the same left-over socket at once: a lock on its directory."""
    directory = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "already in use"
    return error.strerror or str(error)
