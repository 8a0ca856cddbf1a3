"""The newest entry of a Debian changelog, deb-changelog(5)."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from toolkit.core.errors import UserError

_HEADING = re.compile(r"(?P<source>[a-z0-9][a-z0-9+.-]+) \((?P<version>[^()\s]+)\)(?: [\w.+-]+)+;")
#: Policy 5.6.12.
_VERSION = re.compile(r"(?:\d+:)?[0-9][0-9A-Za-z.+~-]*")
_END = re.compile(r" -- (?P<text>[^<>]* <[^<>]+>  (?:\w{3}, +)?(?P<when>\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}))")


@dataclass(frozen=True, kw_only=True)
class Signature:
    """Who made an entry, and when: as the text that it ends with, after the two dashes, and in seconds since 1970."""

    text: str
    timestamp: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """The newest entry of the changelog at `path`, with the line of its heading, and its last line with the number."""

    path: Path
    version: str
    line: int
    last: tuple[int, str]

    def signature(self) -> Signature:
        """Return who made it and when. Raises `UserError` where it does not say so: `dch` leaves that for the end."""
        number, line = self.last
        found = _END.fullmatch(line.rstrip())
        with suppress(ValueError):
            if found:
                when = datetime.strptime(found["when"], "%d %b %Y %H:%M:%S %z")
                return Signature(text=found["text"], timestamp=int(when.timestamp()))
        raise UserError(
            f"{self.path}:{number}: not the last line of an entry: {line.strip()!r}",
            "it has to look like ` -- Your Name <you@example.com>  Mon, 02 Nov 2026 10:00:00 +0000`; `dch` writes it",
        )


def newest(text: str, path: Path, source: str) -> Entry:
    """Return the newest entry of a changelog's text. Raises `UserError` where it is not of this source package."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()] or [(1, "")]
    number, line = lines[0]
    found = _HEADING.match(line)
    if not found or not _VERSION.fullmatch(found["version"]):
        raise UserError(
            f"{path}:{number}: not the heading of an entry: {line.strip()!r}",
            f"it has to look like `{source} (1.0) unstable; urgency=medium`; `dch` writes it",
        )
    if found["source"] != source:
        raise UserError(
            f"{path}:{number}: {found['source']} is called {source} in debian/control",
            "give the source package one name in both files",
        )
    # What is not indented by two spaces is a heading or a last line.
    last = next((each for each in lines[1:] if not each[1].startswith("  ")), (lines[-1][0], ""))
    return Entry(path=path, version=found["version"], line=number, last=last)
