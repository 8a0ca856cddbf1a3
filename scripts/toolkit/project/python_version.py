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
#: A branch that is still developed is pyenv's `3.14-dev`.
_VERSION = re.compile(r"3\.\d+(\.\d+|-dev)?")
_HINT = "write one version a line, such as 3.11 or 3.11.7"
#: What else pyenv takes, and why a lock cannot: whose pattern comes first counts.
_REASONS = {
    r"3": "it is another version on another machine",
    r"system": "it is another version on another machine",
    r"3\.\d+(\.\d+)?t(-dev)?": "no Debian package has an interpreter without its lock",
    r"3\.\d+\.\d+(a|b|rc)\d+": "a version that is not released is none to ship",
    r"(pypy|graalpy|jython|stackless|micropython|anaconda|miniconda|miniforge|mambaforge|cinder|nogil|pyston).*": (
        "packages run on Debian's CPython"
    ),
    r"[A-Za-z][\w.-]*|.*/envs/.*": "a virtual environment of pyenv is on one machine alone",
}


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
                reason = next((f"{why}; " for form, why in _REASONS.items() if re.fullmatch(form, version)), "")
                raise UserError(f"{shown}:{number}: not a Python version: `{version}`", f"{reason}{_HINT}")
            minor = ".".join(version.removesuffix("-dev").split(".")[:2])
            origins.setdefault(minor, f"{shown}:{number}")
            if version not in (minor, f"{minor}-dev"):
                exact[version] = None
    if not origins:
        raise UserError(f"{shown}: no version in it", _HINT)
    return Targets(pythons=tuple(origins), exact=tuple(exact), file=shown, origins=origins)
