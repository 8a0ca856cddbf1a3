"""Direct requirements in a lock: the project's lines, and of distributions those that hold on some target."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from packaging.markers import Marker
from packaging.requirements import Requirement

from toolkit.core import secrets
from toolkit.model import markers, requirement_texts
from toolkit.model.lock import DirectRequirement, Distribution, Lock
from toolkit.model.names import normalize
from toolkit.project.discovery import Package, Project
from toolkit.requirements.lock_inputs import LockInputs
from toolkit.requirements.requirements import Line


def of_project(project: Project, item: LockInputs) -> tuple[DirectRequirement, ...]:
    """Return the lines of the project's files that name something, each with the package whose file it stands in."""
    found = []
    for tree in (item.tree, item.tests, item.development):
        for line in (*tree.requirements, *tree.uses):
            owner = _owner(project, item, line)
            is_runtime = tree is item.tree or owner != item.package
            if owner.name != line.name:
                found.append(_direct(owner, line.name, line.text, line.origin, "runtime" if is_runtime else "tests"))
    found += [
        DirectRequirement(
            source=line.name,
            name=normalize(Requirement(line.requirement).name),
            kind="build",
            text=line.requirement,
            origin=line.origin,
        )
        for line in item.added
    ]
    return tuple(found)


def _direct(
    owner: Package, name: str, text: str, origin: str, kind: Literal["runtime", "tests"] = "runtime"
) -> DirectRequirement:
    # A lock holds no credentials.
    return DirectRequirement(source=owner.name, name=name, kind=kind, text=secrets.without_secrets(text), origin=origin)


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

    def holding(texts: Iterable[str], asked: Collection[str] = ()) -> tuple[str, ...]:
        parsed = {text: requirement_texts.parse(text) for text in texts}
        return tuple(
            text
            for text, found in parsed.items()
            if found and normalize(found.name) in names and _holds(found.marker, lock, asked)
        )

    def kept(item: Distribution) -> Distribution:
        requires = holding(item.requires, extras.get(item.name, ()))
        return replace(item, requires=requires, build_dependencies=holding(item.build_dependencies))

    return replace(
        lock,
        packages=tuple(map(kept, lock.packages)),
        build_packages=tuple(map(kept, lock.build_packages)),
        local=tuple(replace(item, build_dependencies=holding(item.build_dependencies)) for item in lock.local),
    )


def _holds(marker: Marker | None, lock: Lock, extras: Collection[str]) -> bool:
    environments = markers.environments(str(marker or ""), lock.pythons, lock.platforms)
    return any(markers.holds(marker, environment, extra) for environment in environments for extra in ("", *extras))


def _extras(lock: Lock) -> dict[str, set[str]]:
    """Return the extras that are asked for, by name: one set for all environments."""
    # Each with the distribution that has it; nothing for those of the project and of builds.
    texts = [("", line.text) for line in lock.direct or ()]
    texts += [("", text) for item in lock.distributions() for text in item.build_dependencies]
    texts += [("", text) for package in lock.local for text in package.build_dependencies]
    texts += [(item.name, text) for item in lock.distributions() for text in item.requires]
    parsed = [(source, found) for source, text in texts if (found := requirement_texts.parse(text)) and found.extras]
    asked: dict[str, set[str]] = {}
    size = -1
    while size != sum(map(len, asked.values())):
        size = sum(map(len, asked.values()))
        for source, requirement in parsed:
            if _holds(requirement.marker, lock, asked.get(source, ())):
                asked.setdefault(normalize(requirement.name), set()).update(requirement.extras)
    return asked
