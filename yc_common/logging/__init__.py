"""Structured logs: events with fields, readable on a terminal, JSON elsewhere, journald's own fields under systemd.

    log = logging.get(__name__)
    with logging.context(request_id=logging.new_id()):
        log.info("order placed", order=7)

Works without any set-up; `setup()` puts a service's settings in force and takes in what other libraries log. Secrets
are masked by value (every `config.Secret`) and by name; a log call never raises and never waits for the one who reads.
"""

from yc_common._secrets import remember as mask
from yc_common.logging._context import bind, context, current, new_id, operation, request_id
from yc_common.logging._logger import Logger, get
from yc_common.logging._setup import apply, flush, lost, setup
from yc_common.logging._state import Format, Level, LogSettings

__all__ = [
    "Format",
    "Level",
    "LogSettings",
    "Logger",
    "apply",
    "bind",
    "context",
    "current",
    "flush",
    "get",
    "lost",
    "mask",
    "new_id",
    "operation",
    "request_id",
    "setup",
]
