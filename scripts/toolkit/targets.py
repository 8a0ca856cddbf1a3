"""The interpreters a package is built for: `.python-version`."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolkit import lines, ui
from toolkit.project import Package, Project

FILE = ".python-version"
_VERSION = re.compile(r"3\.\d+(\.\d+)?")


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Interpreter versions, in the order of the file.

    `pythons` are minor versions (`3.11`), each once; `exact` the lines that give a patch version too (`3.11.7`);
    `file` is relative to the project, empty when there is none; `origins` gives `file:line` of each minor version.
    """

    pythons: tuple[str, ...]
    exact: tuple[str, ...] = ()
    file: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)


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
        raise ui.UserError(f"{shown}: no version in it", "write one version a line, such as 3.11 or 3.11.7")
    exact = tuple(dict.fromkeys(version for version in versions if version.count(".") == 2))
    return Targets(pythons=tuple(origins), exact=exact, file=shown, origins=origins)


def _versions(line: tuple[int, str], shown: str, origins: dict[str, str]) -> list[str]:
    number, text = line
    versions = text.split()
    for version in versions:
        if not _VERSION.fullmatch(version):
            raise ui.UserError(f"{shown}:{number}: not a Python version: `{version}`",
                               "write one version a line, such as 3.11 or 3.11.7")
        origins.setdefault(".".join(version.split(".")[:2]), f"{shown}:{number}")
    return versions
