"""pyproject.toml, and what its `[build-system]` says of how a source tree is built (PEP 517, PEP 518).

https://packaging.python.org/en/latest/specifications/pyproject-toml/
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.core import documents
from toolkit.core.errors import UserError
from toolkit.model import requirement_texts
from toolkit.project import drafts

FILE = "pyproject.toml"
MEND = "mend the file; of a vendored archive, choose another version"
#: The backend where none is named, https://peps.python.org/pep-0517/#source-trees
LEGACY_BACKEND = "setuptools.build_meta:__legacy__"
#: What builds a tree without the table, https://peps.python.org/pep-0518/#build-system-table
LEGACY_REQUIRES = ("setuptools>=40.8.0",)
_BACKEND = re.compile(r"\w+(\.\w+)*(:\w+(\.\w+)*)?")


@dataclass(frozen=True, kw_only=True)
class BuildSystem:
    """What builds a source tree: `requires` (PEP 508), the backend, and where it is when it is part of the tree.

    Once the backend is known, `requires` holds what its hook will add, too; where only the hook itself can tell,
    `dynamic` says so. `words` are those of a setup.py which show that it uses what newer releases have removed.
    """

    requires: tuple[str, ...] = LEGACY_REQUIRES
    backend: str = LEGACY_BACKEND
    backend_path: tuple[str, ...] = ()
    dynamic: bool = False
    words: tuple[str, ...] = ()


def read(directory: Path) -> dict[str, Any]:
    """Return the content of a directory's pyproject.toml, empty when there is none. Raises `UserError` on bad TOML."""
    path = directory / FILE
    # A link that leads to itself, or a directory of that name, is none.
    return parse(drafts.content(path), str(path)) if path.is_file() else {}


def parse(content: bytes, shown: str) -> dict[str, Any]:
    """Return the content of a pyproject.toml, which messages call `shown`. Raises `UserError` on bad TOML."""
    try:
        return documents.toml(content)
    except ValueError as error:
        raise UserError(f"{shown}: not a TOML file: {error}", MEND) from None


def table(content: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Return the table below these keys, one after the other; an empty one where there is none, or something else."""
    found: Any = content
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, dict) else {}


def texts(value: object) -> list[str]:
    """Return the texts of a list; nothing of what is none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def build_system(content: Mapping[str, Any], shown: str) -> BuildSystem:
    """Return the build system that the content of a pyproject.toml declares, or the one for trees that declare none.

    Raises `UserError` for a table that is not as the specification has it.
    """
    if "build-system" not in content:
        return BuildSystem()
    system, name = content["build-system"], f"{shown}: [build-system]"
    if not isinstance(system, dict):
        raise UserError(f"{name} is no table", MEND)
    backend, path = system.get("build-backend", LEGACY_BACKEND), system.get("backend-path", [])
    if not isinstance(backend, str) or not _BACKEND.fullmatch(backend):
        raise UserError(f"{name}: build-backend is no `module:object`", MEND)
    # So has flit-core 2, and what reads a text by its characters, as pip does, finds the same in it.
    path = ["."] if path == "." else path
    if not _are_texts(path) or not all(item.isprintable() for item in path):
        raise UserError(f"{name}: backend-path is no list of directories", MEND)
    # https://peps.python.org/pep-0517/#in-tree-build-backends
    away = next((item for item in path if (posixpath.normpath(item) + "/").startswith(("/", "../"))), None)
    if away is not None:
        raise UserError(f"{name}: backend-path leads out of the source: {away!r}", MEND)
    if "requires" not in system:
        raise UserError(f"{name} has no list `requires`", MEND)
    requires = requirement_texts.checked(system["requires"], f"{name}, requires", MEND)
    return BuildSystem(requires=requires, backend=backend, backend_path=tuple(path))


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
