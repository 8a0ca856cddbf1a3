"""The files of a source package: those that git tracks, as in the work tree; of the toolkit what a build uses."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from toolkit.core import console, git, process
from toolkit.core.errors import UserError
from toolkit.debian import library, rules_exports
from toolkit.project import package_search, patches, vcs_versions
from toolkit.project.debian_control import Control
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.requirements import fingerprints
from toolkit.vendored import lock_file

#: All of the toolkit that a package build uses.
_TOOLKIT = (
    "project.mk",
    "scripts",
    "yc_common",
    "setup.py",
    "setup.cfg",
    "pyproject.toml",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "requirements*.txt",
    "vendor.txt",
    "build-constraints.txt",
    "build-requirements.txt",
    "build-settings.toml",
    ".python-version",
)


def export(project: Project, settings: Settings, packaging: Control, target: Path) -> int:
    """Copy the project to `target`, which is made, and return the number of files. Modes become 644 and 755.

    The content is that of the work tree. Files of vendor/ are taken as they were checked, tracked or not; a packaging
    that was made for the build replaces debian/. Raises `UserError` for a file that is not tracked and without which
    the package could not be built, and warns of others.
    """
    paths = list_files(project, settings, packaging)
    if project.services:
        rules_exports.warn(project, packaging.path.with_name("rules"))
    _require(project, settings, packaging, set(paths))
    # What is tracked may have been removed; and a submodule that no build uses is a directory.
    present = [path for path in paths if (settings.project / path).is_symlink() or (settings.project / path).is_file()]
    for path in present:
        _copy(settings.project / path, target / path)
    if library.is_generated(settings, packaging):
        shutil.rmtree(target / "debian", ignore_errors=True)
        shutil.copytree(packaging.path.parent, target / "debian", symlinks=True)
        for package in project.locked:
            vcs_versions.write(target / project.shown(package.path), package.version)
    return len(present)


def list_files(project: Project, settings: Settings, packaging: Control) -> list[str]:
    """Return the paths of the files that make the source package, relative to the project and sorted."""
    root = settings.project
    # A packaging that was made for the build has dh-python build, without the toolkit.
    patterns = () if library.is_generated(settings, packaging) else _TOOLKIT
    toolkit = _toolkit(settings, is_used=bool(patterns))
    tracked = _tracked(root)
    if tracked:
        _warn_of_untracked(project)
    else:
        console.warn(f"{root}: not a git repository, so every file in it goes into the source package")
        tracked = list(_all(root))
    kept = {path for path in tracked if _is_source(PurePosixPath(path), root, toolkit, patterns)}
    if project.services:
        kept |= {f"vendor/{path.name}" for path in settings.vendor.iterdir() if path.is_file() and path.name != ".git"}
    return sorted(kept)


def _toolkit(settings: Settings, *, is_used: bool) -> PurePosixPath:
    """Return the toolkit's directory relative to the project, empty for one outside.

    Raises `UserError` if it is outside, and the build in the source package uses it.
    """
    if not settings.toolkit.is_relative_to(settings.project):
        if not is_used:
            return PurePosixPath()
        raise UserError(
            f"{settings.project}: uses the toolkit in {settings.toolkit}, which is outside of the project",
            "add the toolkit as a git submodule, `git submodule add <its repository> common`, and link to that",
        )
    return PurePosixPath(settings.toolkit.relative_to(settings.project))


def _tracked(root: Path) -> list[str]:
    """Return what git tracks, submodules included; nothing where no git repository holds the project."""
    if not git.is_in_repository(root):
        return []
    return _split(process.read(["git", "-C", root, "ls-files", "-z", "--recurse-submodules"]))


def _split(output: str) -> list[str]:
    return [path for path in output.split("\0") if path]


def _all(root: Path) -> Iterator[str]:
    """Yield the files of a project without git, but not what tools have generated."""
    for parent, directories, names in os.walk(root):
        directories[:] = [name for name in directories if not package_search.is_generated(Path(parent, name))]
        links = [name for name in directories if Path(parent, name).is_symlink()]
        yield from (Path(parent, name).relative_to(root).as_posix() for name in (*names, *links))


def _is_source(path: PurePosixPath, root: Path, toolkit: PurePosixPath, patterns: Iterable[str]) -> bool:
    """Tell whether a file goes into the source package; of the toolkit, only what matches the patterns."""
    if path.parts[0] == "vendor":
        return False
    # A library's own vendor/ serves its development only.
    for parent in path.parents:
        if parent.name == "vendor" and next((root / parent).glob("pylock.*.toml"), None):
            return False
    if toolkit.parts and path.is_relative_to(toolkit):
        first = PurePosixPath(path.relative_to(toolkit).parts[0])
        return any(first.match(pattern) for pattern in patterns)
    return True


def _warn_of_untracked(project: Project) -> None:
    for package in project.packages:
        output = process.read(["git", "-C", package.path, "ls-files", "-z", "--others", "--exclude-standard", "."])
        names = [name for name in _split(output) if not (package.is_root and name.startswith("vendor/"))]
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            name = project.shown(package.path / names[0])
            console.warn(f"{name}{more}: not in git, so not in the package; `git add` or ignore it")


def _require(project: Project, settings: Settings, packaging: Control, paths: set[str]) -> None:
    """Raise `UserError` for files that are not in the source package, but without which it cannot be built."""
    own = [] if library.is_generated(settings, packaging) else ["control", "rules", "changelog"]
    required = [*(["Makefile"] if project.services else []), *(f"debian/{name}" for name in own)]
    required += [project.shown(package.path / package.marker_file) for package in project.locked]
    for package in project.services:
        lock = lock_file.of_package(project, package, settings.vendor)
        required += fingerprints.files_in(lock.inputs)
        patched = {patch.path for item in lock.distributions() for patch in item.patches}
        series = {str(PurePosixPath(path).with_name(patches.SERIES)) for path in patched}
        required += sorted([*patched, *(path for path in series if (settings.project / path).exists())])
    missing = [path for path in required if path not in paths]
    if missing:
        exists = (settings.project / missing[0]).exists()
        raise UserError(
            f"{missing[0]}: {'not in git' if exists else 'there is none'}, and the package cannot be built without it",
            f"`git add {' '.join(dict.fromkeys(missing))}`" if exists else "the README says what a project consists of",
        )


def _copy(source: Path, target: Path) -> None:
    """Copy one file or link."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(os.readlink(source))
    else:
        shutil.copyfile(source, target)
        target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)


def size(directory: Path, paths: Iterable[str]) -> int:
    """Return the size of these files in bytes."""
    return sum((directory / path).lstat().st_size for path in paths if (directory / path).is_file())
