"""An HTTP peer on loopback that does what it is told, also the wrong thing."""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from types import TracebackType
from typing import Self

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """How the peer deals with one request: what it sends, and how it goes wrong."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = {}
    delay: float = 0.0
    """Seconds before it answers."""
    hang: bool = False
    """Never answers, and keeps the connection."""
    reset: bool = False
    """Resets the connection instead of answering."""
    close: bool = False
    """Closes the connection instead of answering."""
    cut: int = -1
    """Closes the connection after so many bytes of the body."""
    raw: bytes = b""
    """Sends just this."""


HANG = Answer(hang=True)
RESET = Answer(reset=True)
CLOSE = Answer(close=True)


class Request(msgspec.Struct, frozen=True):
    """A request that the peer got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """Which connection it came on, from 1."""


class Peer:
    """Answers requests in turn as `answers` say, then always like the last: `with Peer(RESET, Answer()) as peer:`."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = deque(answers or (Answer(),))
        self.requests: list[Request] = []
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def then(self, *answers: Answer) -> None:
        """Replace what is still to come."""
        with self._lock:
            self._answers = deque(answers)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        # Wakes the thread in accept(), which closing alone does not.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._connections:
            _shut(connection)
        for thread in self._threads:
            thread.join(5)

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._done.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.append(connection)
            self._start(self._converse, connection, len(self._connections))

    def _converse(self, connection: socket.socket, number: int) -> None:
        try:
            with connection, connection.makefile("rb") as stream:
                while self._answer(connection, stream, number):
                    pass
        except (OSError, ValueError):
            return

    def _answer(self, connection: socket.socket, stream: object, number: int) -> bool:
        """Deal with one request; tell whether the connection stays."""
        request = _read(stream, number)
        if request is None:
            return False
        with self._lock:
            self.requests.append(request)
            answer = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
        if answer.hang or (answer.delay and self._done.wait(answer.delay)):
            self._done.wait()
            return False
        if answer.reset:
            # Not lingering makes close() send RST instead of FIN.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if answer.close:
            return False
        connection.sendall(answer.raw or _render(answer, request.method))
        return not answer.raw and answer.cut < 0


def _read(stream: object, number: int) -> Request | None:
    readline, read = stream.readline, stream.read  # type: ignore[attr-defined]
    words = readline().decode("latin-1").split()
    if len(words) != 3:
        return None
    headers: dict[str, str] = {}
    while line := readline().decode("latin-1").strip():
        key, _, value = line.partition(":")
        headers[key.lower()] = value.strip()
    return Request(words[0], words[1], headers, read(int(headers.get("content-length", 0))), number)


def _render(answer: Answer, method: str) -> bytes:
    headers = {"Content-Type": "application/json", "Content-Length": str(len(answer.body)), **answer.headers}
    lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    body = answer.body if answer.cut < 0 else answer.body[: answer.cut]
    return f"HTTP/1.1 {answer.status} Status\r\n{lines}\r\n".encode("latin-1") + (b"" if method == "HEAD" else body)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # closed already
