"""The file that a requirement of a package belongs to, as a hint names it: the one that is there."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.project import lines
from toolkit.project.discovery import Package
from toolkit.requirements import declared_requirements
from toolkit.requirements.declared_requirements import Declaration
from toolkit.requirements.requirements import FILE, GROUPS


def shown(package: Package, filename: str = FILE) -> str:
    """Return where a requirement is to be written: a file of this name, or what declares the same where there is none.

    `filename` is requirements.txt, test-requirements.txt or dev-requirements.txt; paths are relative to the project.
    """
    root = package.root or package.path.parent
    path = package.path / filename
    if not path.is_file():
        for what, found in _declared(package, filename):
            files = [item.path for item in found] or [package.path / name for name in declared_requirements.FILES]
            file = next((file for file in files if file.is_file()), path)
            return f"{what} in {lines.shown(file, root)}"
    return lines.shown(path, root)


def _declared(package: Package, filename: str) -> Sequence[tuple[str, tuple[Declaration, ...]]]:
    """Return what is declared beside such a file, each with what a person calls it."""
    if filename == FILE:
        found = declared_requirements.dependencies(package.path)
        return [] if found is None else [("the dependencies", found)]
    groups = ((name, declared_requirements.group(package.path, name)) for name in GROUPS[filename])
    return [(f"the group `{name}`", found) for name, found in groups if found is not None]
