"""Which system this is, or another one: os-release(5)."""

from __future__ import annotations

import shlex
from pathlib import Path

#: The first that is there counts.
_FILES = (Path("/etc/os-release"), Path("/usr/lib/os-release"))


def read() -> dict[str, str]:
    """Return the values of this machine's file; nothing where it has none (macOS, say)."""
    path = next(filter(Path.is_file, _FILES), None)
    return parse(path.read_text(encoding="utf-8")) if path else {}


def parse(text: str) -> dict[str, str]:
    """Return the values of such a file by their names; it is quoted as for a shell."""
    return dict(word.partition("=")[::2] for word in shlex.split(text, comments=True))
