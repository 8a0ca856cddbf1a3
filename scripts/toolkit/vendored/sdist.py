"""What an sdist says of itself before it is built: who it is, what builds it, and whether that can be done offline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from toolkit.model import core_metadata
from toolkit.model.core_metadata import CoreMetadata
from toolkit.project import pyproject
from toolkit.project.pyproject import BuildSystem
from toolkit.vendored import archive, backends

#: The files of a tree that tell what builds it.
BUILD_FILES = (pyproject.FILE, "setup.py", "setup.cfg", "hatch.toml")
_RUST = ("maturin", "setuptools-rust", "setuptools_rust")
_MEMBERS = ("PKG-INFO", *BUILD_FILES)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """An sdist's metadata (empty where it has no PKG-INFO), its build system, and whether the build fetches crates."""

    metadata: CoreMetadata
    build_system: BuildSystem
    needs_crates: bool


def read(path: Path, shown: str) -> Facts:
    """Return the facts of the sdist at `path`; `shown` is what messages call it. Raises `UserError` on bad metadata."""
    members = archive.read_members(path, _MEMBERS)
    metadata = core_metadata.parse(members.get("PKG-INFO", b""))
    system = build_system(members, shown, lambda word: archive.mentions(path, word))
    rust = any(word in requirement.lower() for requirement in system.requires for word in _RUST)
    return Facts(metadata=metadata, build_system=system, needs_crates=rust and _fetches_crates(path))


def _fetches_crates(path: Path) -> bool:
    """Tell whether a Rust sdist comes without its crates; `cargo vendor` leaves a checksum beside each."""
    names = archive.names(path)
    is_rust = any(name.endswith("Cargo.toml") for name in names)
    return is_rust and not any(name.endswith(".cargo-checksum.json") for name in names)


def build_system(members: Mapping[str, bytes], shown: str, mentions: Callable[[bytes], bool]) -> BuildSystem:
    """Return the build system of a tree from the files that tell it (`BUILD_FILES`), as PEP 517 and 518 say.

    `mentions` looks for a word in the sources of the whole tree. Raises `UserError` on a file that makes no sense.
    """
    content = pyproject.parse(members.get(pyproject.FILE, b""), f"{shown}: its pyproject.toml")
    system = pyproject.build_system(content, f"{shown}: its pyproject.toml")
    told = backends.told(system, pyproject=content, members=members, mentions=mentions)
    return replace(system, requires=(*system.requires, *(told or ())), dynamic=told is None)
