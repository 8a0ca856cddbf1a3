"""Vagrant boxes that were made on this machine: their files, names and versions.

Only the standard library: a Vagrantfile asks for them on any laptop.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import files


@dataclass(frozen=True, kw_only=True)
class Box:
    """A finished box: its file, the catalogue that names it, and its name and version there."""

    path: Path
    catalogue: Path
    name: str
    version: str


def directory() -> Path:
    """Return the directory of boxes."""
    return files.cache_root() / "boxes"


def name(suite: str) -> str:
    """Return the name of the box of a suite."""
    return f"python-common/{suite}"


def find(suite: str) -> Box | None:
    """Return the box of a suite, if it was made."""
    catalogue = directory() / f"{suite}.json"
    try:
        version = json.loads(catalogue.read_text(encoding="utf-8"))["versions"][0]["version"]
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return None
    path = directory() / f"{suite}.box"
    return Box(path=path, catalogue=catalogue, name=name(suite), version=version) if path.is_file() else None
