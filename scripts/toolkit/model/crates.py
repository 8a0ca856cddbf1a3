"""Crates as data: what their manifests, Cargo.lock and a registry's index say of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

#: As cargo has them; a name becomes part of a path and of a URL.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
#: A version (https://semver.org) that is a part of a file's name.
VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]{1,99})?(\+[0-9A-Za-z.-]{1,99})?")
#: A line of a registry's index: JSON.
INDEX_LINE = re.compile(r"\{.{1,1000000}\}")
#: The `source` in every Cargo.lock of what cargo takes where nothing is configured, from wherever it is copied.
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
#: What begins the `source` of a crate from a git repository.
GIT = "git+"
Kind = Literal["normal", "build", "dev"]


class CrateId(NamedTuple):
    """One crate among all of a Cargo.lock; `source` is empty for a package of the same source tree."""

    name: str
    version: str
    source: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, kw_only=True)
class LockedCrate:
    """One entry of a Cargo.lock; `checksum` is its archive's SHA-256, empty where the lock has none."""

    name: str
    version: str
    source: str = ""
    checksum: str = ""
    dependencies: tuple[CrateId, ...] = ()

    @property
    def id(self) -> CrateId:
        """Return what other crates name it by."""
        return CrateId(self.name, self.version, self.source)

    @property
    def origin(self) -> Literal["path", "registry", "git", "other"]:
        """Return where the crate comes from."""
        if not self.source:
            return "path"
        if self.source.partition("+")[0] in ("registry", "sparse"):
            return "registry"
        return "git" if self.source.startswith(GIT) else "other"


@dataclass(frozen=True, kw_only=True)
class CrateDependency:
    """A crate that another one needs: `name` is the crate's own, `key` what features and sources call it.

    `target` is the condition under which it is needed, empty for always; `path` the directory in the source tree that
    it comes from, None for another place; `elsewhere` the git repository or the registry, other than that of the crate
    that needs it, empty for none.
    """

    name: str
    key: str
    requirement: str = "*"
    kind: Kind = "normal"
    target: str = ""
    features: tuple[str, ...] = ()
    default_features: bool = True
    optional: bool = False
    path: str | None = None
    elsewhere: str = ""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a crate needs: its dependencies, and its features with what each of them turns on."""

    name: str
    version: str
    rust_version: str = ""
    dependencies: tuple[CrateDependency, ...] = ()
    features: Mapping[str, tuple[str, ...]]
