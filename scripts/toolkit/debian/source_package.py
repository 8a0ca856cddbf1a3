"""The source package: the exported tree, for `3.0 (quilt)` an upstream tarball beside it, packed."""

from __future__ import annotations

import gzip
import os
import re
import tarfile
from contextlib import nullcontext
from pathlib import Path

from toolkit.core import process
from toolkit.debian import source_tree
from toolkit.project.debian_control import Control
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings


def write(project: Project, settings: Settings, control: Control, directory: Path) -> tuple[Path, int]:
    """Export the project into an empty directory, pack it there, and return the .dsc and the number of files in it.

    The same files make the same bytes. Raises `UserError`.
    """
    tree = directory / f"{control.name}-{control.upstream_version}"
    count = source_tree.export(project, settings, control, tree)
    # vendor/ is compressed already: the lowest level does.
    options = ["-Zgzip", "-z1"] if control.is_native else []
    if not control.is_native:
        write_upstream_tarball(control, tree)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(control.changelog.signature().timestamp)}
    process.run(["dpkg-source", *options, "--build", tree.name], cwd=directory, env=environment)
    return directory / f"{control.name}_{control.file_version}.dsc", count


def write_upstream_tarball(control: Control, tree: Path) -> Path:
    """Write `<source>_<version>.orig.tar.gz` beside a tree: all of it but debian/, the same bytes for the same files.

    Every file is as old as the changelog's newest entry. vendor/ is compressed already: the lowest level does.
    """
    epoch = control.changelog.signature().timestamp
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


def checksums(dsc: Path) -> list[str]:
    """Return what a .dsc says of its files: hash, size, name; one that was signed since says the same."""
    return re.findall(r"^ ([0-9a-f]{64} \d+ \S+)$", dsc.read_text(encoding="utf-8"), re.MULTILINE)


def files_of(dsc: Path) -> list[Path]:
    """Return a .dsc and the files that it names, beside it."""
    names = {line.split()[2] for line in checksums(dsc)}
    return [dsc, *(dsc.parent / name for name in sorted(names))]
