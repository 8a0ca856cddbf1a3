"""Patches, applied to the unpacked source of a distribution; nothing outside of that is touched."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.archives import archive
from toolkit.core import directories, files
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.model.lock import Patch
from toolkit.sources import unified_diff
from toolkit.sources.unified_diff import FilePatch, PatchError

_HINT = "make the patch anew for this source (`quilt push -f`, `quilt refresh -p ab`), or remove it"


class UnfitError(UserError):
    """A patch that cannot be applied to a source."""


@dataclass(frozen=True, kw_only=True)
class PatchSource:
    """A patch of a lock, and where it is."""

    patch: Patch
    path: Path


def of_project(patches: Iterable[Patch], project: Path) -> tuple[PatchSource, ...]:
    """Return patches with where they are in a project."""
    return tuple(PatchSource(patch=patch, path=project / patch.path) for patch in patches)


def extract(path: Path, directory: Path, patches: Sequence[PatchSource]) -> Path:
    """Unpack an archive as `archive.extract` does, and apply patches in their order. Raises `UserError`."""
    top = archive.extract(path, directory)
    if patches:
        # Later than all else, so that what is generated from a file that has changed is generated anew; and no clock.
        regular = (file for file in top.rglob("*") if file.is_file() and not file.is_symlink())
        newest = max((int(file.stat().st_mtime) for file in regular), default=0)
        for number, source in enumerate(patches, 1):
            _apply(top, source, min(newest + number, archive.NEWEST))
    return top


def repack(path: Path, target: Path, patches: Sequence[PatchSource]) -> None:
    """Write what patches make of an archive, as a tar file at `target`, for who reads archives. Raises `UserError`."""
    with directories.scratch("patched-") as scratch:
        (tree := scratch / "tree").mkdir()
        top, made = extract(path, tree, patches), scratch / "made.tar"
        with tarfile.open(made, "w") as output:
            output.add(top, "source")
        shutil.move(made, target)


def _apply(top: Path, source: PatchSource, time: int) -> None:
    content = source.path.read_bytes() if source.path.is_file() else b""
    name = source.patch.path
    if hashlib.sha256(content).hexdigest() != source.patch.sha256:
        raise UserError(f"{name}: not the patch that is locked", "run `make vendor`")
    where = name
    try:
        for change in unified_diff.read(content):
            where = f"{name}: {change.path}"
            _change(top, change, time)
            where = name
    except PatchError as error:
        raise UnfitError(f"{where}: {error}", error.hint or _HINT) from None


def _change(top: Path, change: FilePatch, time: int) -> None:
    """Make the change of one file."""
    path = top / change.path
    _refuse_links(top, change)
    if change.kind == "create":
        if os.path.lexists(path):
            raise PatchError("the source has a file of that name already")
        path.parent.mkdir(parents=True, exist_ok=True)
        content, mode = b"", 0o644
    else:
        if not path.is_file():
            raise PatchError("there is no such file")
        content, mode = path.read_bytes(), stat.S_IMODE(path.stat().st_mode)
    changed = unified_diff.apply(content, change.hunks)
    if change.kind == "delete":
        if changed:
            raise PatchError("the file that it removes has more lines")
        path.unlink()
        return
    if change.executable is not None:
        mode = 0o755 if change.executable else 0o644
    # A new file: another member may be a hard link to the old one.
    files.write_atomic(path, changed, mode)
    os.utime(path, (time, time))


def _refuse_links(top: Path, change: FilePatch) -> None:
    """Raise `PatchError` where a path leads through a symbolic link, which may lead anywhere, or through a file."""
    path = top
    for part in change.path.parts:
        path /= part
        if path.is_symlink():
            raise PatchError(
                f"{quoted(str(path.relative_to(top)))} is a symbolic link", "patch the file that it leads to"
            )
    for parent in list(path.parents)[: len(change.path.parts) - 1]:
        if os.path.lexists(parent) and not parent.is_dir():
            raise PatchError(f"{quoted(str(parent.relative_to(top)))} is no directory")
