"""Suites of Debian and Ubuntu: this machine's own, and all that distro-info-data lists."""

from __future__ import annotations

import csv
import difflib
import re
from pathlib import Path

from toolkit.core import os_release
from toolkit.core.errors import UserError

_NAME = re.compile(r"[a-z][a-z0-9.+-]*")
#: The directory in which Debian's package distro-info-data has a table of each distribution.
TABLES = Path("/usr/share/distro-info")


def own() -> str:
    """Return the suite of this machine. Raises `UserError` where os-release(5) does not name it."""
    codename = os_release.read().get("VERSION_CODENAME", "")
    if not codename:
        raise UserError("/etc/os-release: no VERSION_CODENAME", "name the suite: SUITE=trixie, or SUITES=trixie")
    return codename


def known(distribution: str = "*") -> list[str]:
    """Return the suites of a distribution, `debian` or `ubuntu` (default: of all); none without distro-info-data."""
    found = []
    for path in sorted(TABLES.glob(f"{distribution}.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            found += [row["series"] for row in csv.DictReader(stream) if row.get("series")]
    return found


def distribution(suite: str) -> str:
    """Return whose suite it is, `debian` or `ubuntu`; empty where distro-info-data does not know it."""
    return next((name for name in ("debian", "ubuntu") if suite in known(name)), "")


def require_name(suite: str) -> None:
    """Raise `UserError` for what cannot be the name of a suite."""
    if not _NAME.fullmatch(suite):
        raise UserError(f"{suite}: not a suite", hint(suite))


def hint(suite: str) -> str:
    """Return the hint for a suite that does not exist, with those of the most similar names."""
    # Another distribution may have a suite of the same name.
    others = [name for name in known() if name != suite]
    near = difflib.get_close_matches(suite, others) or [own()]
    return f"name one that it has, such as {' or '.join(near)}; MIRROR= names another mirror"
