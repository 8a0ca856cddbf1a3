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
#: What Debian adds to the version of what it repacks, backports or mends.
_REPACKED = re.compile(r"(?:~bpo\d+\+\d+|[+~]deb\d+u\d+|[+~.]?(?:dfsg|ds|repack)[\d.]*)+$")
#: Debian sorts what follows a tilde before what it follows, as Python sorts pre-releases (PEP 440).
_EARLIER = re.compile(r"~+(?=(?:a|b|c|rc|alpha|beta|pre|preview|dev)[._-]?\d*(?:~|\+|$))")
_END = re.compile(r" -- (?P<text>[^<>]* <[^<>]+>  (?:\w{3}, +)?(?P<when>\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}))")


@dataclass(frozen=True, kw_only=True)
class Signature:
    """Who made an entry, and when: as the text that it ends with, after the two dashes, and in seconds since 1970."""

    text: str
    timestamp: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """The newest entry of the changelog at `path`, with the line of its heading, and its last line with the number.

    `first` is the last line of the oldest of the entries, this one included, that have its upstream version.
    """

    path: Path
    version: str
    line: int
    last: tuple[int, str]
    first: str = ""

    def python_version(self) -> str:
        """Return the upstream version (no epoch, no Debian revision) as PEP 440 spells it: `1:2.0~rc1-3` -> `2.0rc1`.

        Raises `UserError` for one that Python cannot spell.
        """
        # The rest of this module is read where only the standard library is: by a Vagrantfile.
        from packaging.version import InvalidVersion, Version

        upstream = upstream_of(self.version)
        try:
            return str(Version(_EARLIER.sub("", _REPACKED.sub("", upstream))))
        except InvalidVersion:
            raise UserError(
                f"{self.path}:{self.line}: {upstream} is no version of a Python package (PEP 440)",
                "write it as 1.2, 1.2~rc1 or 1.2+git20260131, or write the package's own version literally",
            ) from None

    def signature(self) -> Signature:
        """Return who made it and when. Raises `UserError` where it does not say so: `dch` leaves that for the end."""
        number, line = self.last
        if found := _signature(line):
            return found
        raise UserError(
            f"{self.path}:{number}: not the last line of an entry: {line.strip()!r}",
            "it has to look like ` -- Your Name <you@example.com>  Mon, 02 Nov 2026 10:00:00 +0000`; `dch` writes it",
        )

    def upstream_since(self) -> int:
        """Return when its upstream version first had an entry, in seconds since 1970. Raises as `signature` does."""
        return (_signature(self.first) or self.signature()).timestamp


def of_source(text: str, path: Path) -> Entry:
    """Return the newest entry that is of a source, in whichever package: not that of a binary rebuild (sbuild(1)).

    Raises `UserError` for a changelog that does not begin with an entry.
    """
    lines = text.splitlines()
    headings = [number for number, line in enumerate(lines) if _HEADING.match(line)]
    own = [number for number in headings if "binary-only=yes" not in lines[number]]
    kept = "\n" * own[0] + "\n".join(lines[own[0] :]) if own and own[0] > headings[0] else text
    first = next((line for line in kept.splitlines() if line.strip()), "")
    return newest(kept, path, first.partition(" ")[0] or "name")


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
    first = _first(text, upstream_of(found["version"]))
    return Entry(path=path, version=found["version"], line=number, last=last, first=first)


def _first(text: str, upstream: str) -> str:
    """Return the last line of the oldest of the first entries that have an upstream version."""
    first = ""
    for line in text.splitlines():
        heading = _HEADING.match(line)
        if heading and upstream_of(heading["version"]) != upstream:
            break
        if line.startswith(" -- "):
            first = line
    return first


def upstream_of(version: str) -> str:
    """Return a version without epoch and Debian revision."""
    version = version.rpartition(":")[2]
    return version.rpartition("-")[0] or version


def _signature(line: str) -> Signature | None:
    found = _END.fullmatch(line.rstrip())
    with suppress(ValueError):
        if found:
            when = datetime.strptime(found["when"], "%d %b %Y %H:%M:%S %z")
            return Signature(text=found["text"], timestamp=int(when.timestamp()))
    return None
