"""What a package is, where packages are looked for, and where one ends and another begins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from toolkit.core import git
from toolkit.core.errors import UserError
from toolkit.project import pyproject

#: What tools write into every project.
_GENERATED = frozenset({".git", ".tox", ".venv", "__pycache__", "build", "dist"})
#: What belongs to others, or to the project as a whole.
_FOREIGN = frozenset({"debian", "node_modules", "vendor"})

#: Packages in these are read by tests and by people; they are not parts of the project.
_SAMPLES = frozenset({"doc", "docs", "examples", "fixtures", "test", "testdata", "tests"})
_MARKER_FILES = ("setup.py", pyproject.FILE)


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


def is_foreign(directory: Path) -> bool:
    """Tell whether a directory is ignored, or one of those that hold the sources of others."""
    return is_ignored(directory) or is_toolkit(directory) or is_environment(directory)


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


def holds_no_source(directory: Path) -> bool:
    """Tell whether a directory is ignored, or a cache by the standard for that, as cargo's `target` is.

    https://bford.info/cachedir/
    """
    return is_ignored(directory) or (directory / "CACHEDIR.TAG").is_file()


def _has_modules(directory: Path) -> bool:
    return (directory / "__init__.py").is_file()


def holds_samples(directory: Path) -> bool:
    """Tell by its name whether the packages below a directory are samples; the directory itself may be a package."""
    return directory.name in _SAMPLES


def search(root: Path) -> Iterator[Path]:
    """Yield the packages at and below a directory: those that git has or would take, where there is git.

    Symbolic links are not followed: they may lead back up. Raises `UserError` where a pyproject.toml is no TOML.
    """
    yield from _search(root, root, _own(root))


def samples(root: Path) -> Iterator[Path]:
    """Yield the packages below a directory that `search` leaves out since they are samples, of tests or of documents.

    What is broken there is passed over. It raises nothing.
    """
    own = _own(root)
    for directory, names, _ in os.walk(root):
        path = Path(directory)
        names[:] = [name for name in names if not is_ignored(path / name) and (own is None or own.has(path / name))]
        if is_environment(path) or is_toolkit(path):
            names.clear()
        below = path.relative_to(root).parts[:-1]
        if not _SAMPLES.isdisjoint(below) and _has_marker_file(path, own):
            with suppress(UserError):
                if is_package(path):
                    yield path


@dataclass(frozen=True, kw_only=True)
class _Own:
    """What git has or would take (`paths`) below `top`, where a repository or the search begins."""

    top: Path
    paths: frozenset[str]

    def has(self, path: Path) -> bool:
        """Tell whether a path is one of them, or a directory with one of them."""
        name = path.relative_to(self.top).as_posix()
        return name in self.paths or name in self._directories

    @cached_property
    def _directories(self) -> frozenset[str]:
        return frozenset(str(parent) for path in self.paths for parent in PurePosixPath(path).parents)


def _own(top: Path) -> _Own | None:
    paths = git.own_paths(top)
    return None if paths is None else _Own(top=top, paths=paths)


def _search(directory: Path, root: Path, own: _Own | None) -> Iterator[Path]:
    if is_environment(directory):
        return
    if _has_marker_file(directory, own) and _is_package(directory, root):
        yield directory
    if is_toolkit(directory) or (directory != root and holds_samples(directory)):
        return
    try:
        with os.scandir(directory) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except PermissionError:
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False) and not is_ignored(path) and (own is None or own.has(path)):
            # A repository of its own, such as a submodule, is no more than a name in the one around it.
            yield from _search(path, root, _own(path) if own and (path / ".git").exists() else own)


def _has_marker_file(directory: Path, own: _Own | None) -> bool:
    return own is None or any(own.has(directory / name) for name in _MARKER_FILES)


def _is_package(directory: Path, root: Path) -> bool:
    try:
        return is_package(directory)
    except UserError:
        if directory != root and holds_samples(directory):
            return False
        raise
