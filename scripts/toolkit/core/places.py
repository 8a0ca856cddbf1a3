"""Where the toolkit keeps things outside of projects."""

from __future__ import annotations

import os
from pathlib import Path


def cache_root() -> Path:
    """Return the toolkit's directory below `$XDG_CACHE_HOME` (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "python-common"
