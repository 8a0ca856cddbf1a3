"""A crate's file in a registry's index: one line of JSON for each version.

https://doc.rust-lang.org/cargo/reference/registry-index.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from toolkit.core import documents
from toolkit.core.documents import Table
from toolkit.model import semver
from toolkit.model.crates import NAME, CrateDependency, Kind, Manifest
from toolkit.model.pins import SHA256

#: The largest that are known have some ten MiB, of crates with thousands of features.
_LONGEST, _MOST = 64 << 20, 20_000
_LONGEST_LINE = 8 << 20
#: Versions of the format of a line that are known; cargo leaves out the lines of newer ones, too.
_NEWEST = 2
_KINDS: dict[str, Kind] = {"normal": "normal", "build": "build", "dev": "dev"}


@dataclass(frozen=True)
class Release:
    """One line: a version of a crate that a registry has."""

    _line: Table

    @property
    def name(self) -> str:
        """Return the crate's name."""
        return self._line.text("name", form=NAME)

    @property
    def version(self) -> str:
        """Return the version."""
        return self._line.text("vers")

    @property
    def checksum(self) -> str:
        """Return the SHA-256 of the crate's archive."""
        return self._line.text("cksum", form=SHA256)

    @property
    def yanked(self) -> bool:
        """Return whether the version was withdrawn: it is for those who have it in a lock."""
        return self._line.content.get("yanked") is True

    @property
    def links(self) -> str:
        """Return the library that it links to, which one version of one crate may do in a lock; empty for none."""
        return self._line.text("links") if self._line.content.get("links") else ""

    @property
    def rust_version(self) -> str:
        """Return the oldest Rust that compiles it, empty where the line does not say so in a way that can be read."""
        text = self._line.content.get("rust_version")
        try:
            semver.toolchain(text if isinstance(text, str) else "")
        except ValueError:
            return ""
        return str(text)

    @cached_property
    def manifest(self) -> Manifest:
        """Return what the crate needs. Raises `ValueError` for a line that is not as the format has it."""
        features: dict[str, tuple[str, ...]] = {}
        for table in ("features", "features2"):
            if self._line.content.get(table):
                entries = self._line.table(table)
                for feature in entries.content:
                    features[feature] = features.get(feature, ()) + entries.texts(feature)
        return Manifest(
            name=self.name,
            version=self.version,
            rust_version=self.rust_version,
            dependencies=tuple(_dependency(entry) for entry in self._line.tables("deps", ())),
            features=features,
        )


def releases(content: bytes, name: str) -> Iterator[Release]:
    """Yield the versions of a crate that its file in the index has, in the file's order.

    A line that is not as the format has it is left out, as cargo does. Raises `ValueError` for far too large a file.
    """
    for line in _lines(content):
        if release := _release(line, name):
            yield release


def release(content: bytes, name: str, version: str) -> Release | None:
    """Return one version of a crate, None where the file has none. Raises `ValueError` as `releases` does."""
    # Most lines need not be parsed.
    written = f'"{version}"'.encode()
    likely = (_release(line, name) for line in _lines(content) if written in line)
    return next((found for found in likely if found and found.version == version), None)


def _lines(content: bytes) -> list[bytes]:
    if len(content) > _LONGEST or content.count(b"\n") > _MOST:
        raise ValueError(f"it has more than {_LONGEST >> 20} MiB or {_MOST} lines")
    return content.split(b"\n")


def _release(line: bytes, name: str) -> Release | None:
    if not line.strip():
        return None
    try:
        entry = Table(documents.json_value(line, _LONGEST_LINE))
        found = Release(entry)
        semver.key(found.version)
        is_known = entry.content.get("v", 1) in range(1, _NEWEST + 1)
        # Read by type here, whether or not anybody asks for it later.
        is_sound = bool(found.checksum) and isinstance(found.links, str)
        return found if is_known and is_sound and found.name.lower() == name.lower() else None
    except ValueError:
        return None


def _dependency(entry: Table) -> CrateDependency:
    key, package = entry.text("name", form=NAME), entry.content.get("package")
    requirement, kind = entry.text("req"), entry.content.get("kind") or "normal"
    semver.check(requirement)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(f"{entry.name}.kind is not as it can be")
    return CrateDependency(
        name=entry.text("package", form=NAME) if package else key,
        key=key,
        requirement=requirement,
        kind=_KINDS[kind],
        target=entry.text("target") if entry.content.get("target") else "",
        features=entry.texts("features", ()),
        default_features=entry.content.get("default_features", True) is not False,
        optional=entry.content.get("optional", False) is True,
        elsewhere=entry.text("registry") if entry.content.get("registry") else "",
    )
