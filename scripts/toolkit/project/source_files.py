"""The source of a local package: which files are its own, and their fingerprint."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from toolkit.core.errors import UserError
from toolkit.project import package_search

#: What a checkout of this toolkit holds besides what its library is built from.
_TOOLKIT_ONLY = frozenset({"scripts", "tests", "bench", "docs", "stand", "templates"})


@dataclass(frozen=True, kw_only=True)
class FilesBeside:
    """What a package is built from beside its own files: `files`, relative to `top`, which the package is in, too."""

    top: Path
    files: tuple[Path, ...]


def source_files(directory: Path) -> Iterator[Path]:
    """Yield the files of the package in `directory`, relative and sorted, without those of packages nested in it."""
    skipped = _TOOLKIT_ONLY if package_search.is_toolkit(directory) else frozenset()
    for parent, directories, names in os.walk(directory):
        directories[:] = sorted(
            name
            for name, path in ((name, Path(parent, name)) for name in directories)
            if name not in skipped and not package_search.holds_no_source(path) and not _is_another(path, directory)
        )
        for name in sorted(names):
            path = Path(parent, name)
            if not name.endswith(".pyc") and not name.startswith(".") and path.exists():
                yield path.relative_to(directory)


def _is_another(directory: Path, package: Path) -> bool:
    """Tell whether a directory in a package is one of its own, or a virtual environment; samples belong to it."""
    parents = (package / part for part in directory.relative_to(package).parts[:-1])
    try:
        is_package = package_search.is_package(directory) and not any(map(package_search.holds_samples, parents))
        return is_package or package_search.is_environment(directory)
    except UserError:
        # What tests read, say; one that is to be a package is refused where packages are looked for.
        return False


def fingerprint(directory: Path, paths: Iterable[Path] | None = None) -> str:
    """Return a sha256 over the names, execute bits and contents of a package's files, or of some in a directory."""
    digest = hashlib.sha256()
    for path in source_files(directory) if paths is None else paths:
        content = (directory / path).read_bytes()
        executable = os.access(directory / path, os.X_OK)
        digest.update(f"{path.as_posix()}\0{executable}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def copy(directory: Path, target: Path, paths: Iterable[Path] | None = None) -> None:
    """Copy a package's files, or some of a directory, to `target`, made if need be; links become what they point to."""
    for path in source_files(directory) if paths is None else paths:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(directory / path, target / path)


def import_roots(directory: Path) -> tuple[Path, ...]:
    """Return what of a package has to be on sys.path: its src/ where its modules are there, else the package itself."""
    source = directory / "src"
    return (source,) if source.is_dir() and not (source / "__init__.py").exists() else (directory,)
