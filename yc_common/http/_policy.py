"""When to try again, and when to leave a peer alone."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable

import msgspec

#: RFC 9110: repeating these has the effect of doing them once.
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
#: Statuses that say "not now" rather than "no".
TEMPORARY = frozenset({429, 502, 503, 504})


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often and after what pause a request is tried again.

    Pauses grow from `first` to `longest` seconds, each drawn evenly between 0 and that (full jitter), unless the peer
    names one with Retry-After. The budget bounds the load that retries add when a peer is down for all: each request
    earns `budget` of a retry, and at most `reserve` can be saved.
    """

    attempts: int = 3
    first: float = 0.1
    longest: float = 2.0
    budget: float = 0.1
    reserve: float = 10.0

    def pause(self, attempt: int, retry_after: float | None, draw: Callable[[], float] = random.random) -> float:
        """Return the seconds to wait after the failed attempt of this number (from 1)."""
        if retry_after is not None:
            return retry_after
        return float(draw() * min(self.longest, self.first * 2 ** min(attempt - 1, 30)))


class Budget:
    """The retries that one client may still make."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._saved = policy.reserve

    def earn(self) -> None:
        """Count a request."""
        self._saved = min(self._policy.reserve, self._saved + self._policy.budget)

    def spend(self) -> bool:
        """Take one retry, and tell whether there was one."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True


class BreakerPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When a peer is left alone: of its last `window` requests at least `least`, and this `share` of them, failed.

    After `pause` seconds one request is let through; its outcome decides for all. `window` 0 turns it off.
    """

    window: int = 20
    least: int = 10
    share: float = 0.5
    pause: float = 5.0


class Breaker:
    """Keeps requests from a peer that does not answer them: it gets time to recover, callers an answer at once."""

    def __init__(self, policy: BreakerPolicy, clock: Callable[[], float]) -> None:
        self._policy, self._clock = policy, clock
        self._outcomes: deque[bool] = deque(maxlen=max(policy.window, 1))
        self._until = 0.0
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether requests are being kept back."""
        return self._until > 0

    def wait(self) -> float:
        """Return 0 when a request may be made (it must then be `report`ed or `forget`-ed), else seconds to wait."""
        if not self.is_open:
            return 0.0
        left = self._until - self._clock()
        if left > 0:
            return left
        if self._probing:
            return self._policy.pause
        self._probing = True
        return 0.0

    def report(self, success: bool) -> None:
        """Count the outcome of a request."""
        if self.is_open:
            if not self._probing:
                return  # began before it opened
            self._probing = False
            self._until = 0.0 if success else self._clock() + self._policy.pause
            self._outcomes.clear()
            return
        self._outcomes.append(success)
        failed = self._outcomes.count(False)
        if (
            self._policy.window
            and len(self._outcomes) >= self._policy.least
            and failed >= self._policy.share * len(self._outcomes)
        ):
            self._until = self._clock() + self._policy.pause
            self._outcomes.clear()

    def forget(self) -> None:
        """Take back a request that ended without saying anything about the peer, such as a cancelled one."""
        self._probing = False
