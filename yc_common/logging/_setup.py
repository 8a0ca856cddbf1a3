"""Put logging in force for the process: the form, the way out, and everything that others log."""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from types import TracebackType
from typing import Any

from yc_common.logging._logger import Logger, get, tell_held
from yc_common.logging._state import LEVELS, LogSettings, attributes_of_every_record, standard_level, state

_PLAIN = attributes_of_every_record()


def setup(settings: LogSettings | None = None, *, service: str = "", descriptor: int = 2, capture: bool = True) -> None:
    """Log as the settings say, to standard error unless another file `descriptor` is given.

    `capture` also takes in the standard library's loggers, warnings, structlog's own loggers and uncaught exceptions.
    May be called again, as after a reload; loggers that exist follow.
    """
    settings = settings or LogSettings()
    state.open(settings, service, descriptor)
    apply(settings)
    if capture:
        _capture()
    atexit.unregister(flush)
    atexit.register(flush, 1.0)


def apply(settings: LogSettings) -> None:
    """Put other levels and limits in force; the form and the way out stay."""
    for name in state.levels:
        logging.getLogger(name).setLevel(logging.NOTSET)
    state.apply(settings)
    logging.getLogger().setLevel(state.level)
    for name, level in state.levels.items():
        logging.getLogger(name).setLevel(level)


def flush(seconds: float = 1.0) -> bool:
    """Wait at most `seconds` until everything logged so far is out; tell whether it is."""
    tell_held()
    return state.sink.flush(seconds) if state.sink else True


def lost() -> int:
    """Return how many lines the way out has lost and could not yet tell of."""
    return state.sink.lost if state.sink else 0


class StandardHandler(logging.Handler):
    """Takes what the standard library's loggers log into the same stream."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record; its `extra` becomes fields. Floods are told by the text before its values are put in."""
        try:
            fields: dict[str, Any] = {key: value for key, value in record.__dict__.items() if key not in _PLAIN}
            if record.exc_info:
                fields["exc_info"] = record.exc_info
            fields.update(logger=record.name, _kind=str(record.msg))
            _standard.emit(standard_level(record.levelno), _message(record), fields)
        except RecursionError:
            raise
        except Exception as error:
            get(record.name).error("a log record that cannot be read", record=repr(error))


_standard = Logger({})


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # the text and its values do not fit: say so, with both
        return f"{record.msg!s} {record.args!r} ({type(error).__name__}: {error})"


def _capture() -> None:
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, StandardHandler) or type(handler) is logging.StreamHandler:
            root.removeHandler(handler)
    root.addHandler(StandardHandler())
    logging.captureWarnings(True)
    if "structlog" in sys.modules:  # a service that uses it by itself has imported it by now
        _capture_structlog()
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _capture_structlog() -> None:
    import structlog

    def take(logger: object, method: str, fields: Any) -> Any:
        event = fields.pop("event", "")
        level = method if method in LEVELS else "info"
        if LEVELS[level] >= state.threshold:
            _standard.emit(level, event, {"logger": "structlog", **fields})
        raise structlog.DropEvent

    structlog.configure(
        processors=[take],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        context_class=dict,
        cache_logger_on_first_use=False,
    )


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    get("python").critical("uncaught exception", exc_info=(kind, error, trace))


def _uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_type is not SystemExit and arguments.exc_value is not None:
        name = arguments.thread.name if arguments.thread else "?"
        get("python").critical("uncaught exception in a thread", thread=name, exc_info=arguments.exc_value)
