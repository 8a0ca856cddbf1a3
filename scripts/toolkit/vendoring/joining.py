"""Local packages that no file of the project names, but something from an index requires: they join the closure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from toolkit.core.errors import UserError
from toolkit.model import requirement_texts
from toolkit.model.lock import Distribution, LocalPackage, Lock
from toolkit.model.names import normalize
from toolkit.project.discovery import Project
from toolkit.requirements.lock_inputs import LockInputs
from toolkit.vendored import local_versions
from toolkit.vendoring import direct_requirements


def required(
    project: Project, inputs: LockInputs, packages: Iterable[Distribution], platforms: tuple[str, ...]
) -> Mapping[str, set[str]]:
    """Return the names of the local packages that distributions require on some target, each with its extras.

    What is taken with `--no-deps` requires nothing. Raises `UserError` for a local package of another version.
    """
    silent = {rule.name for rule in inputs.binary if rule.no_deps}
    everything = Lock(
        service=inputs.name,
        pythons=inputs.targets.pythons,
        platforms=platforms,
        packages=tuple(item for item in packages if item.name not in silent),
        local=tuple(LocalPackage(name=package.name, path="") for package in project.packages),
        direct=direct_requirements.of_project(project, inputs),
    )
    found: dict[str, set[str]] = {}
    for item in direct_requirements.in_force(everything).packages:
        for text in item.requires:
            requirement = requirement_texts.parse(text)
            if requirement and (package := project.find(requirement.name)):
                if fault := local_versions.fault(project, item, text):
                    raise UserError(fault.what, fault.hint)
                found.setdefault(normalize(package.name), set()).update(requirement.extras)
    return found
