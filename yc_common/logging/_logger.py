"""The logger that services use, on structlog's bound loggers."""

from __future__ import annotations

import sys
import time
from collections.abc import MutableMapping
from typing import Any, Self

import structlog

from yc_common import _secrets
from yc_common.logging import _context
from yc_common.logging._render import Event, plain
from yc_common.logging._state import LEVELS, state

_CONTAINERS = (dict, list, tuple)


def process(_: Any, level: str, fields: MutableMapping[str, Any]) -> Event:
    """Make a complete event of a log call: structlog's only processor here, so that a line costs one pass."""
    now = time.time()
    name, event = fields.get("logger", ""), fields["event"]
    kind = fields.pop("_kind", event)
    if state.levels and not state.wants(name, LEVELS[level]):
        raise structlog.DropEvent
    if not state.limiter.passes(name, kind if isinstance(kind, str) else "", now):
        raise structlog.DropEvent
    if state.limiter.due(now):
        _tell_held(now)
    complete: Event = {"time": state.timestamp(now), "level": level, "event": event}
    complete.update(_context.fields.get())
    complete.update(fields)
    error = complete.pop("exc_info", None)
    if error:
        complete["exception"] = format_exception(error)
    for key, value in complete.items():
        if _secrets.is_sensitive(key):
            complete[key] = _secrets.MASK
        elif isinstance(value, _CONTAINERS):
            complete[key] = mask_names(value)
    return complete


def mask_names(value: Any, depth: int = 0) -> Any:
    """Return the value with everything masked that has a telling name, through mappings and lists."""
    if depth > 20:
        return "…"
    if isinstance(value, dict):
        return {key if isinstance(key, (str, int)) else str(plain(key)):
                _secrets.MASK if isinstance(key, str) and _secrets.is_sensitive(key) else mask_names(one, depth + 1)
                for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask_names(one, depth + 1) for one in value]
    return value


def format_exception(error: Any) -> str:
    """Return the traceback of an exception, of `sys.exc_info()`, or (True) of the exception being handled."""
    import traceback

    if isinstance(error, BaseException):
        kind, value, trace = type(error), error, error.__traceback__
    elif isinstance(error, tuple) and len(error) == 3:
        kind, value, trace = error
    else:
        kind, value, trace = sys.exc_info()  # type: ignore[assignment]
    if value is None:
        return "no exception is being handled here"
    try:
        return "".join(traceback.format_exception(kind, value, trace, limit=-50)).rstrip()
    except Exception as fault:
        return f"{type(value).__name__}, which cannot be printed: {type(fault).__name__}"


def _tell_held(now: float) -> None:
    for (name, kind), count in state.limiter.held(now).items():
        state.write({"time": state.timestamp(now), "level": "warning", "event": "log lines were held back",
                     "logger": name, "held": count, **({"held_event": kind} if kind is not None else {})})


def tell_held() -> None:
    """Say what the limit held back and nothing has told of yet."""
    _tell_held(time.time())


class _Output:
    """What structlog calls at the end: sends the event."""

    def msg(self, **event: Any) -> None:
        state.write(event)

    debug = info = warning = error = critical = exception = fatal = warn = log = msg


OUTPUT = _Output()
PROCESSORS = (process,)


class Logger(structlog.BoundLoggerBase):
    """Logs events with fields: `log.info("order placed", order=7)`. No method ever raises or waits.

    `bind(**fields)` returns a logger that adds the fields to each of its lines.
    """

    def debug(self, event: str, /, **fields: Any) -> None:
        """Log what only a developer wants to see."""
        if state.threshold <= 10:
            self._emit("debug", event, fields)

    def info(self, event: str, /, **fields: Any) -> None:
        """Log what happened as it should."""
        if state.threshold <= 20:
            self._emit("info", event, fields)

    def warning(self, event: str, /, **fields: Any) -> None:
        """Log what somebody should look at some time."""
        if state.threshold <= 30:
            self._emit("warning", event, fields)

    def error(self, event: str, /, **fields: Any) -> None:
        """Log what went wrong; `exc_info=error` adds a traceback."""
        if state.threshold <= 40:
            self._emit("error", event, fields)

    def critical(self, event: str, /, **fields: Any) -> None:
        """Log what ends the service."""
        self._emit("critical", event, fields)

    def exception(self, event: str, /, **fields: Any) -> None:
        """Log an error with the traceback of the exception being handled."""
        self._emit("error", event, {"exc_info": True, **fields})

    def log(self, level: str, event: str, /, **fields: Any) -> None:
        """Log at a level given by its name."""
        if state.threshold <= LEVELS.get(level, 50):
            self._emit(level if level in LEVELS else "critical", event, fields)

    def bind(self, **fields: Any) -> Self:
        """Return a logger that adds these fields to every line."""
        return super().bind(**fields)

    def _emit(self, level: str, event: str, fields: dict[str, Any]) -> None:
        try:
            values = {**self._context, **fields, "event": event}
            state.write(process(None, level, values))
        except structlog.DropEvent:
            return
        except Exception as error:
            state.write({"time": state.timestamp(time.time()), "level": level, "event": event,
                         "log_failure": type(error).__name__})


def get(name: str = "", **fields: Any) -> Logger:
    """Return a logger; `name` is usually `__name__`. It may be made before `setup()`."""
    return Logger(OUTPUT, PROCESSORS, {"logger": name, **fields})
