"""The content of a lock: one per service, as PEP 751 defines it, with additions of our own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from toolkit.model import build_settings
from toolkit.model.build_settings import BuildSettings
from toolkit.model.pins import MetadataSource, Pinned

TOOL = "python-common"
Kind = Literal["sdist", "wheels", "archive"]


@dataclass(frozen=True, kw_only=True)
class VendoredFile:
    """One file of `vendor/`: its name there, size in bytes, sha256 (hexadecimal) and where it came from.

    `other_hash`, which no lock has, is that of a `RemoteFile`.
    """

    name: str
    size: int
    sha256: str
    url: str = ""
    other_hash: str = ""


@dataclass(frozen=True, kw_only=True)
class Crate:
    """One Rust crate that the Cargo.lock of a distribution names, by name, version and sha256 (hexadecimal).

    `source` is the registry as Cargo.lock spells it. `file` is the crate in `vendor/`; None where no machine that is
    built for needs it. cargo has to know of that all the same: `index_line` (JSON) is then what its registry says. One
    from a git repository, of which there is never a file, has no sha256, and in `index_line` what is asked of it.
    https://doc.rust-lang.org/cargo/reference/registry-index.html
    """

    name: str
    version: str
    sha256: str
    source: str
    file: VendoredFile | None = None
    index_line: str = ""

    @property
    def key(self) -> str:
        """Return `name==version`, which identifies a crate within a lock."""
        return f"{self.name}=={self.version}"


@dataclass(frozen=True, kw_only=True)
class Patch:
    """A patch of the project for a distribution's source: its path in the project, and its sha256 (hexadecimal)."""

    path: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One locked distribution.

    `kind` is that of its files: one sdist, one archive (a direct URL), or wheels (binary by name, one file a
    platform). `marker` (PEP 508) limits it to some interpreters. `build_requires` is the closure of what builds it;
    distributions taken as wheels have none. `offered` are the wheels that the index has of an sdist for these
    interpreters and machines: not vendored, for development environments.

    `requires` and `build_dependencies` are its direct requirements (PEP 508), at run time and of its build: those whose
    marker holds and whose extra is asked for. `metadata` says how they became known, as that of a `Pin`; where that is
    not by the vendored file, `requires_sha256` is a hash of all requirements, those that do not hold too.

    `index` is the URL of the index that all files came from, without credentials; empty where there is none, or
    several, and in locks from before locks had it. `crates` are the keys of all that its Cargo.lock names;
    `rust` says that its build compiles Rust, also where it needs no crate, or brings its own; `rust_version` is the
    oldest that does, and `rust_version_of` the crate or package that says so. `settings` are what the
    project's people have it built with, and `patches` what they change in it, in their order. `system_files` are the
    names of what its build takes from the system, as `debian_names` has them.
    """

    name: str
    version: str
    kind: Kind
    files: tuple[VendoredFile, ...]
    marker: str = ""
    requires_python: str = ""
    index: str = ""
    metadata: MetadataSource = ""
    requires_sha256: str = ""
    requires: tuple[str, ...] = ()
    build_dependencies: tuple[str, ...] = ()
    build_requires: tuple[Pinned, ...] = ()
    offered: tuple[VendoredFile, ...] = ()
    crates: tuple[str, ...] = ()
    rust: bool = False
    rust_version: str = ""
    rust_version_of: str = ""
    settings: BuildSettings = build_settings.NONE
    patches: tuple[Patch, ...] = ()
    system_files: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return `name==version`, which identifies a distribution within a lock."""
        return f"{self.name}=={self.version}"

    @property
    def label(self) -> str:
        """Return the name and version as a person reads them."""
        return f"{self.name} {self.version}"

    @property
    def pinned(self) -> Pinned:
        """Return the reference to this distribution."""
        return Pinned(self.name, self.version, self.marker)


@dataclass(frozen=True, kw_only=True)
class LocalPackage:
    """A package of the project tree: its name, directory relative to the project, what builds it, and how.

    `crates` and `rust` are as those of a `Distribution`.
    """

    name: str
    path: str
    build_requires: tuple[Pinned, ...] = ()
    build_dependencies: tuple[str, ...] = ()
    crates: tuple[str, ...] = ()
    rust: bool = False
    settings: BuildSettings = build_settings.NONE

    @property
    def label(self) -> str:
        """Return the directory as a person reads it: no distribution has such a label."""
        return f"{self.path}/"


@dataclass(frozen=True, kw_only=True)
class DirectRequirement:
    """A line of a project's file: the local package `source` asks for `name`, of the index or of the project.

    `text` is the requirement as it is written, `origin` its `file:line`. Where `kind` is `build`, `source` is the name
    of a distribution, which is built with it besides.
    """

    source: str
    name: str
    kind: Literal["runtime", "tests", "build"]
    text: str
    origin: str


@dataclass(frozen=True, kw_only=True)
class Lock:
    """All that one service (or, in a project without services, library) needs.

    `packages` is the runtime closure, `build_packages` what only builds and tests need besides, `local` the service
    itself and the libraries of the tree it uses, `test_requires` the closure of its tests (as `build_requires`),
    `dev_requires` what else its developers have, `inputs` the fingerprint of each file (relative to the project) the
    lock was resolved from. `direct` are the project's own lines; None in a lock from before locks had them. `crates`
    are those of all distributions and local packages, each once.
    """

    service: str
    pythons: tuple[str, ...]
    platforms: tuple[str, ...]
    packages: tuple[Distribution, ...] = ()
    build_packages: tuple[Distribution, ...] = ()
    local: tuple[LocalPackage, ...] = ()
    test_requires: tuple[Pinned, ...] = ()
    dev_requires: tuple[Pinned, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    direct: tuple[DirectRequirement, ...] | None = None
    crates: tuple[Crate, ...] = ()

    def distributions(self) -> Iterator[Distribution]:
        """Yield every locked distribution, runtime first."""
        yield from self.packages
        yield from self.build_packages

    def vendored_files(self) -> dict[str, VendoredFile]:
        """Return every file the lock names, by its name in `vendor/`."""
        found = {file.name: file for distribution in self.distributions() for file in distribution.files}
        return found | {crate.file.name: crate.file for crate in self.crates if crate.file}

    def built(self) -> Iterator[Distribution | LocalPackage]:
        """Yield all that is built from source."""
        yield from (item for item in self.distributions() if item.kind != "wheels")
        yield from self.local

    def crates_of(self, items: Iterable[Distribution | LocalPackage]) -> tuple[Crate, ...]:
        """Return the vendored crates that these are built from, each once, by name."""
        keys = {key for item in items for key in item.crates}
        return tuple(sorted((crate for crate in self.crates if crate.file and crate.key in keys), key=lambda c: c.key))

    def find(self, key: str) -> Distribution:
        """Return the distribution with this `name==version`; raises `KeyError`."""
        for distribution in self.distributions():
            if distribution.key == key:
                return distribution
        raise KeyError(key)
