"""What a source package needs besides the exported tree: for `3.0 (quilt)` the upstream tarball."""

from __future__ import annotations

import gzip
import os
import tarfile
from contextlib import nullcontext
from pathlib import Path

from toolkit.control import Control


def write_upstream_tarball(control: Control, tree: Path, epoch: int) -> Path:
    """Write `<source>_<version>.orig.tar.gz` beside a tree: all of it but debian/, the same bytes for the same files.

    `epoch` (seconds since 1970) becomes the time of every file. vendor/ is compressed already: the lowest level does.
    """
    target = tree.parent / f"{control.name}_{control.upstream_version}.orig.tar.gz"
    top = Path(f"{control.name}-{control.upstream_version}")
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for path in _sorted(tree):
            member = _anonymous(archive.gettarinfo(path, os.path.normpath(top / path.relative_to(tree))), epoch)
            with path.open("rb") if member.isreg() else nullcontext() as content:
                archive.addfile(member, content)
    return target


def _sorted(tree: Path) -> list[Path]:
    found = []
    for parent, directories, names in os.walk(tree):
        if Path(parent) == tree:
            directories.remove("debian")
        found += [Path(parent), *(Path(parent, name) for name in names)]
        found += [Path(parent, name) for name in directories if Path(parent, name).is_symlink()]
    return sorted(found, key=lambda path: path.relative_to(tree).as_posix())


def _anonymous(member: tarfile.TarInfo, epoch: int) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = epoch
    return member
