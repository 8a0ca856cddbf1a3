"""The Rust packages of a package of the project: in its own directory, and beside and above it in the project."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from toolkit.core import git
from toolkit.core.errors import UserError
from toolkit.crates import cargo_lock, cargo_manifest, cargo_workspace
from toolkit.crates.cargo_workspace import Workspace
from toolkit.project import package_search, pyproject, source_files
from toolkit.project.source_files import FilesBeside


@dataclass(frozen=True, kw_only=True)
class LocalRust:
    """What of Rust the build of the package in `directory` compiles; the workspaces' directories are those of `root`.

    Crates that it brings (`cargo vendor`) do not count: those of its Cargo.lock are vendored as any other.
    """

    directory: Path
    root: Path
    workspaces: tuple[Workspace, ...]

    @property
    def shown(self) -> str:
        """Return what messages call the package: its directory in the project."""
        return self.directory.relative_to(self.root).as_posix()

    @cached_property
    def beside(self) -> FilesBeside | None:
        """Return what is compiled with the package, but is none of its own files; None for nothing."""
        own = {self.directory / path for path in source_files.source_files(self.directory)}
        needed = {self.root / name for name in (*self._locks, *self._settings)}
        for place in {place for each in self.workspaces for place in (*each.packages, each.directory)}:
            needed.add(self.root / place / cargo_manifest.FILE)
        for place in {place for each in self.workspaces for place in each.packages}:
            needed |= {self.root / place / path for path in source_files.source_files(self.root / place)}
        more = sorted(path for path in needed - own if path.is_file())
        top = self.directory if all(path.is_relative_to(self.directory) for path in more) else self.root
        return FilesBeside(top=top, files=tuple(path.relative_to(top) for path in more)) if more else None

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Return the files that decide which crates there are, whether they exist or not."""
        manifests = {place for each in self.workspaces for place in (*each.packages, each.directory)}
        names = map(cargo_manifest.path, manifests)
        return tuple(self.root / name for name in sorted({*names, *self._locks, *self._settings}))

    def refuse_ignored(self) -> None:
        """Raise `UserError` for a Cargo.lock that only this machine has, so that packages would be built without it."""
        for name in sorted(self._locks):
            path = self.root / name
            if path.is_file() and git.ask(path.parent, "check-ignore", "--", path.name):
                raise UserError(
                    f"{name}: git ignores it, so it would be missing where packages are built",
                    f"take its line out of .gitignore, and commit it: `git add {name}`",
                )

    @property
    def _locks(self) -> set[str]:
        return {lock_path(each) for each in self.workspaces}

    @property
    def _settings(self) -> set[str]:
        paths = cargo_workspace.settings_paths(cargo_manifest.below("", self.shown))
        return {name for name in paths if (self.root / name).is_file()}


def lock_path(workspace: Workspace) -> str:
    """Return where the Cargo.lock of a workspace is, or would be, in its source tree."""
    return f"{workspace.directory}/{cargo_lock.FILE}".lstrip("/")


def read(directory: Path, root: Path) -> LocalRust:
    """Return what of Rust a package of the project at `root` compiles.

    Raises `UserError` for files that make no sense, or are not in the project.
    """
    below = cargo_manifest.below("", directory.relative_to(root).as_posix())
    own = (cargo_manifest.below(below, name) for name in (pyproject.FILE, "setup.py"))
    told = [name for name in (*own, *cargo_workspace.settings_paths(below)) if (root / name).is_file()]
    names = [*told, *_cargo_files(root)]
    contents = {name: (root / name).read_bytes() for name in cargo_workspace.wanted(names, "", below)}
    found = LocalRust(directory=directory, root=root, workspaces=cargo_workspace.of_files(contents, names, "", below))
    for text in (text for workspace in found.workspaces for text in workspace.absent):
        raise UserError(text, "bring it into the project (as a submodule, say), or name a release of it")
    return found


def _cargo_files(root: Path) -> Iterator[str]:
    for parent, directories, names in os.walk(root):
        here = Path(parent)
        directories[:] = sorted(name for name in directories if not _holds_none(here / name))
        yield from (
            (here / name).relative_to(root).as_posix()
            for name in sorted(names)
            if name in (cargo_manifest.FILE, cargo_lock.FILE) and (here / name).is_file()
        )


def _holds_none(directory: Path) -> bool:
    return (
        package_search.holds_no_source(directory)
        or package_search.is_environment(directory)
        or package_search.is_toolkit(directory)
    )
