"""Between the service and the way out: a line is sent at once, or kept in bounded memory; nobody ever waits for it."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable

from yc_common.logging._channel import Channel

#: Bytes kept while the way out is full.
CAPACITY = 4 << 20


class Sink:
    """Sends lines without waiting.

    What the channel refuses for now is kept, up to `capacity` bytes, and sent in order by a thread that lives as long
    as there is something to send; what does not fit is counted, and `lost_lines(count)` gives the line that says so.
    A channel that fails for good (a reader that went away, a full disk) loses lines, never the service.
    """

    def __init__(
        self, channel: Channel, capacity: int = CAPACITY, lost_lines: Callable[[int], bytes] | None = None
    ) -> None:
        self._channel = channel
        self._capacity = capacity
        self._lost_lines = lost_lines
        self._lost = 0
        self._closed = False
        self._begin()
        _living.add(self)

    def _begin(self) -> None:
        # Reentrant: a signal handler or a finalizer may log while its own thread is in here.
        self._lock = threading.RLock()
        self._kept: deque[bytes] = deque()
        self._size = 0
        self._thread: threading.Thread | None = None
        self._empty = threading.Event()
        self._empty.set()

    @property
    def lost(self) -> int:
        """How many lines have been lost and not yet been told of."""
        return self._lost

    def write(self, line: bytes) -> None:
        """Send a line, or keep it; never waits and never raises."""
        with self._lock:
            if self._closed:
                self._lost += 1
            elif not self._kept:
                lost = self._lost
                rest = self._send(line)
                if lost and lost == self._lost and not rest:
                    rest = self._tell()
                if rest:
                    self._keep(rest)
            elif self._size + len(line) <= self._capacity:
                self._keep(line)
            else:
                self._lost += 1

    def _send(self, data: bytes) -> bytes:
        """Send what can be sent and return the rest."""
        try:
            while data:
                data = data[self._channel.send(data) :]
        except (BlockingIOError, InterruptedError):
            return data
        except (OSError, ValueError):
            self._lost += 1
        return b""

    def _keep(self, data: bytes) -> None:
        self._kept.append(data)
        self._size += len(data)
        self._empty.clear()
        if self._thread is None:
            self._thread = threading.Thread(target=self._drain, name="log drain", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # no more threads, or the interpreter is ending; flush() still tries
                self._thread = None

    def _drain(self) -> None:
        while True:
            with self._lock:
                if self._closed or self._step():
                    self._thread = None
                    return
            self._channel.wait(0.5)

    def _step(self) -> bool:
        """Send what was kept; tell whether all of it went."""
        while self._kept:
            data = self._kept.popleft()
            self._size -= len(data)
            rest = self._send(data)
            if not rest and not self._kept:
                rest = self._tell()
            if rest:
                self._kept.appendleft(rest)
                self._size += len(rest)
                return False
        self._empty.set()
        return True

    def _tell(self) -> bytes:
        """Say how many lines were lost, if any were; return what of that line is still to be sent."""
        told, self._lost = self._lost, 0
        if not told or not self._lost_lines:
            return b""
        rest = self._send(self._lost_lines(told))
        if self._lost:  # the way out takes nothing at all: tell it when it does
            self._lost = told
        return rest

    def flush(self, seconds: float) -> bool:
        """Wait until all that was kept has been sent; tell whether it was."""
        deadline = time.monotonic() + seconds
        while not self._empty.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self._thread is None:
                with self._lock:
                    self._step()
            self._empty.wait(min(left, 0.05))
        return True

    def close(self, seconds: float = 1.0) -> None:
        """Flush for at most `seconds`, then give up the channel."""
        self.flush(seconds)
        with self._lock:
            self._kept.clear()
            self._empty.set()
            if not self._closed:
                self._closed = True
                self._channel.close()


_living: weakref.WeakSet[Sink] = weakref.WeakSet()


def _after_fork() -> None:
    """Start anew in a child: the parent sends what was kept, and its lock may have been held."""
    for sink in list(_living):
        sink._begin()


os.register_at_fork(after_in_child=_after_fork)
