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
    versions = [word for line in lines.read(path, project.root) for word in _versions(line, shown, origins)]
    if not versions:
        raise UserError(f"{shown}: no version in it", "write one version a line, such as 3.11 or 3.11.7")
    exact = tuple(dict.fromkeys(version for version in versions if version.count(".") == 2))
    return Targets(pythons=tuple(origins), exact=exact, file=shown, origins=origins)


def _versions(line: tuple[int, str], shown: str, origins: dict[str, str]) -> list[str]:
    number, text = line
    versions = text.split()
    for version in versions:
        if not _VERSION.fullmatch(version):
            raise UserError(
                f"{shown}:{number}: not a Python version: `{version}`",
                "write one version a line, such as 3.11 or 3.11.7",
            )
        origins.setdefault(".".join(version.split(".")[:2]), f"{shown}:{number}")
    return versions
