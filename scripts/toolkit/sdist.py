"""What an sdist says of itself before it is built: who it is, what builds it, and whether that can be done offline."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from toolkit import archive, ui

#: The files of a tree that tell what builds it.
BUILD_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "hatch.toml")
_MEMBERS = ("PKG-INFO", *BUILD_FILES)
LEGACY = "setuptools.build_meta:__legacy__"


@dataclass(frozen=True, kw_only=True)
class BuildSystem:
    """What builds a source tree: `requires` (PEP 508), the backend, and where it is when it is part of the tree.

    `dynamic` says that the backend may name further requirements, which only its hook can tell.
    """

    requires: tuple[str, ...]
    backend: str = LEGACY
    backend_path: tuple[str, ...] = ()
    dynamic: bool = False


@dataclass(frozen=True, kw_only=True)
class Facts:
    """An sdist's identity (empty where it has no PKG-INFO), its requirements where they are certain, its build system.

    `needs_crates` says that the build would fetch Rust crates from the network.
    """

    name: str
    version: str
    requires_python: str
    requires: tuple[str, ...]
    build_system: BuildSystem
    needs_crates: bool


def read(path: Path, shown: str) -> Facts:
    """Return the facts of the sdist at `path`; `shown` is what messages call it. Raises `UserError` on bad metadata."""
    members = archive.read_members(path, _MEMBERS)
    headers = BytesHeaderParser().parsebytes(members.get("PKG-INFO", b""))
    system = build_system(members, shown)
    rust = any(word in requirement.lower() for requirement in system.requires for word in ("maturin", "setuptools-rust"))
    return Facts(
        name=headers.get("Name", "").strip(),
        version=headers.get("Version", "").strip(),
        requires_python=headers.get("Requires-Python", "").strip(),
        requires=tuple(headers.get_all("Requires-Dist", ())),
        build_system=system,
        needs_crates=rust and _fetches_crates(path),
    )


def _fetches_crates(path: Path) -> bool:
    """Tell whether a Rust sdist comes without its crates; `cargo vendor` leaves a checksum beside each."""
    names = archive.names(path)
    is_rust = any(name.endswith("Cargo.toml") for name in names)
    return is_rust and not any(name.endswith(".cargo-checksum.json") for name in names)


def build_system(members: Mapping[str, bytes], shown: str) -> BuildSystem:
    """Return the build system of a tree from its pyproject.toml, setup.py and setup.cfg, as PEP 517 and 518 say."""
    pyproject = _toml(members.get("pyproject.toml", b""), shown)
    table = pyproject.get("build-system")
    if table is None:
        # pip and build take `setuptools.build_meta:__legacy__` with these (PEP 517, "Source trees").
        return BuildSystem(requires=("setuptools >= 40.8.0",), dynamic=_setup_may_ask(members))
    requires = table.get("requires")
    if not isinstance(requires, list) or not all(isinstance(item, str) for item in requires):
        raise ui.UserError(f"{shown}: [build-system] in its pyproject.toml has no list `requires`", "choose another version")
    backend, backend_path = table.get("build-backend", LEGACY), tuple(table.get("backend-path", ()))
    return BuildSystem(
        requires=tuple(requires),
        backend=backend,
        backend_path=backend_path,
        dynamic=_is_dynamic(backend, bool(backend_path), pyproject, members),
    )


def _toml(content: bytes, shown: str) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ui.UserError(f"{shown}: its pyproject.toml cannot be read: {error}", "choose another version") from None


def _is_dynamic(backend: str, in_tree: bool, pyproject: dict[str, Any], members: Mapping[str, bytes]) -> bool:
    """Tell whether `get_requires_for_build_wheel` may return anything; by each backend's own source."""
    if in_tree and backend.partition(":")[0] not in ("setuptools.build_meta", "flit_core.buildapi", "hatchling.build"):
        return True
    match backend.partition(":")[0]:
        # flit_core/buildapi.py and poetry/core/masonry/api.py return an empty list, always.
        case "flit_core.buildapi" | "poetry.core.masonry.api":
            return False
        # pdm/backend/__init__.py: setuptools, when `run-setuptools` is set.
        case "pdm.backend":
            return "run-setuptools" in str(pyproject.get("tool", {}).get("pdm", {}))
        # hatchling/builders/config.py: dependencies of the build, of its targets and of its hooks.
        case "hatchling.build":
            settings = str(pyproject.get("tool", {}).get("hatch", {}).get("build", {}))
            told = any(word in settings for word in ("dependencies", "hooks", "require-runtime"))
            return told or "hatch.toml" in members
        # setuptools/build_meta.py: what setup() is given as `setup_requires`.
        case "setuptools.build_meta":
            return _setup_may_ask(members)
        case _:
            return True


def _setup_may_ask(members: Mapping[str, bytes]) -> bool:
    """Tell whether setuptools may find `setup_requires`: in setup.cfg, or in setup.py where arguments may be hidden."""
    setup = members.get("setup.py", b"")
    if b"setup_requires" in setup or b"setup_requires" in members.get("setup.cfg", b""):
        return True
    try:
        calls = [node for node in ast.walk(ast.parse(setup)) if isinstance(node, ast.Call)]
    except (SyntaxError, ValueError):
        return True
    named_setup = [call for call in calls if _name(call.func) == "setup"]
    return any(keyword.arg is None for call in named_setup for keyword in call.keywords) or bool(setup and not named_setup)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
