"""A clock that stands still until it is told to move."""

from __future__ import annotations

import asyncio
import heapq


class FakeClock:
    """Stands in for `time.monotonic` (call it) and `asyncio.sleep` (its `sleep`).

    With `auto`, each sleep moves the clock on at once; else `advance()` does and wakes the sleepers that are due.
    """

    def __init__(self, start: float = 1000.0, *, auto: bool = False) -> None:
        self.now = start
        self.slept: list[float] = []
        """Every sleep that was asked for, in seconds."""
        self._auto = auto
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has moved on by `seconds`."""
        self.slept.append(seconds)
        if self._auto:
            self.now += seconds
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, len(self.slept), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move the clock on, and let those run whose sleep is over."""
        self.now += seconds
        while self._sleepers and self._sleepers[0][0] <= self.now:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
        for _ in range(5):
            await asyncio.sleep(0)
