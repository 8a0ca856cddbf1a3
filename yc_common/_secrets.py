"""What must never be printed: the values of secrets, and the names that announce one."""

from __future__ import annotations

import re
import threading
from functools import lru_cache

#: What is printed in place of a secret.
MASK = "***"

#: Shorter values would mask half of every line ("on", "42"); they are masked by name and type only.
_SHORTEST = 6

_NAMES = re.compile(
    r"(?:^|[_\-. ])(?:pass(?:word|wd|phrase)?|secret|token|credentials?|authorization|cookie|private[_\-]?key"
    r"|api[_\-]?key|access[_\-]?key|session[_\-]?key|dsn)s?(?:$|[_\-. ])",
    re.IGNORECASE,
)

_lock = threading.Lock()
_values: tuple[bytes, ...] = ()


@lru_cache(maxsize=4096)
def is_sensitive(name: str) -> bool:
    """Tell whether a key of this name usually holds a secret (`password`, `api_key`, `auth-token`)."""
    return _NAMES.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)) is not None


def remember(value: str) -> None:
    """Have `value` masked wherever it turns up in a log line, as it is and as JSON spells it."""
    global _values
    needles = {needle for part in (value, *value.splitlines()) for needle in _spellings(part) if len(part) >= _SHORTEST}
    with _lock:
        # Longest first, so that a secret which contains another one is masked whole.
        _values = tuple(sorted({*_values, *needles}, key=lambda needle: (-len(needle), needle)))


def masked(line: bytes) -> bytes:
    """Return the line with every remembered value replaced by `***`."""
    for value in _values:
        if value in line:
            line = line.replace(value, MASK.encode())
    return line


def _spellings(text: str) -> set[bytes]:
    import json

    plain = text.encode("utf-8", "surrogateescape")
    return {
        plain,
        json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "surrogateescape"),
        json.dumps(text)[1:-1].encode(),
        repr(text)[1:-1].encode("utf-8", "surrogateescape"),
    }
