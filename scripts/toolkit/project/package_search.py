"""What a package is, where packages are looked for, and where one ends and another begins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from toolkit.project import pyproject

#: What tools write into every project.
_GENERATED = frozenset({".git", ".tox", ".venv", "__pycache__", "build", "dist"})
#: What belongs to others, or to the project as a whole.
_FOREIGN = frozenset({"debian", "node_modules", "vendor"})


def is_package(directory: Path) -> bool:
    """Tell whether a directory holds a setup.py, or a pyproject.toml with `[build-system]` or `[project]`.

    Raises `UserError` where the pyproject.toml is no TOML.
    """
    if (directory / "setup.py").is_file():
        return True
    return not {"build-system", "project"}.isdisjoint(pyproject.read(directory))


def marker_file(directory: Path) -> str:
    """Return the name of the file that makes a directory a package."""
    return "setup.py" if (directory / "setup.py").is_file() else "pyproject.toml"


def is_toolkit(directory: Path) -> bool:
    """Tell whether a directory is a checkout of this toolkit, whose tests and templates hold packages of their own."""
    return (directory / "scripts" / "toolkit").is_dir() and (directory / "project.mk").is_file()


def is_environment(directory: Path) -> bool:
    """Tell whether a directory is a virtual environment (PEP 405)."""
    return (directory / "pyvenv.cfg").exists()


def is_generated(directory: Path) -> bool:
    """Tell by its name whether a directory holds what tools have written; modules of such a name are source."""
    name = directory.name
    return (name in _GENERATED or name.endswith(".egg-info")) and not _has_modules(directory)


def is_ignored(directory: Path) -> bool:
    """Tell by its name whether a directory holds neither packages nor what belongs to one."""
    is_foreign = directory.name in _FOREIGN and not _has_modules(directory)
    return directory.name.startswith(".") or is_foreign or is_generated(directory)


def _has_modules(directory: Path) -> bool:
    return (directory / "__init__.py").is_file()


def search(directory: Path) -> Iterator[Path]:
    """Yield the packages at and below a directory. Symbolic links are not followed: they may lead back up."""
    if is_environment(directory):
        return
    if is_package(directory):
        yield directory
    if is_toolkit(directory):
        return
    try:
        with os.scandir(directory) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except PermissionError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) and not is_ignored(Path(entry.path)):
            yield from search(Path(entry.path))
