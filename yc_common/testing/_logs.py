"""What was logged, as events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from yc_common.logging._limit import Limiter
from yc_common.logging._logger import tell_held
from yc_common.logging._state import state


class CapturedLogs(list[dict[str, Any]]):
    """Events in the order they were logged, masked as they would have been."""

    def find(self, **fields: Any) -> list[dict[str, Any]]:
        """Return the events that have all these fields: `logs.find(event="ready")`."""
        return [event for event in self if all(key in event and event[key] == value for key, value in fields.items())]

    def one(self, **fields: Any) -> dict[str, Any]:
        """Return the only event that has all these fields; raises `AssertionError`."""
        found = self.find(**fields)
        assert len(found) == 1, f"{len(found)} events with {fields} instead of one, in {[e['event'] for e in self]}"
        return found[0]


@contextmanager
def captured_logs(level: int = 10) -> Iterator[CapturedLogs]:
    """Keep what is logged in the block, from `level` (a number of the standard library) on, instead of writing it."""
    logs = CapturedLogs()
    before = (state.capture, state.threshold, state.level, state.levels, state.limiter)
    state.capture, state.threshold, state.level = logs.append, level, level
    state.levels, state.limiter = {}, Limiter(0, 1)
    try:
        yield logs
    finally:
        tell_held()
        state.capture, state.threshold, state.level, state.levels, state.limiter = before
