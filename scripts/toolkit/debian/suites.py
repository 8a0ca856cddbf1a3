"""Suites of Debian and Ubuntu: that of this machine, and those that there are."""

from __future__ import annotations

import csv
import difflib
import re
from pathlib import Path

from toolkit.core import os_release
from toolkit.core.errors import UserError

_NAME = re.compile(r"[a-z][a-z0-9.+-]*")
#: Where Debian's package distro-info-data, if it is installed, has a table of each distribution.
TABLES = Path("/usr/share/distro-info")


def own() -> str:
    """Return the suite of this machine. Raises `UserError` where os-release(5) does not tell."""
    codename = os_release.read().get("VERSION_CODENAME", "")
    if not codename:
        raise UserError("/etc/os-release: no VERSION_CODENAME", "name the suite: SUITE=trixie, or SUITES=trixie")
    return codename


def known(distribution: str = "*") -> list[str]:
    """Return the suites of a distribution, `debian` or `ubuntu` (default: of all), where distro-info-data has them."""
    found = []
    for path in sorted(TABLES.glob(f"{distribution}.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            found += [row["series"] for row in csv.DictReader(stream) if row.get("series")]
    return found


def require_name(suite: str) -> None:
    """Raise `UserError` for what cannot be the name of a suite."""
    if not _NAME.fullmatch(suite):
        raise UserError(f"{suite}: not a suite", hint(suite))


def hint(suite: str) -> str:
    """Return what to do where there is no such suite: name one that there is, the most similar ones first."""
    # Another distribution's may have the very name.
    others = [name for name in known() if name != suite]
    near = difflib.get_close_matches(suite, others, n=3, cutoff=0.5) or [own()]
    return f"name one that it has, such as {' or '.join(near)}; MIRROR= names another place"
