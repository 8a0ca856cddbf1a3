"""An event to the bytes of a line: JSON, text for people, or journald's fields."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from yc_common import _secrets

Event = dict[str, Any]
Render = Callable[[Event], bytes]

_PRIORITIES = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
#: Fields that mean something to journald; an event's own field of that name gets a prefix.
_JOURNAL_OWN = re.compile(r"MESSAGE(_ID)?|PRIORITY|SYSLOG_.*|OBJECT_.*|COREDUMP.*|INVOCATION_ID|UNIT|_.*")
_IN_HEAD = ("event", "level", "time")
#: Longest line, and longest value once a line is longer than that.
_LONGEST_LINE, _LONGEST_VALUE = 256 << 10, 8 << 10


def plain(value: object) -> object:
    """Turn a value that JSON has no form for into its text; never raises."""
    try:
        return repr(value) if isinstance(value, (BaseException, type)) else str(value)
    except Exception as error:
        return f"<{type(value).__name__}: {type(error).__name__} while printing it>"


_encode = msgspec.json.Encoder(enc_hook=plain).encode


def json_line(event: Event) -> bytes:
    """Return the event as one line of JSON."""
    try:
        line = _encode(event)
    except Exception:  # a number of 100 digits, a key that is no text, a list that holds itself
        line = _encode({str(plain(key)): _clean(plain(value)) for key, value in event.items()})
    if len(line) > _LONGEST_LINE:
        line = _encode({key: _cut(value) for key, value in event.items()})
    return _secrets.masked(line) + b"\n"


def _clean(value: object) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()


def _cut(value: object) -> object:
    if isinstance(value, (bool, int, float)):
        return value
    text = _clean(value if isinstance(value, str) else plain(value))
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}… ({len(text)} characters)"


def text_renderer(colors: bool) -> Render:
    """Return what renders events for a person: time, level, event, fields, and a traceback below them."""
    from structlog.dev import ConsoleRenderer, plain_traceback

    console = ConsoleRenderer(colors=colors, timestamp_key="time", exception_formatter=plain_traceback)

    def render(event: Event) -> bytes:
        level = event["level"]
        shown = {
            key: value if isinstance(value, (int, float, type(None))) else _harmless(str(plain(value)))
            for key, value in event.items()
        }
        line = str(console(None, level, {**shown, "time": event["time"][11:23]}))
        return _secrets.masked(line.encode("utf-8", "backslashreplace")) + b"\n"

    return render


def _harmless(text: str) -> str:
    """Spell out control characters: what is logged must not steer a terminal."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]", lambda found: repr(found[0])[1:-1], text)


def journal_renderer(identifier: str) -> Render:
    """Return what renders events as journald's native fields."""
    head = b"SYSLOG_IDENTIFIER=" + identifier.encode() + b"\n"

    def render(event: Event) -> bytes:
        parts = [head, b"PRIORITY=%d\n" % _PRIORITIES.get(event["level"], 6), _field("MESSAGE", _message(event))]
        parts += [_field(_journal_name(key), value) for key, value in event.items() if key not in _IN_HEAD]
        return b"".join(parts)

    return render


def _message(event: Event) -> str:
    """Return what `journalctl` shows in its usual form: the event with its fields, then a traceback."""
    fields = [
        f"{key}={_text(value)}"
        for key, value in event.items()
        if key not in _IN_HEAD and key not in ("logger", "exception")
    ]
    line = " ".join([_text(event.get("event", "")), *fields])
    return f"{line}\n{event['exception']}" if "exception" in event else line


@lru_cache(maxsize=1024)
def _journal_name(key: str) -> str:
    name = re.sub(r"[^A-Z0-9_]", "_", key.upper())[:56].strip("_") or "FIELD"
    return f"FIELD_{name}" if _JOURNAL_OWN.fullmatch(name) or name[0].isdigit() else name


def _field(name: str, value: object) -> bytes:
    data = _secrets.masked(_text(value).encode("utf-8", "backslashreplace"))
    if b"\n" not in data:
        return b"%b=%b\n" % (name.encode(), data)
    return b"%b\n%b%b\n" % (name.encode(), struct.pack("<Q", len(data)), data)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list, tuple, set)):
        try:
            return _encode(value).decode()
        except Exception:
            return str(plain(value))
    return str(plain(value))
