"""Text of others, as it may be shown: a terminal obeys control characters, and people believe what a line says."""

from __future__ import annotations

import re

#: C0 and C1 but for the tab and the line feed, what else ends lines for some viewers (U+2028, U+2029), and what turns
#: the direction of text (https://trojansource.codes).
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    r"""Return a text with its control characters as text (`\x1b`); lines stay lines."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text.replace("\r\n", "\n"))


def one_line(text: str, longest: int = 120) -> str:
    r"""Return a text on one line, characters that cannot be seen as text (`\n`), cut after so many characters."""
    if len(text) <= longest and text.isprintable():
        return text
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: longest + 1])
    return f"{shown[:longest]}..." if len(shown) > longest else shown


def quoted(text: str) -> str:
    """Return a text on one line between backquotes."""
    return f"`{one_line(text)}`"
