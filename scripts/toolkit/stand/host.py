"""What a stand takes over from the machine and the user that it is made for: locales, time zone, files of the home."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from toolkit.core.errors import UserError

#: The locale that every stand has: the one to name where a host has locales of its own, such as macOS.
LOCALE = "en_US.UTF-8"
TIMEZONE = "Etc/UTC"
_LOCALE = re.compile(r"([a-z]{2,3}_[A-Z]{2})\.(?:utf-?8)((?:@[a-z]+)?)", re.IGNORECASE)
_PREPARATION = "VAGRANT_USER_PREP_SCRIPT"


def locales(environment: Mapping[str, str]) -> list[str]:
    """Return the UTF-8 locales of LANG and LC_*, spelled as locale.gen(5) does, with `LOCALE` first.

    Others (`C.UTF-8`, macOS's `UTF-8`, ones without UTF-8) have nothing to be generated.
    """
    values = [value for name, value in sorted(environment.items()) if name == "LANG" or name.startswith("LC_")]
    found = (_LOCALE.fullmatch(value) for value in values)
    return list(dict.fromkeys([LOCALE, *(f"{match[1]}.UTF-8{match[2]}" for match in found if match)]))


def timezone(environment: Mapping[str, str], root: Path = Path("/")) -> str:
    """Return this machine's time zone as tzdata names it: TZ, or where /etc/localtime points; UTC where none tells."""
    given = environment.get("TZ", "").removeprefix(":")
    if re.fullmatch(r"[A-Za-z_]+(/[A-Za-z0-9_+-]+)*", given):
        return given
    _, _, name = (root / "etc/localtime").resolve().as_posix().partition("/zoneinfo/")
    if not name and (root / "etc/timezone").is_file():
        name = (root / "etc/timezone").read_text(encoding="utf-8").strip()
    return name.removeprefix("posix/") or TIMEZONE


def ssh_config(home: Path) -> str:
    """Return the user's ~/.ssh/config, empty where there is none."""
    try:
        return (home / ".ssh" / "config").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def preparation(environment: Mapping[str, str]) -> str:
    """Return the script that the user prepares stands with. Raises `UserError` when it is not there."""
    given = environment.get(_PREPARATION, "")
    try:
        return Path(given).expanduser().read_text(encoding="utf-8") if given else ""
    except OSError as error:
        raise UserError(
            f"{_PREPARATION}={given}: {error.strerror}",
            "name a script that prepares a stand for you, or unset the variable",
        ) from None
