"""The source package: the exported tree, for `3.0 (quilt)` an upstream tarball beside it, packed."""

from __future__ import annotations

import gzip
import os
import re
import tarfile
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
    tree = directory / control.tree
    count = source_tree.export(project, settings, control, tree)
    if not control.is_native:
        write_upstream_tarball(control, tree)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(control.changelog.signature().timestamp)}
    process.run(["dpkg-source", *options(control), "--build", tree.name], cwd=directory, env=environment)
    return directory / f"{control.name}_{control.file_version}.dsc", count


def options(control: Control) -> list[str]:
    """Return dpkg-source's options of compression: the lowest level, as what is large, vendor/, is compressed already.

    For `3.0 (quilt)` there are none: what it compresses is debian/ alone.
    """
    return ["-Zgzip", "-z1"] if control.is_native else []


def write_upstream_tarball(control: Control, tree: Path) -> None:
    """Write `<source>_<version>.orig.tar.gz` beside a tree: all of it but debian/, the same bytes for the same files.

    Every file is as old as the newest entry of the changelog.
    """
    epoch = control.changelog.signature().timestamp
    top = control.tree

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if member.name == f"{top}/debian":
            return None
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = epoch
        return member

    with (
        (tree.parent / f"{control.name}_{control.upstream_version}.orig.tar.gz").open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        archive.add(tree, top, filter=anonymous)


def checksums(dsc: Path) -> list[str]:
    """Return hash, size and name of each file that a .dsc names; a signature changes none of them."""
    return re.findall(r"^ ([0-9a-f]{64} \d+ \S+)$", dsc.read_text(encoding="utf-8"), re.MULTILINE)


def files_of(dsc: Path) -> list[Path]:
    """Return a .dsc and the files that it names, beside it."""
    names = {line.split()[2] for line in checksums(dsc)}
    return [dsc, *(dsc.parent / name for name in sorted(names))]
