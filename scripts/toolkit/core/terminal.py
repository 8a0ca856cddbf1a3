"""Lines at the bottom of a terminal that are drawn again in place, while messages scroll by above them.

Between two drawings the cursor rests at the start of the first of these lines. So whatever comes next (a message, the
`^C` that a terminal echoes, the shell's prompt after a kill) stands there, and clearing what is below the cursor
removes them all, also when the terminal has become narrower and has broken them.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import unicodedata
from collections.abc import Callable
from typing import TextIO

from toolkit.core import foreign_text, secrets

_CLEAR = "\r\x1b[J"
_INTERVAL = 0.1  # seconds between two drawings
_TAB = 8  # cells
_ROWS = 12  # at most: the rest of the terminal is for messages

#: Returns the lines to show now; called for each drawing.
Source = Callable[[], list[str]]

_lock = threading.Lock()
_sources: list[Source] = []
_drawn = False
_over = threading.Event()


def is_live() -> bool:
    """Tell whether standard output is a terminal on which lines can be drawn again."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def write(stream: TextIO, text: str) -> None:
    """Print a message, without what a terminal obeys and the passwords of URLs; lines that are drawn make room."""
    with _lock:
        _clear()
        print(foreign_text.plain(secrets.without_secrets(text, "***")), file=stream, flush=True)
        _draw()


def show(source: Source) -> None:
    """Begin to draw the lines of a source."""
    global _over
    with _lock:
        _sources.append(source)
        if len(_sources) == 1:
            _over = threading.Event()
            threading.Thread(target=_tick, args=(_over,), daemon=True).start()


def hide(source: Source) -> None:
    """Take the lines of a source off the terminal."""
    with _lock:
        _sources.remove(source)
        if not _sources:
            _over.set()
        _clear()
        _draw()


def _tick(over: threading.Event) -> None:
    # What is over within the first interval is never drawn.
    while not over.wait(_INTERVAL):
        with _lock:
            if not over.is_set():
                _draw()


def _clear() -> None:
    global _drawn
    if _drawn:
        _drawn = False
        _put(_CLEAR)


def _draw() -> None:
    global _drawn
    lines = [line for source in _sources for line in source()]
    if lines:
        columns, rows = size()
        _drawn = True
        _put(frame(lines, columns, rows))


def _put(text: str) -> None:
    # A terminal that is gone is no reason to stop the work; the next message says so.
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(text.encode(sys.stdout.encoding, "replace").decode(sys.stdout.encoding))
        sys.stdout.flush()


def size() -> tuple[int, int]:
    """Return the columns and rows of the terminal as it is now; a terminal that does not know has 80 and 24."""
    try:
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        columns, rows = 0, 0
    return columns or 80, rows or 24


def frame(lines: list[str], columns: int, rows: int) -> str:
    """Return what draws these lines over the last ones, in a terminal of this size, and puts the cursor back."""
    limit = max(1, min(_ROWS, rows - 1))
    if len(lines) > limit:
        lines = [*lines[: limit - 1], f"          and {len(lines) - limit + 1} more"] if limit > 1 else lines[:1]
    # A character in the last column would leave the cursor in a state of its own.
    body = "\n".join(cut(line, columns - 1) for line in lines)
    return f"{_CLEAR}{body}\r" + (f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else "")


def cut(text: str, width: int) -> str:
    """Return as much of a text as fits into this many cells of a terminal, without what would move the cursor."""
    result, used = "", 0
    for character in (c if c.isprintable() else " " for c in text):
        used += _cells(character)
        if used > width:
            break
        result += character
    return result


def rows(stream: TextIO, text: str, used: int) -> list[str]:
    """Return the rows that a line takes on a terminal after `used` cells of each; elsewhere it is one."""
    width = size()[0] - used
    if not stream.isatty() or width < 1:
        return [text]
    found, left = [""], width
    for character in text.expandtabs(_TAB):
        left -= _cells(character)
        if left < 0:
            found.append("")
            left = width - _cells(character)
        found[-1] += character
    return found


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
