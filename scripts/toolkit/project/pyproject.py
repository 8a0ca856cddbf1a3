"""pyproject.toml, and what its `[build-system]` says of how a source tree is built (PEP 517, PEP 518).

https://packaging.python.org/en/latest/specifications/pyproject-toml/
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.core.errors import UserError

FILE = "pyproject.toml"
MEND = "mend the file; of a vendored archive, choose another version"
#: The backend where none is named, https://peps.python.org/pep-0517/#source-trees
LEGACY_BACKEND = "setuptools.build_meta:__legacy__"
#: What builds a tree without the table, https://peps.python.org/pep-0518/#build-system-table
LEGACY_REQUIRES = ("setuptools>=40.8.0",)


@dataclass(frozen=True, kw_only=True)
class BuildSystem:
    """What builds a source tree: `requires` (PEP 508), the backend, and where it is when it is part of the tree.

    Once the backend is known, `requires` holds what its hook will add, too; where only the hook itself can tell,
    `dynamic` says so.
    """

    requires: tuple[str, ...] = LEGACY_REQUIRES
    backend: str = LEGACY_BACKEND
    backend_path: tuple[str, ...] = ()
    dynamic: bool = False


def read(directory: Path) -> dict[str, Any]:
    """Return the content of a directory's pyproject.toml, empty when there is none. Raises `UserError` on bad TOML."""
    path = directory / FILE
    try:
        return parse(path.read_bytes(), str(path))
    except (FileNotFoundError, NotADirectoryError):
        return {}


def parse(content: bytes, shown: str) -> dict[str, Any]:
    """Return the content of a pyproject.toml, which messages call `shown`. Raises `UserError` on bad TOML."""
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{shown}: not a TOML file: {error}", MEND) from None


def build_system(content: Mapping[str, Any], shown: str) -> BuildSystem:
    """Return the build system that the content of a pyproject.toml declares, or the one for trees that declare none.

    Raises `UserError` for a table that is not as the specification has it.
    """
    if "build-system" not in content:
        return BuildSystem()
    table = content["build-system"]
    if not isinstance(table, dict) or not _are_texts(table.get("requires")):
        raise UserError(f"{shown}: its [build-system] has no list `requires`", MEND)
    backend, path = table.get("build-backend", LEGACY_BACKEND), table.get("backend-path", [])
    if not isinstance(backend, str) or not _are_texts(path):
        raise UserError(f"{shown}: in [build-system], build-backend is no text or backend-path no list of them", MEND)
    return BuildSystem(requires=tuple(table["requires"]), backend=backend, backend_path=tuple(path))


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
