"""Where the toolkit keeps things outside of projects."""

from __future__ import annotations

import os
from pathlib import Path

from toolkit.core.errors import UserError


def cache_root() -> Path:
    """Return the toolkit's directory below `$XDG_CACHE_HOME`, which counts only if it is absolute, or `~/.cache`.

    Raises `UserError` for who has neither. https://specifications.freedesktop.org/basedir/latest/
    """
    for base in (os.environ.get("XDG_CACHE_HOME", ""), os.path.expanduser("~/.cache")):
        if os.path.isabs(base):
            return Path(base) / "python-common"
    raise UserError("there is no home directory to keep the cache in", "name another one: XDG_CACHE_HOME=/a/directory")
