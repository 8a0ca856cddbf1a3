"""Versions of local packages that distributions from an index require."""

from __future__ import annotations

import re
from dataclasses import dataclass

from toolkit.core.foreign_text import quoted
from toolkit.model import requirement_texts
from toolkit.model.lock import Distribution
from toolkit.project.discovery import Project

_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A requirement that a local package does not meet: what is wrong and where, and what to do."""

    what: str
    hint: str


def fault(project: Project, item: Distribution, text: str) -> Fault | None:
    """Return what is wrong where the requirement `text` of a distribution names a local package of another version."""
    # Every verb comes here, and hardly any requirement is of a local package: no other is read.
    name = _NAME.match(text)
    package = project.find(name[0]) if name else None
    requirement = requirement_texts.parse(text) if package else None
    if not package or not requirement or not package.version:
        return None
    from packaging.version import InvalidVersion

    try:
        fits = requirement.specifier.contains(package.version, prereleases=True)
    except InvalidVersion:
        return None
    place = f"{project.shown(package.path)}/"
    wanted = quoted(f"{requirement.name}{requirement.specifier}")
    return (
        None
        if fits
        else Fault(
            what=f"{item.name} {item.version} requires {wanted}, but {place} is version {package.version}",
            hint=f"bring {place} to a version that fits, or constrain {item.name} to a version that takes this one",
        )
    )
