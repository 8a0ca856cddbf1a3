"""What came of each attack, and the table of all."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Outcome:
    """One attack: its kind, what it was, as whom (`root`, `user`), and what went wrong (empty: nothing)."""

    kind: str
    name: str
    who: str
    faults: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind}: {self.name} ({self.who}): {'; '.join(self.faults) or 'survived'}"


@dataclass
class Outcomes:
    """Outcomes as they come in, from several threads; a failure is printed at once, everything with `verbose`."""

    verbose: bool = False
    all: list[Outcome] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, outcome: Outcome) -> None:
        with self._lock:
            self.all.append(outcome)
            if outcome.faults or self.verbose:
                print(outcome, flush=True)

    @property
    def failed(self) -> list[Outcome]:
        return [outcome for outcome in self.all if outcome.faults]


def table(outcomes: Iterable[Outcome]) -> str:
    """Return the table `kind | tried | survived | what failed`, as Markdown."""
    tried: Counter[str] = Counter()
    failed: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        tried[outcome.kind] += 1
        failed.setdefault(outcome.kind, Counter()).update([outcome.name] if outcome.faults else [])
    lines = ["| kind | tried | survived | what failed |", "|---|---:|---:|---|"]
    for kind, number in tried.items():
        names = ", ".join(f"{name} x{times}" if times > 1 else name for name, times in failed[kind].items())
        lines.append(f"| {kind} | {number} | {number - failed[kind].total()} | {names} |")
    return "\n".join(lines)
