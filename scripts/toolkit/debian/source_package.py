"""The source package: the exported tree, packed."""

from __future__ import annotations

import os
import re
from pathlib import Path

from toolkit.core import deb822, process
from toolkit.core.errors import UserError
from toolkit.debian import source_tree, upstream_tarball
from toolkit.project.debian_control import Control
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings

#: The name of a file that a source package consists of, as dpkg-source(1) has them.
_FILE = re.compile(r"[a-z0-9][a-z0-9+.-]+_[A-Za-z0-9.+~_-]+")


def write(project: Project, settings: Settings, control: Control, directory: Path) -> tuple[Path, int]:
    """Export the project into an empty directory, pack it there, and return the .dsc and the number of files in it.

    The same files make the same bytes. Raises `UserError`.
    """
    tree = directory / control.tree
    count = source_tree.export(project, settings, control, tree)
    if not control.is_native:
        upstream_tarball.place(control, tree, settings.project, settings.dist)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(control.changelog.signature().timestamp)}
    process.run(["dpkg-source", *options(control), "--build", tree.name], cwd=directory, env=environment)
    return directory / control.dsc, count


def options(control: Control) -> list[str]:
    """Return dpkg-source's options of compression: the lowest level, as what is large, vendor/, is compressed already.

    For `3.0 (quilt)` there are none: what it compresses is debian/ alone.
    """
    return ["-Zgzip", "-z1"] if control.is_native else []


def checksums(dsc: Path) -> list[str]:
    """Return hash, size and name of each file that a .dsc names; a signature changes none of them.

    The files are beside it: raises `UserError` for a name that leads elsewhere, or that no such file has.
    """
    found = re.findall(r"^ ([0-9a-f]{64} \d+ \S+)$", deb822.text(dsc), re.MULTILINE)
    for name in (line.split()[2] for line in found):
        if not _FILE.fullmatch(name):
            raise UserError(f"{dsc}: no name of a file of a source package: {name}", "build it anew, from your source")
    return found


def files_of(dsc: Path) -> list[Path]:
    """Return a .dsc and the files that it names, beside it."""
    names = {line.split()[2] for line in checksums(dsc)}
    return [dsc, *(dsc.parent / name for name in sorted(names))]
