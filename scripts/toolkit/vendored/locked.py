"""The locks of a project as they are, with who needs whom: for verbs that explain, and change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.model.lock import Lock
from toolkit.project import fingerprints, lock_inputs, pyproject, submodules
from toolkit.project.discovery import Package, Project
from toolkit.project.lock_inputs import Wants
from toolkit.project.requirements import Line, Tree
from toolkit.project.settings import Settings
from toolkit.vendored import check, lock_file, vendored_metadata
from toolkit.vendored.dependency_graph import Edge, Kind, Needs
from toolkit.vendored.vendored_metadata import Said


def read(project: Project, settings: Settings) -> list[Needs]:
    """Return who needs whom for each lock. Warns of what is not as locked; raises `UserError` without a lock."""
    locks = require(project, settings)
    for problem in check.problems(project, settings, hashes=False):
        console.warn(f"{problem.what}; {problem.hint}")
    said = vendored_metadata.read_all(
        {d.key: d for item in locks for d in item.distributions()}.values(), settings.vendor
    )
    return [
        Needs(lock=item, said={**said, **_local(project, item)}, written=tuple(_written(project, package, item)))
        for package, item in zip(project.locked, locks, strict=True)
    ]


def require(project: Project, settings: Settings) -> list[Lock]:
    """Return the locks of a project, and raise `UserError` when one is missing."""
    if submodules.is_empty(settings.vendor):
        raise UserError("vendor/: there is nothing in it", "run `make vendor`")
    return [
        lock_file.read(lock_file.path_of(settings.vendor, project.lock_name(package))) for package in project.locked
    ]


def _local(project: Project, locked: Lock) -> dict[str, Said]:
    """Return what the local packages of a lock name to build with."""
    return {
        item.name: Said(build=vendored_metadata.build_requires(pyproject.read(project.root / item.path)))
        for item in locked.local
    }


def _written(project: Project, package: Package, locked: Lock) -> Iterator[Edge]:
    """Yield what files of the project ask for."""
    read = lock_inputs.read(
        project, package, tuple(locked.inputs.get(f"{fingerprints.SETTING}PLATFORMS", "linux").split())
    )
    owners = [member for member in (*read.local, package) if any(item.name == member.name for item in locked.local)]
    yield from _lines(project, owners, read.tree, package, "runtime")
    yield from _lines(project, owners, read.tests, package, "tests")
    yield from _lines(project, owners, read.development, package, "tests")
    yield from _only_in_vendor_txt(read)


def _lines(project: Project, owners: Iterable[Package], tree: Tree, reader: Package, kind: Kind) -> Iterator[Edge]:
    for line in (*tree.requirements, *tree.uses):
        owner = _owner(project, owners, line, reader)
        if owner.name != line.name:
            own = kind if owner == reader else "runtime"
            yield Edge(source=owner.name, target=line.name, kind=own, text=line.text, origin=line.origin)


def _owner(project: Project, owners: Iterable[Package], line: Line, reader: Package) -> Package:
    """Return the package whose directory the line's file is in, the innermost; one outside of all is the reader's."""
    path: Path = project.root / line.file
    around = [owner for owner in owners if path.is_relative_to(owner.path)]
    return max(around, key=lambda owner: len(owner.path.parts), default=reader)


def _only_in_vendor_txt(read: Wants) -> Iterator[Edge]:
    named = {line.name for line in read.lines}
    for rule in read.binary:
        if rule.name not in named:
            text = f"{rule.name}{rule.specifier}"
            yield Edge(source=read.package.name, target=rule.name, kind="runtime", text=text, origin=rule.origin)
