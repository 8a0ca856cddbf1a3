"""Cargo.lock: the crates that a source tree is built with, each with its SHA-256. All four versions of the format.

https://doc.rust-lang.org/cargo/reference/resolver.html; the format is that of cargo's `core/resolver/encode.rs`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from toolkit.core import documents
from toolkit.core.documents import Table
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.model import semver
from toolkit.model.crates import NAME, CrateId, LockedCrate
from toolkit.model.pins import SHA256
from toolkit.project.pyproject import MEND

FILE = "Cargo.lock"
_LONGEST, _MOST = 8 << 20, 20_000
#: Of one crate: each dependency is compared with them.
_MOST_VERSIONS = 100
_NEWEST = 4
_SOURCE = re.compile(r"(?:[a-z]+\+[!-~]{1,2000})?")
_SHA256_OR_NONE = re.compile(f"(?:{SHA256.pattern}|<none>)?")
_REFERENCE = re.compile(r"(?P<name>[^ ]+)(?: (?P<version>[^ ]+)(?: \((?P<source>[^ ()]+)\))?)?")


def parse(content: bytes, shown: str) -> tuple[LockedCrate, ...]:
    """Return the crates of a Cargo.lock, which messages call `shown`, in its order.

    Raises `UserError` for what is no Cargo.lock, or one of a newer format.
    """
    try:
        lock = Table(documents.toml(content, _LONGEST))
        version = lock.content.get("version", 1)
        if type(version) is int and version > _NEWEST:
            raise UserError(f"{shown}: its format is version {version}, and {_NEWEST} is the newest known here", MEND)
        return _crates(lock)
    except ValueError as error:
        raise UserError(f"{shown}: not a Cargo.lock: {error}", MEND) from None


def _crates(lock: Table) -> tuple[LockedCrate, ...]:
    version = lock.content.get("version", 1)
    if type(version) is not int or not 1 <= version <= _NEWEST:
        raise ValueError(f"its version is {quoted(repr(version))}, and 1 to {_NEWEST} are known")
    entries = list(lock.tables("package", ()))
    if "root" in lock.content:
        # Of before 2018: https://github.com/rust-lang/cargo/pull/4571
        entries.append(lock.table("root"))
    # What is patched though nothing needs it; cargo wants to know it all the same.
    entries += lock.table("patch", {}).tables("unused", ())
    if len(entries) > _MOST:
        raise ValueError(f"more than {_MOST} crates")
    ids = [_id(entry) for entry in entries]
    for crate, times in Counter(ids).items():
        if times > 1:
            raise ValueError(f"{crate} stands there twice")
    for name, times in Counter(crate.name for crate in ids).items():
        if times > _MOST_VERSIONS:
            raise ValueError(f"more than {_MOST_VERSIONS} versions of {name}")
    names, checksums = _Names(ids), _checksums(lock)
    return tuple(
        LockedCrate(
            **crate._asdict(),
            checksum=_checksum(entry.text("checksum", checksums.get(crate, ""), _SHA256_OR_NONE)),
            dependencies=names.all(entry.texts("dependencies", ())),
        )
        for crate, entry in zip(ids, entries, strict=True)
    )


def _id(entry: Table) -> CrateId:
    version = entry.text("version")
    semver.key(version)
    return CrateId(entry.text("name", form=NAME), version, entry.text("source", "", _SOURCE))


def _checksums(lock: Table) -> Mapping[CrateId, str]:
    """Return the checksums of version 1, which stand in a table of their own: "checksum name version (source)"."""
    found: dict[CrateId, str] = {}
    metadata = lock.table("metadata", {})
    for key in metadata.content:
        match = _REFERENCE.fullmatch(key.removeprefix("checksum ")) if key.startswith("checksum ") else None
        if match:
            crate = CrateId(match["name"], match["version"] or "", match["source"] or "")
            found[crate] = metadata.text(key, form=_SHA256_OR_NONE)
    return found


def _checksum(text: str) -> str:
    return "" if text == "<none>" else text


class _Names:
    """The crates of a lock by what its lists call them: a name, with version and source where it takes them."""

    def __init__(self, ids: Iterable[CrateId]) -> None:
        self._by_name: dict[str, list[CrateId]] = defaultdict(list)
        self._by_version: dict[tuple[str, str], list[CrateId]] = defaultdict(list)
        self._ids = set(ids)
        for crate in self._ids:
            self._by_name[crate.name].append(crate)
            self._by_version[crate.name, crate.version].append(crate)

    def all(self, references: Sequence[str]) -> tuple[CrateId, ...]:
        """Return the crates of a list, each once, in its order."""
        return tuple(dict.fromkeys(map(self._one, references)))

    def _one(self, reference: str) -> CrateId:
        found = _REFERENCE.fullmatch(reference)
        fitting: Sequence[CrateId] = ()
        if found and found["source"]:
            crate = CrateId(found["name"], found["version"], found["source"])
            fitting = (crate,) if crate in self._ids else ()
        elif found and found["version"]:
            fitting = self._by_version.get((found["name"], found["version"]), ())
        elif found:
            fitting = self._by_name.get(found["name"], ())
        if len(fitting) > 1:
            # Without its source it is the package of the source tree: of a path there is no source to tell.
            fitting = [crate for crate in fitting if not crate.source]
        if len(fitting) != 1:
            raise ValueError(f"the dependency {quoted(reference)} is none of its crates")
        return fitting[0]
