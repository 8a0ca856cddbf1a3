"""The options of verbs that choose versions."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, date, datetime, timedelta

from toolkit.build import building_options
from toolkit.core.errors import UserError
from toolkit.model import targets
from toolkit.network import index_options
from toolkit.project.settings import default_of, words
from toolkit.sandbox import confined


def add_options(parser: argparse.ArgumentParser, verb: str) -> argparse._ArgumentGroup:
    """Add the options to a verb's parser, and return their group for further ones."""
    group = parser.add_argument_group(f"options of {verb}")
    group.add_argument(
        "--resolver",
        type=_resolver,
        default=default_of("RESOLVER"),
        help="what chooses the versions: uv or pip-tools (default: %(default)s)",
    )
    group.add_argument(
        "--exclude-newer", type=when, default="", metavar="WHEN", help="leave out what is younger: 2026-11-01, 7d"
    )
    index_options.add_options(group)
    index_options.add_extra(group)
    group.add_argument(
        "--platforms",
        type=_platforms,
        default=default_of("PLATFORMS"),
        metavar="NAMES",
        help="values of sys.platform to lock for (default: %(default)s)",
    )
    # For hooks: what they need is built where no index has a wheel of it.
    building_options.add_jobs(group)
    building_options.add_store(group)
    confined.add_options(group)
    return group


def _resolver(text: str) -> str:
    if text not in ("uv", "pip-tools"):
        raise UserError(f"RESOLVER={text}: no such resolver", "write uv or pip-tools: RESOLVER=uv")
    return text


def _platforms(text: str) -> tuple[str, ...]:
    names = words(text)
    if not names or set(names) - targets.SYSTEMS.keys():
        raise UserError(
            f"PLATFORMS={text}: not names of systems",
            f'write some of {", ".join(targets.SYSTEMS)}: PLATFORMS="linux darwin"',
        )
    return names


def when(text: str, now: datetime | None = None) -> str:
    """Return `2026-11-01` as it is, an age such as `7d` (days), `12h`, `2w` as the time it means; else `UserError`."""
    units = {"h": "hours", "d": "days", "w": "weeks"}
    age = re.fullmatch(r"(\d{1,9})([hdw])", text)
    try:
        if age:
            moment = (now or datetime.now(UTC)) - timedelta(**{units[age[2]]: int(age[1])})
            return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}Z"
        return date.fromisoformat(text).isoformat() if text else ""
    except (ValueError, OverflowError):
        # An age may also be one before all calendars.
        raise UserError(f"EXCLUDE_NEWER={text}: neither a date nor an age", "write 2026-11-01, or 7d") from None
