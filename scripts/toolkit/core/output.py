"""What a command prints: its lines as they come, and as much of it as a message can show."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from selectors import EVENT_READ, DefaultSelector

from toolkit.core.errors import UserError

_CHUNK = 1 << 16
_INTERVAL = 0.1  # seconds between two looks whether a silent command still runs
_DRAIN = 0.5  # seconds for what is in the pipes when it has ended

#: Takes the bytes of a pipe as they come.
Sink = Callable[[bytes], object]


class Excerpt:
    """The beginning and the end of an output, of at most `limit` bytes each; what is between them is counted only."""

    def __init__(self, limit: int = 1 << 19) -> None:
        self._limit = limit
        self._head, self._tail, self._dropped = bytearray(), bytearray(), 0

    def add(self, chunk: bytes) -> None:
        """Take what comes next."""
        room = self._limit - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        # Not with every chunk: it moves all that is kept.
        if len(self._tail) > 2 * self._limit:
            self._dropped += len(self._tail) - self._limit
            del self._tail[: -self._limit]

    def text(self) -> str:
        """Return it as text, with a line in the place of what was dropped."""
        gap = f"\n[... {self._dropped} bytes are left out here ...]\n".encode() if self._dropped else b""
        return (self._head + gap + self._tail).decode("utf-8", "replace")


class Whole:
    """All of an output that is data. Raises `UserError` where `program` prints more than `limit` bytes."""

    def __init__(self, program: str, limit: int) -> None:
        self._program, self._limit = program, limit
        self.data = bytearray()

    def add(self, chunk: bytes) -> None:
        """Take what comes next."""
        self.data += chunk
        if len(self.data) > self._limit:
            raise UserError(
                f"{self._program} prints more than {self._limit >> 20} MiB, which no sound input makes it do",
                "see `V=2` for the command, and look at what it reads",
            )


class Lines:
    """Calls a function with each line of an output, in pieces where a line is very long."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell, self._rest = tell, b""

    def add(self, chunk: bytes) -> None:
        """Take what comes next."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _CHUNK:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._tell(line.decode("utf-8", "replace").removesuffix("\r"))

    def close(self) -> None:
        """Take the last line, which may have no end."""
        if self._rest:
            self.add(b"\n")


def pump(sinks: Mapping[int, Sink], has_ended: Callable[[float], bool]) -> None:
    """Give each pipe's bytes to its sink until a command has ended, and what is in the pipes then.

    What the command has left running may hold its pipes open, and write to them, for ever. `has_ended` tells whether
    the command has ended, waiting for that for as many seconds; it is asked all the time.
    """
    with DefaultSelector() as selector:
        for descriptor in sinks:
            selector.register(descriptor, EVENT_READ)
        for ready in _until_ended(selector, has_ended):
            chunk = os.read(ready, _CHUNK)
            if chunk:
                sinks[ready](chunk)
            else:
                selector.unregister(ready)


def _until_ended(selector: DefaultSelector, has_ended: Callable[[float], bool]) -> Iterator[int]:
    """Yield the pipes that can be read."""
    while not has_ended(0 if selector.get_map() else _INTERVAL):
        if selector.get_map():
            yield from (key.fd for key, _ in selector.select(_INTERVAL))
    limit = time.monotonic() + _DRAIN
    while (ready := selector.select(0)) and time.monotonic() < limit:
        yield from (key.fd for key, _ in ready)
