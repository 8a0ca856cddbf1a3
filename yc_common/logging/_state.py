"""What is in force for every logger of the process; changing it changes loggers that were made before."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Literal

from yc_common.config._types import Duration, Section
from yc_common.logging import _channel, _render
from yc_common.logging._limit import Limiter
from yc_common.logging._render import Event, Render
from yc_common.logging._sink import Sink

Level = Literal["debug", "info", "warning", "error", "critical"]
Format = Literal["auto", "text", "json", "journal"]

LEVELS: dict[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


class LogSettings(Section):
    """How to log: the `log` section of a service's configuration.

    `levels` sets the level of loggers by the start of their names (`{"aiohttp": "warning"}`). `format` auto is
    journald's own under systemd, text on a terminal, JSON otherwise. Of one event of one logger at most
    `rate` lines pass in each `rate_period`, the rest are counted; 0 lets all pass.
    """

    level: Level = "info"
    levels: dict[str, Level] = {}  # noqa: RUF012 - msgspec copies it for each section
    format: Format = "auto"
    rate: int = 2000
    rate_period: Duration = Duration(10)


class State:
    """The settings in force, in the form that a log call needs."""

    def __init__(self) -> None:
        self.threshold = 20
        self.levels: dict[str, int] = {}
        self.limiter = Limiter(0, 1)
        self.render: Render = _render.json_line
        self.sink: Sink | None = None
        self.capture: Callable[[Event], None] | None = None
        self.failed = 0
        self.level = 20
        self._resolved: dict[str, int] = {}
        self._stamp = (0, "")

    def apply(self, settings: LogSettings) -> None:
        """Put levels and limits in force."""
        self.levels = {name: LEVELS[level] for name, level in settings.levels.items()}
        self.level = LEVELS[settings.level]
        self.threshold = min([self.level, *self.levels.values()])
        self._resolved = {}
        self.limiter = Limiter(settings.rate, settings.rate_period)

    def wants(self, name: str, value: int) -> bool:
        """Tell whether a logger of this name logs this level; only asked when levels differ between loggers."""
        level = self._resolved.get(name)
        if level is None:
            matches = [prefix for prefix in self.levels if name == prefix or name.startswith(f"{prefix}.")]
            level = self.levels[max(matches, key=len)] if matches else self.level
            self._resolved[name] = level
        return value >= level

    def timestamp(self, now: float) -> str:
        """Return the time as UTC with microseconds."""
        second = int(now)
        known, text = self._stamp
        if known != second:
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._stamp = second, text
        return f"{text}.{int((now - second) * 1e6):06d}Z"

    def write(self, event: Event) -> None:
        """Render an event and send it; never raises."""
        try:
            if self.capture is not None:
                self.capture(event)
            else:
                self._out().write(self.render(event))
        except Exception as error:
            self.failed += 1
            self._write_failure(event, error)

    def _write_failure(self, event: Event, error: Exception) -> None:
        try:
            text = {
                "time": event.get("time", ""),
                "level": event.get("level", ""),
                "event": _render.plain(event.get("event")),
                "log_failure": _render.plain(error),
            }
            self._out().write(_render.json_line(text))
        except Exception:
            return  # nothing is left that could be tried

    def _out(self) -> Sink:
        if self.sink is None:
            self.open(LogSettings(), "", 2)
        assert self.sink is not None
        return self.sink

    def open(self, settings: LogSettings, service: str, descriptor: int) -> None:
        """Choose the form and the way out, and put them in force."""
        chosen = settings.format if settings.format != "auto" else _detect(descriptor)
        channel: _channel.Channel
        if chosen == "journal":
            channel = _channel.JournalChannel(os.environ.get("YC_JOURNAL_SOCKET", _channel.JOURNAL))
            self.render = _render.journal_renderer(service or os.path.basename(sys.argv[0]) or "python")
        else:
            channel = _open(descriptor)
            self.render = _render.json_line if chosen == "json" else _render.text_renderer(os.isatty(descriptor))
        previous, self.sink = self.sink, Sink(channel, lost_lines=self._lost_lines)
        if previous:
            previous.close()

    def _lost_lines(self, count: int) -> bytes:
        return self.render(
            {
                "time": self.timestamp(time.time()),
                "level": "warning",
                "event": "log lines were lost",
                "logger": "yc_common.logging",
                "lost": count,
            }
        )


class _Nowhere:
    """The way out of a process without standard error."""

    def send(self, data: bytes) -> int:
        return len(data)

    def wait(self, seconds: float) -> None:
        return

    def close(self) -> None:
        return


def _open(descriptor: int) -> _channel.Channel:
    try:
        return _channel.StreamChannel(descriptor)
    except OSError:
        return _Nowhere()


def _detect(descriptor: int) -> Format:
    if _channel.under_journal(descriptor, os.environ.get("JOURNAL_STREAM", "")):
        return "journal"
    try:
        return "text" if os.isatty(descriptor) else "json"
    except OSError:
        return "json"


state = State()


def standard_level(value: int) -> str:
    """Return the name of the nearest of our levels at or below a number of the standard library."""
    for name, level in reversed(LEVELS.items()):
        if value >= level:
            return name
    return "debug"


def attributes_of_every_record() -> frozenset[str]:
    """Return what every `LogRecord` has, so that the rest is what a caller added as `extra`."""
    record: Any = logging.makeLogRecord({})
    return frozenset({*record.__dict__, "message", "asctime", "taskName"})
