"""The logger that services use: structlog's interface, without the 30 ms that importing structlog takes."""

from __future__ import annotations

import sys
import time
from typing import Any, Self

from yc_common import _secrets
from yc_common.logging import _context
from yc_common.logging._render import Event, plain
from yc_common.logging._state import LEVELS, state

_CONTAINERS = (dict, list, tuple)


def complete(level: str, fields: Event) -> Event | None:
    """Make a complete event of a log call, or nothing when it is not to be written."""
    now = time.time()
    name, event = fields.get("logger", ""), fields["event"]
    kind = fields.pop("_kind", event)
    if state.levels and not state.wants(name, LEVELS[level]):
        return None
    if not state.limiter.passes(name, kind if isinstance(kind, str) else "", now):
        return None
    if state.limiter.due(now):
        _tell_held(now)
    whole: Event = {"time": state.timestamp(now), "level": level, "event": event, **_context.fields.get(), **fields}
    error = whole.pop("exc_info", None)
    if error:
        whole["exception"] = format_exception(error)
    for key, value in whole.items():
        if _secrets.is_sensitive(key):
            whole[key] = _secrets.MASK
        elif isinstance(value, _CONTAINERS):
            whole[key] = mask_names(value)
    return whole


def mask_names(value: Any, depth: int = 0) -> Any:
    """Return the value with everything masked that has a telling name, through mappings and lists."""
    if depth > 20:
        return "…"
    if isinstance(value, dict):
        return {
            key if isinstance(key, (str, int)) else str(plain(key)): _secrets.MASK
            if isinstance(key, str) and _secrets.is_sensitive(key)
            else mask_names(one, depth + 1)
            for key, one in value.items()
        }
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
        state.write(
            {
                "time": state.timestamp(now),
                "level": "warning",
                "event": "log lines were held back",
                "logger": name,
                "held": count,
                **({"held_event": kind} if kind is not None else {}),
            }
        )


def tell_held() -> None:
    """Say what the limit held back and nothing has told of yet."""
    _tell_held(time.time())


class Logger:
    """Logs events with fields: `log.info("order placed", order=7)`. No method ever raises or waits."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Event) -> None:
        self._fields = fields

    def debug(self, event: str, /, **fields: Any) -> None:
        """Log what only a developer wants to see."""
        if state.threshold <= 10:
            self.emit("debug", event, fields)

    def info(self, event: str, /, **fields: Any) -> None:
        """Log what happened as it should."""
        if state.threshold <= 20:
            self.emit("info", event, fields)

    def warning(self, event: str, /, **fields: Any) -> None:
        """Log what somebody should look at some time."""
        if state.threshold <= 30:
            self.emit("warning", event, fields)

    def error(self, event: str, /, **fields: Any) -> None:
        """Log what went wrong; `exc_info=error` adds a traceback."""
        if state.threshold <= 40:
            self.emit("error", event, fields)

    def critical(self, event: str, /, **fields: Any) -> None:
        """Log what ends the service."""
        self.emit("critical", event, fields)

    def exception(self, event: str, /, **fields: Any) -> None:
        """Log an error with the traceback of the exception being handled."""
        self.emit("error", event, {"exc_info": True, **fields})

    def log(self, level: str, event: str, /, **fields: Any) -> None:
        """Log at a level given by its name."""
        if state.threshold <= LEVELS.get(level, 50):
            self.emit(level if level in LEVELS else "critical", event, fields)

    def bind(self, **fields: Any) -> Self:
        """Return a logger that adds these fields to every line."""
        return type(self)({**self._fields, **fields})

    def emit(self, level: str, event: str, fields: Event) -> None:
        """Log at a level, whatever the threshold; a field `_kind` is the text that floods are told by."""
        try:
            whole = complete(level, {**self._fields, **fields, "event": event})
            if whole is not None:
                state.write(whole)
        except Exception as error:
            state.write(
                {
                    "time": state.timestamp(time.time()),
                    "level": level,
                    "event": event,
                    "log_failure": type(error).__name__,
                }
            )


def get(name: str = "", **fields: Any) -> Logger:
    """Return a logger; `name` is usually `__name__`. It may be made before `setup()`."""
    return Logger({"logger": name, **fields})
