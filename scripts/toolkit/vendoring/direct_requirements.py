"""Direct requirements in a lock: the project's lines, and of distributions those that hold on some target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement

from toolkit.model import markers
from toolkit.model.lock import DirectRequirement, Distribution, Lock
from toolkit.model.names import normalize
from toolkit.project.discovery import Package, Project
from toolkit.project.lock_inputs import LockInputs
from toolkit.project.requirements import Line, RequirementTree

Kind: TypeAlias = Literal["runtime", "tests"]


def of_project(project: Project, item: LockInputs) -> tuple[DirectRequirement, ...]:
    """Return the lines of the project's files that name something, each with the package whose file it stands in."""
    named = {line.name for line in item.lines}
    trees: tuple[tuple[RequirementTree, Kind], ...] = (
        (item.tree, "runtime"),
        (item.tests, "tests"),
        (item.development, "tests"),
    )
    return (
        *(found for tree, kind in trees for found in _lines(project, item, tree, kind)),
        *(
            DirectRequirement(
                source=item.package.name,
                name=rule.name,
                kind="runtime",
                text=f"{rule.name}{rule.specifier}",
                origin=rule.origin,
            )
            for rule in item.binary
            if rule.name not in named
        ),
    )


def _lines(project: Project, item: LockInputs, tree: RequirementTree, kind: Kind) -> Iterator[DirectRequirement]:
    for line in (*tree.requirements, *tree.uses):
        owner = _owner(project, item, line)
        if owner.name != line.name:
            own = kind if owner == item.package else "runtime"
            yield DirectRequirement(source=owner.name, name=line.name, kind=own, text=line.text, origin=line.origin)


def _owner(project: Project, item: LockInputs, line: Line) -> Package:
    """Return the package whose directory the line's file is in, the innermost; one outside of all is the reader's."""
    path: Path = project.root / line.file
    around = [owner for owner in item.local if path.is_relative_to(owner.path)]
    return max(around, key=lambda owner: len(owner.path.parts), default=item.package)


def in_force(lock: Lock) -> Lock:
    """Return a lock whose distributions keep only those requirements that hold on some target, of extras asked for.

    A text that is no requirement (PEP 508) is dropped: old metadata may hold anything.
    """
    extras = _extras(lock)
    names = {item.name for item in lock.distributions()} | {package.name for package in lock.local}

    def kept(item: Distribution) -> Distribution:
        return replace(
            item,
            requires=tuple(_holding(item.requires, lock, extras.get(item.name, set()), names)),
            build_dependencies=tuple(_holding(item.build_dependencies, lock, set(), names)),
        )

    return replace(
        lock,
        packages=tuple(map(kept, lock.packages)),
        build_packages=tuple(map(kept, lock.build_packages)),
        local=tuple(
            replace(package, build_dependencies=tuple(_holding(package.build_dependencies, lock, set(), names)))
            for package in lock.local
        ),
    )


def _holding(texts: Iterable[str], lock: Lock, extras: set[str], names: set[str]) -> Iterator[str]:
    for text in dict.fromkeys(texts):
        found = _parse(text)
        if found and normalize(found.name) in names and _holds(found.marker, lock, extras):
            yield text


def _holds(marker: Marker | None, lock: Lock, extras: set[str]) -> bool:
    environments = markers.environments(str(marker or ""), lock.pythons, lock.platforms)
    return marker is None or any(
        marker.evaluate({**environment, "extra": extra}) for environment in environments for extra in ("", *extras)
    )


def _extras(lock: Lock) -> dict[str, set[str]]:
    """Return the extras that are asked for, by name: one set for all environments."""
    # Each with the distribution that has it; nothing for those of the project and of builds.
    texts = [("", line.text) for line in lock.direct or ()]
    texts += [("", text) for item in lock.distributions() for text in item.build_dependencies]
    texts += [("", text) for package in lock.local for text in package.build_dependencies]
    texts += [(item.name, text) for item in lock.distributions() for text in item.requires]
    parsed = [(source, found) for source, text in texts if (found := _parse(text)) and found.extras]
    asked: dict[str, set[str]] = {}
    size = -1
    while size != sum(map(len, asked.values())):
        size = sum(map(len, asked.values()))
        for source, requirement in parsed:
            if _holds(requirement.marker, lock, asked.get(source, set())):
                asked.setdefault(normalize(requirement.name), set()).update(requirement.extras)
    return asked


def _parse(text: str) -> Requirement | None:
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None
