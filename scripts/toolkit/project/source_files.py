"""The source of a local package: which files are its own, and their fingerprint."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

#: Directories that are no part of a package's source, at any depth.
_SKIPPED = frozenset({"vendor", "dist", "build", "debian", "__pycache__", "node_modules"})
#: What a checkout of this toolkit holds besides what its library is built from.
_TOOLKIT_ONLY = frozenset({"scripts", "tests", "bench", "docs", "stand", "templates"})


def source_files(directory: Path) -> Iterator[Path]:
    """Yield the files of the package in `directory`, relative and sorted, without those of packages nested in it."""
    skipped = _SKIPPED | (_TOOLKIT_ONLY if (directory / "scripts" / "toolkit").is_dir() else frozenset())
    for parent, directories, names in os.walk(directory):
        directories[:] = sorted(
            name
            for name in directories
            if name not in skipped
            and not name.startswith(".")
            and not name.endswith(".egg-info")
            and not _is_package(Path(parent, name))
        )
        for name in sorted(names):
            path = Path(parent, name)
            if not name.endswith(".pyc") and not name.startswith(".") and path.exists():
                yield path.relative_to(directory)


def _is_package(directory: Path) -> bool:
    return (directory / "setup.py").exists() or (directory / "pyvenv.cfg").exists()


def fingerprint(directory: Path) -> str:
    """Return a sha256 over the names, execute bits and contents of a package's files."""
    digest = hashlib.sha256()
    for path in source_files(directory):
        content = (directory / path).read_bytes()
        executable = os.access(directory / path, os.X_OK)
        digest.update(f"{path.as_posix()}\0{executable}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def copy(directory: Path, target: Path) -> None:
    """Copy a package's files to `target`, which is made; links become the files they point to."""
    for path in source_files(directory):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(directory / path, target / path)


def import_roots(directory: Path) -> tuple[Path, ...]:
    """Return what of a package has to be on sys.path: its src/ where its modules are there, else the package itself."""
    source = directory / "src"
    return (source,) if source.is_dir() and not (source / "__init__.py").exists() else (directory,)
