"""The interpreters a package is built for: `.python-version`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from toolkit.core.errors import UserError
from toolkit.model.targets import Targets
from toolkit.project import lines
from toolkit.project.discovery import Package, Project

FILE = ".python-version"
_VERSION = re.compile(r"3\.\d+(\.\d+)?")
_HINT = "write one version a line, such as 3.11 or 3.11.7"


def candidates(project: Project, package: Package) -> tuple[Path, ...]:
    """Return the files that may say it, first come first: the package's, then the project's."""
    return tuple(dict.fromkeys((package.path / FILE, project.root / FILE)))


def read(project: Project, package: Package) -> Targets:
    """Return the interpreters of a package; without a `.python-version`, the minor version of the running one.

    Raises `UserError` on a line that is not a version such as `3.11` or `3.11.7`, and on a file that names none.
    """
    path = next((path for path in candidates(project, package) if path.is_file()), None)
    if path is None:
        return Targets(pythons=(f"{sys.version_info.major}.{sys.version_info.minor}",))
    shown = project.shown(path)
    origins: dict[str, str] = {}
    exact: dict[str, None] = {}
    for number, text in lines.read(path, project.root):
        for version in text.split():
            if not _VERSION.fullmatch(version):
                raise UserError(f"{shown}:{number}: not a Python version: `{version}`", _HINT)
            minor = ".".join(version.split(".")[:2])
            origins.setdefault(minor, f"{shown}:{number}")
            if version != minor:
                exact[version] = None
    if not origins:
        raise UserError(f"{shown}: no version in it", _HINT)
    return Targets(pythons=tuple(origins), exact=tuple(exact), file=shown, origins=origins)
