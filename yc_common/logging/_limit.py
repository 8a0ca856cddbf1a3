"""A limit for floods: so many lines of one kind in so many seconds, the rest counted."""

from __future__ import annotations

Key = tuple[str, str | None]

#: Kinds remembered at once; texts that hold numbers make a new kind each.
_KINDS = 4096
#: All kinds of one logger together may be this many times as many as one kind.
_TOGETHER = 10


class Limiter:
    """Decides which lines pass. Not exact between threads: a line more or less does not matter here."""

    def __init__(self, lines: int, seconds: float) -> None:
        self._lines, self._seconds = lines, max(seconds, 0.001)
        self._windows: dict[Key, list[float]] = {}
        self._held: dict[Key, int] = {}
        self._sweep = 0.0

    def passes(self, logger: str, event: str, now: float) -> bool:
        """Count a line of this kind and tell whether it may be written."""
        if not self._lines:
            return True
        key = (logger, event)
        return self._count(key, now, self._lines) and self._count((logger, None), now, self._lines * _TOGETHER)

    def _count(self, key: Key, now: float, most: int) -> bool:
        window = self._windows.get(key)
        if window is None or not 0 <= now - window[0] < self._seconds:
            if len(self._windows) >= _KINDS:
                self._windows.clear()
            self._windows[key] = [now, 1]
            return True
        window[1] += 1
        if window[1] <= most:
            return True
        self._held[key] = self._held.get(key, 0) + 1
        return False

    def due(self, now: float) -> bool:
        """Tell whether it is time to say what was held back."""
        return bool(self._held) and not 0 <= now - self._sweep < self._seconds

    def held(self, now: float) -> dict[Key, int]:
        """Return how many lines of which kind were held back since the last call; kind None is all of a logger's."""
        self._sweep = now
        held, self._held = self._held, {}
        return held
