"""Answers that are read only as long as they come: headers have an end, and no byte may let all others wait for it.

A timeout of a socket is that of one byte, so that a server which sends one now and then could hold a run for days.
"""

from __future__ import annotations

import io
import time
from http.client import HTTPException, HTTPResponse
from typing import Any

#: Seconds.
PATIENCE = 180
#: Bytes a second, on the average, that an answer has to come with once it has taken as long as our patience.
SLOWEST = 1000
#: Bytes of a status and headers, with those of "100 Continue" before, of which a server may send any number.
_HEADERS = 1 << 20


class SlowError(OSError):
    """An answer that comes, but so slowly that it might never end."""


class PacedAnswer(HTTPResponse):
    """An answer of `http.client`, with these limits."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._paced = _Paced(self.fp.detach())
        self.fp = io.BufferedReader(self._paced)

    def begin(self) -> None:
        """Read the status and the headers."""
        super().begin()
        self._paced.is_begun = True


class _Paced(io.RawIOBase):
    """The bytes of one answer; `is_begun` once it is its body's turn."""

    def __init__(self, source: io.RawIOBase) -> None:
        super().__init__()
        self._source, self._size, self._start = source, 0, time.monotonic()
        self.is_begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._source.readinto(buffer) or 0
        self._size += count
        seconds = time.monotonic() - self._start
        if seconds > PATIENCE and self._size < SLOWEST * seconds:
            raise SlowError
        if not self.is_begun and self._size > _HEADERS:
            raise HTTPException(f"more than {_HEADERS >> 20} MiB of headers")
        return int(count)

    def close(self) -> None:
        self._source.close()
        super().close()
