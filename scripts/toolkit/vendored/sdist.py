"""What an sdist says of itself before it is built: who it is, what builds it, and whether that can be done offline."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from toolkit.core.errors import UserError
from toolkit.vendored import archive, backends

#: The files of a tree that tell what builds it.
BUILD_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "hatch.toml")
_RUST = ("maturin", "setuptools-rust", "setuptools_rust")
_MEMBERS = ("PKG-INFO", *BUILD_FILES)


@dataclass(frozen=True, kw_only=True)
class BuildSystem:
    """What builds a source tree: `requires` (PEP 508), the backend, and where it is when it is part of the tree.

    `requires` holds what the backend's hook would add, too; where only the hook itself can tell, `dynamic` says so.
    """

    requires: tuple[str, ...]
    backend: str = backends.LEGACY
    backend_path: tuple[str, ...] = ()
    dynamic: bool = False


@dataclass(frozen=True, kw_only=True)
class Facts:
    """An sdist's identity (empty where it has no PKG-INFO), its requirements (None: not certain), its build system.

    `needs_crates` says that the build would fetch Rust crates from the network.
    """

    name: str
    version: str
    requires_python: str
    requires: tuple[str, ...] | None
    build_system: BuildSystem
    needs_crates: bool


def read(path: Path, shown: str) -> Facts:
    """Return the facts of the sdist at `path`; `shown` is what messages call it. Raises `UserError` on bad metadata."""
    members = archive.read_members(path, _MEMBERS)
    headers = BytesHeaderParser().parsebytes(members.get("PKG-INFO", b""))
    system = build_system(members, shown, lambda word: archive.mentions(path, word))
    rust = any(word in requirement.lower() for requirement in system.requires for word in _RUST)
    return Facts(
        name=headers.get("Name", "").strip(),
        version=headers.get("Version", "").strip(),
        requires_python=headers.get("Requires-Python", "").strip(),
        requires=_requires(headers),
        build_system=system,
        needs_crates=rust and _fetches_crates(path),
    )


def _requires(headers: Message) -> tuple[str, ...] | None:
    """Return the requirements of an sdist's metadata; from version 2.2 on it says which fields only a build tells."""
    version = tuple(int(part) for part in re.findall(r"\d+", headers.get("Metadata-Version", "0")))
    dynamic = {field.lower() for field in headers.get_all("Dynamic", ())}
    is_certain = version >= (2, 2) and "requires-dist" not in dynamic
    return tuple(headers.get_all("Requires-Dist", ())) if is_certain else None


def _fetches_crates(path: Path) -> bool:
    """Tell whether a Rust sdist comes without its crates; `cargo vendor` leaves a checksum beside each."""
    names = archive.names(path)
    is_rust = any(name.endswith("Cargo.toml") for name in names)
    return is_rust and not any(name.endswith(".cargo-checksum.json") for name in names)


def build_system(members: Mapping[str, bytes], shown: str, mentions: Callable[[bytes], bool]) -> BuildSystem:
    """Return the build system of a tree from the files that tell it (`BUILD_FILES`), as PEP 517 and 518 say.

    `mentions` looks for a word in the sources of the whole tree. Raises `UserError` on a file that makes no sense.
    """
    pyproject = _toml(members.get("pyproject.toml", b""), shown)
    # Without the table, pip and build take setuptools' legacy backend with these (PEP 517, "Source trees").
    table = pyproject.get("build-system", {"requires": ["setuptools >= 40.8.0"]})
    requires = table.get("requires")
    if not isinstance(requires, list) or not all(isinstance(item, str) for item in requires):
        what = f"{shown}: [build-system] in its pyproject.toml has no list `requires`"
        raise UserError(what, "choose another version")
    backend, backend_path = table.get("build-backend", backends.LEGACY), tuple(table.get("backend-path", ()))
    told = backends.told(backend, in_tree=bool(backend_path), pyproject=pyproject, members=members, mentions=mentions)
    return BuildSystem(
        requires=(*requires, *(told or ())), backend=backend, backend_path=backend_path, dynamic=told is None
    )


def _toml(content: bytes, shown: str) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{shown}: its pyproject.toml cannot be read: {error}", "choose another version") from None
