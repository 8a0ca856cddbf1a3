"""Signs of life of what takes long: lines drawn again in place on a terminal, plain lines in a log."""

from __future__ import annotations

import itertools
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from toolkit.core import console, events, terminal
from toolkit.core.errors import UserError
from toolkit.core.events import Event

_LOG_INTERVAL = 10  # seconds between two lines of a log
_BAR = 20  # characters
_STEP = re.compile(r"  [A-Z]{3,8} +\S")
_numbers = itertools.count()


class Progress:
    """A count of things done out of `total`, and the things being done now, each with its seconds.

    What changes is sent as an event, except for bytes: nothing below the network line counts them.
    """

    def __init__(self, tag: str, total: int, unit: str) -> None:
        self._tag, self._total, self._unit = tag, total, unit
        self._done, self._bytes, self._name = 0, 0, ""
        self._start = self._last = time.monotonic()
        self._running: dict[str, float] = {}
        self._live, self._tells_begins = is_live(), False
        self._lock = threading.Lock()
        self._key = f"{os.getpid()}.{next(_numbers)}"
        self._send("counting", tag=tag, total=total, unit=unit)
        if self._live:
            terminal.show(self.lines)

    def expect(self, count: int) -> None:
        """Say that there is more to do than was known before."""
        self._send("expect", number=count)
        with self._lock:
            self._total += count

    def arrived(self, size: int) -> None:
        """Count bytes of what is on its way."""
        with self._lock:
            self._bytes += size

    def advance(self, name: str) -> None:
        """Count one more thing as done."""
        self._send("advance", name=name)
        with self._lock:
            self._done += 1
            self._name = name
            now = time.monotonic()
            due = not self._live and now - self._last > _LOG_INTERVAL
            if due:
                self._last = now
        if due:
            # What was told when it began is not told again.
            console.print_step(self._tag, self._counts(now) + ("" if self._tells_begins else f"  {name}"))

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Say that a thing is being done: a log says when it begins, a terminal shows it until it is done."""
        self.begin(name)
        try:
            yield
        except BaseException:
            self.end(name, well=False)
            raise
        self.end(name, well=True)

    def begin(self, name: str) -> None:
        """Say that a thing is begun; `end` follows."""
        self._send("begin", name=name)
        if not self._live:
            console.print_step(self._tag, name)
        with self._lock:
            self._tells_begins = True
            self._running[name] = time.monotonic()

    def end(self, name: str, *, well: bool) -> None:
        """Say that what was begun is over; a terminal keeps a line of what went well."""
        self._send("finish", name=name, well=well)
        with self._lock:
            start = self._running.pop(name, time.monotonic())
        if self._live and well:
            console.print_step(self._tag, f"{name} ({time.monotonic() - start:.1f} s)")

    def close(self) -> None:
        """Say that no more of it comes; a terminal shows it no longer."""
        if self._live:
            terminal.hide(self.lines)
        self._send("counted")

    def _send(self, kind: str, **values: object) -> None:
        events.send(kind, count=self._key, **values)

    def lines(self) -> list[str]:
        """Return what a terminal shows now: nothing while there is nothing to do."""
        now = time.monotonic()
        with self._lock:
            running = dict(self._running)
        if not self._total:
            return []
        head = f"  {self._tag:<8}{bar(self._done, self._total)} {self._counts(now)}"
        if not running:
            return [f"{head}  {self._name}"]
        return [head, *(f"{'':10}{name}  {duration(now - since)}" for name, since in running.items())]

    def _counts(self, now: float) -> str:
        seconds = max(now - self._start, 0.01)
        rate = f", {self._bytes / 1e6:.1f} MB at {self._bytes / 1e6 / seconds:.1f} MB/s" if self._bytes else ""
        return f"{self._done}/{self._total} {self._unit}{rate}"


def is_live() -> bool:
    """Tell whether lines are drawn in place: on a terminal, unless commands write there (V=2) or nothing may (V=0)."""
    return console.verbosity == 1 and terminal.is_live()


@contextmanager
def counting(tag: str, total: int = 0, unit: str = "files") -> Iterator[Progress]:
    """Show the progress of work on `total` things, or as many as turn up, for as long as the block runs."""
    progress = Progress(tag, total, unit)
    try:
        yield progress
    finally:
        progress.close()


@contextmanager
def watching(tag: str, name: str, also: Callable[[str], object] | None = None) -> Iterator[Callable[[str], None]]:
    """Show that a long command lives: its last line, and how long it has been running.

    The block, for as long as it runs, gets the function to call with each line; `also` gets the line first.
    """
    start = last = time.monotonic()
    shown, live = "", is_live()

    def watch(line: str) -> None:
        nonlocal shown, last
        if also:
            also(line)
        now = time.monotonic()
        if not live and _STEP.match(line):
            # A verb inside has said it to this one, which has told it.
            last = now
            return
        shown = line.strip() or shown
        if not live and now - last > _LOG_INTERVAL:
            last = now
            console.step(tag, f"{name}, {duration(now - start)}: {shown}")

    def lines() -> list[str]:
        return [f"  {tag:<8}{name}  {duration(time.monotonic() - start)}  {shown}"]

    if live:
        terminal.show(lines)
    try:
        yield watch
    finally:
        if live:
            terminal.hide(lines)


class Relay:
    """Shows what the verbs inside a command say, as if this verb said it. `error` is the last that one ended with.

    `logs` has the texts of logs that an error may name, by path: that may lead nowhere when the command has ended.
    """

    def __init__(self) -> None:
        self.error: UserError | None = None
        self.logs: dict[str, str] = {}
        self._counts: dict[str, Progress] = {}

    def receive(self, event: Event) -> None:
        """Take an event; those that nobody here knows are passed over."""
        match event:
            case {"event": "error", "what": str(what), "hint": str(hint), "details": str(details)}:
                self.error = UserError(what, hint, details)
            case {"event": "log", "path": str(path), "text": str(text)}:
                self.logs[path] = text
            case _ if console.verbosity >= 2:
                # All that the command prints is shown.
                pass
            case {"event": "step", "tag": str(tag), "text": str(text)}:
                console.step(tag, text)
            case {"event": "note", "text": str(text)}:
                console.note(text)
            case {"event": "warning", "text": str(text)}:
                console.warn(text)
            case {"event": "counting", "count": str(key), "tag": str(tag), "total": int(total), "unit": str(unit)}:
                self._counts[key] = Progress(tag, total, unit)
            case {"event": "counted", "count": str(key)} if key in self._counts:
                self._counts.pop(key).close()
            case {"count": str(key)} if key in self._counts:
                _repeat(event, self._counts[key])

    def close(self) -> None:
        """Take off the terminal what verbs that were killed have left there."""
        while self._counts:
            self._counts.popitem()[1].close()


def _repeat(event: Event, progress: Progress) -> None:
    match event:
        case {"event": "expect", "number": int(number)}:
            progress.expect(number)
        case {"event": "advance", "name": str(name)}:
            progress.advance(name)
        case {"event": "begin", "name": str(name)}:
            progress.begin(name)
        case {"event": "finish", "name": str(name), "well": bool(well)}:
            progress.end(name, well=well)


@contextmanager
def relaying() -> Iterator[Relay]:
    """Give a relay whose `receive` a command gets, for as long as the block runs."""
    relay = Relay()
    try:
        yield relay
    finally:
        relay.close()


def bar(done: int, total: int) -> str:
    """Return a bar of fixed width."""
    filled = _BAR * min(done, total) // total if total else _BAR
    return f"[{'#' * filled}{'-' * (_BAR - filled)}]"


def duration(seconds: float) -> str:
    """Return a time as `34 s`, `2 min 05 s`."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
