"""The lock of another tool (uv.lock, poetry.lock, pylock.toml), for the versions that a project has been tried with.

https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile
https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import InvalidMarker, Marker
from packaging.version import InvalidVersion, Version

from toolkit.core import documents
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line, quoted
from toolkit.model.lock import Lock
from toolkit.model.names import normalize
from toolkit.model.pins import Pinned

#: Of a lock with thousands of distributions, each with the hashes of a hundred files.
_LONGEST = 64 << 20
_LONGEST_MARKER = 4096
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,200}[A-Za-z0-9])?")
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)")
#: Of uv: what is the project itself, or stands beside it.
_LOCAL_SOURCES = frozenset({"virtual", "editable", "directory"})
_HINT = "make it anew with the tool that it is of, or leave FROM= out"


@dataclass(frozen=True, kw_only=True)
class ForeignLock:
    """What another tool has locked; `shown` is the file's name."""

    shown: str
    pins: tuple[Pinned, ...]

    def told(self, locks: Iterable[Lock]) -> str:
        """Return, in one line for people, which of its versions new locks do not have."""
        wanted: dict[str, set[str]] = {}
        for pin in self.pins:
            wanted.setdefault(pin.name, set()).add(pin.version)
        found: dict[str, set[str]] = {}
        for lock in locks:
            for item in (*(package.pinned for package in lock.packages), *lock.test_requires, *lock.dev_requires):
                found.setdefault(item.name, set()).add(item.version)
        both = sorted(wanted.keys() & found.keys())
        others = [
            f"{name} {', '.join(sorted(wanted[name]))} -> {', '.join(sorted(found[name]))}"
            for name in both
            if not found[name] <= wanted[name]
        ]
        if not others:
            return f"{self.shown}: all of its versions that are needed are taken ({len(both)})"
        return f"{self.shown}: {len(others)} of {len(both)} versions do not fit: {'; '.join(others)}"


def read(path: Path, shown: str) -> ForeignLock:
    """Return what a lock has. Raises `UserError` with `file:line` for one that makes no sense."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"FROM={shown}: {error.strerror}", "name a uv.lock, poetry.lock or pylock.toml") from None
    try:
        data = documents.toml(content, _LONGEST)
    except ValueError as error:
        at_line = _AT_LINE.search(str(error))
        line = int(at_line[1]) if at_line else content.count(b"\n") or 1
        raise UserError(f"{shown}:{line}: not a TOML file: {_AT_LINE.sub('', str(error))}", _HINT) from None
    key = "packages" if "packages" in data else "package"
    tables = data.get(key)
    if not isinstance(tables, list):
        raise UserError(
            f"{shown}:1: neither a uv.lock, a poetry.lock nor a pylock.toml", "name one of these: FROM=uv.lock"
        )
    lines = _lines(content, key)
    pins = []
    for number, table in enumerate(tables):
        line = lines[number] if number < len(lines) else 1
        try:
            pins += list(_pins(documents.Table(table)))
        except ValueError as error:
            raise UserError(f"{shown}:{line}: {one_line(str(error), 300)}", _HINT) from None
    return ForeignLock(shown=shown, pins=tuple(dict.fromkeys(pins)))


def _lines(content: bytes, key: str) -> list[int]:
    """Return the line of each table of a list."""
    header = re.compile(rb"\s*\[\[\s*['\"]?" + key.encode() + rb"['\"]?\s*\]\]")
    return [number for number, row in enumerate(content.split(b"\n"), start=1) if header.match(row)]


def _pins(table: documents.Table) -> Iterator[Pinned]:
    """Yield the version of one distribution. Raises `ValueError` for what makes no sense."""
    name = table.text("name", form=_NAME)
    source = table.content.get("source")
    is_local = isinstance(source, Mapping) and not _LOCAL_SOURCES.isdisjoint(source)
    # A local package of any tool may have none.
    if is_local or "version" not in table.content:
        return
    version = table.text("version")
    try:
        version = str(Version(version))
    except InvalidVersion:
        raise ValueError(f"{name} has no version: {quoted(version)}") from None
    yield Pinned(normalize(name), version, _marker(table))


def _marker(table: documents.Table) -> str:
    """Return where a version counts, empty for everywhere; a preference need not be exact."""
    if "resolution-markers" in table.content:
        # https://docs.astral.sh/uv/: each is one of the forks of the resolution.
        return " or ".join(f"({_checked(text)})" for text in table.texts("resolution-markers"))
    found = next((table.content[key] for key in ("marker", "markers") if key in table.content), "")
    if isinstance(found, Mapping):
        # Poetry has one for each group.
        return ""
    if not isinstance(found, str):
        raise ValueError(f"the marker is no text: {quoted(repr(found))}")
    return _checked(found) if found.strip() else ""


def _checked(text: str) -> str:
    if len(text) <= _LONGEST_MARKER:
        try:
            return str(Marker(text))
        except (InvalidMarker, RecursionError):
            pass
    raise ValueError(f"not a marker: {quoted(text)}")
