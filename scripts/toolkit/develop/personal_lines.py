"""The lines of local-requirements.txt, and all that another project requires."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from toolkit.core.errors import UserError
from toolkit.project import lines
from toolkit.project.discovery import Project
from toolkit.requirements import requirements
from toolkit.requirements.requirement_line import Directory, Include, parse

#: A requirement (PEP 508), and `file:line`.
Line = tuple[str, str]


def read(path: Path, root: Path, directories: dict[Path, None]) -> Iterator[Line]:
    """Yield the requirements of a local-requirements.txt, and add other projects that it names to `directories`.

    A line is a requirement, a path, or (as for mkdevelvirtualenv) the name of a clone in the project's directory.
    Raises `UserError`.
    """
    for number, text in lines.read(path, root):
        origin = f"{lines.shown(path, root)}:{number}"
        if (root / text / "setup.py").is_file() or (root / text / "pyproject.toml").is_file():
            directories[(root / text).resolve()] = None
            continue
        item = parse(text, origin)
        if isinstance(item, Include):
            raise UserError(f"{origin}: `{text}`", f"{path.name} includes no other file: name the requirements here")
        if isinstance(item, Directory):
            directory = path.parent / item.path
            if not directory.is_dir():
                raise UserError(
                    f"{origin}: there is no directory {directory}", "correct the path: it is relative to this file"
                )
            directories[directory.resolve()] = None
        else:
            yield item.text, origin


def of_project(other: Project) -> Iterator[Line]:
    """Yield all that another project's packages require: at run time, for tests and for development."""
    for package in other.packages:
        if not package.is_service or (package.path / requirements.FILE).is_file():
            yield from _lines(requirements.read_tree(other, package, (sys.platform,)), other)
        for name in (requirements.TESTS_FILE, requirements.DEVELOPMENT_FILE):
            yield from _lines(requirements.read_tree(other, package, (sys.platform,), name), other)


def _lines(tree: requirements.RequirementTree, other: Project) -> Iterator[Line]:
    return ((line.text, f"{other.root.name}/{line.origin}") for line in tree.requirements)
