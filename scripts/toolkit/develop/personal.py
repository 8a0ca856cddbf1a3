"""What a developer adds to the project: local-requirements.txt, and other projects given by `--extra-project`.

Other projects are linked as the project's own packages are. What they and local-requirements.txt require comes from the
index, in versions that agree with the lock; it is resolved when one of these files or the lock changes, and remembered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.build.building_options import BuildOptions
from toolkit.core import console
from toolkit.core.documents import Table
from toolkit.core.errors import UserError
from toolkit.develop.wheel_sources import ReadyWheel
from toolkit.develop.workon import State
from toolkit.model.interpreter import Interpreter
from toolkit.model.names import normalize
from toolkit.model.pins import Pinned
from toolkit.network import tools_environment
from toolkit.network.index_options import IndexOptions
from toolkit.project import discovery
from toolkit.project.discovery import Package, Project
from toolkit.project.settings import Settings

FILE = "local-requirements.txt"


@dataclass(frozen=True, kw_only=True)
class Personal:
    """The `extra` packages to link, and the `requirements` (PEP 508), each with its `file:line`."""

    extra: tuple[Package, ...] = ()
    requirements: Mapping[str, str] = field(default_factory=dict)


def read(project: Project, given: Iterable[Path], settings: Settings) -> Personal:
    """Read local-requirements.txt of the project and of its packages, and all requirements of the other projects.

    A line that is a path is another project too. Requirements that a linked package meets are left out. Raises
    `UserError`.
    """
    directories: dict[Path, None] = dict.fromkeys(path.expanduser().resolve() for path in given)
    owners = dict.fromkeys((project.root, *(package.path for package in project.packages)))
    present = [owner / FILE for owner in owners if (owner / FILE).is_file()]
    if not present and not directories:
        return Personal()
    # Most have none of this, and what reads it takes long to load.
    from packaging.requirements import Requirement

    from toolkit.develop import personal_lines

    own = [line for path in present for line in personal_lines.read(path, project.root, directories)]
    inside = {package.path for package in project.packages}
    others = [_discover(directory, settings) for directory in directories if directory not in inside]
    extra = {package.name: package for other in others for package in other.packages if not project.find(package.name)}
    asked = [*own, *(line for other in others for line in personal_lines.of_project(other))]
    provided = {package.name for package in project.packages} | extra.keys()
    found = {text: origin for text, origin in asked if normalize(Requirement(text).name) not in provided}
    return Personal(extra=tuple(extra.values()), requirements=found)


def _discover(directory: Path, settings: Settings) -> Project:
    if not directory.is_dir():
        raise UserError(f"--extra-project {directory}: there is no such directory", "name a checkout of a project")
    return discovery.discover(replace(settings, project=directory, packages=(), services=()))


def wheels(
    asked: Personal,
    pins: Sequence[Pinned],
    provided: Mapping[str, str],
    used: Interpreter,
    indexes: IndexOptions,
    state: State | None,
    building: BuildOptions,
    logs: Path,
) -> tuple[dict[str, ReadyWheel], dict[str, Any]]:
    """Return the wheels that are asked for, by name, and what the environment's state is to remember of them.

    `pins` hold for all of them and are not among them, nor is what is `provided`; what has no wheel is built, with its
    output in `logs`. Raises `UserError`.
    """
    if not asked.requirements:
        return {}, {}
    key = _fingerprint(asked, pins, provided, used.full_version, indexes)
    found = _recall(state, key) if state else None
    if found is None:
        tools_environment.enter(indexes)
        # Above the network line: only the tools environment has what this needs.
        from toolkit.develop import personal_wheels
        from toolkit.network import index_settings

        console.step("RESOLVE", f"{len(asked.requirements)} requirements beside the lock")
        read = index_settings.read(indexes)
        found = personal_wheels.get(asked.requirements, pins, provided, used, read, building, logs)
    kept = [{**asdict(item), "path": str(item.path)} for item in found.values()]
    return found, {"key": key, "wheels": kept}


def _fingerprint(asked: Personal, *parts: object) -> str:
    text = json.dumps([list(asked.requirements), *map(repr, parts)])
    return hashlib.sha256(text.encode()).hexdigest()


def _recall(state: State, key: str) -> dict[str, ReadyWheel] | None:
    """Return the wheels that were resolved for the same key; None where one is neither in the cache nor installed."""
    personal = Table(state.personal)
    try:
        if personal.text("key") != key:
            return None
        wheels = [
            ReadyWheel(
                name=item.text("name"),
                version=item.text("version"),
                sha256=item.text("sha256"),
                path=Path(item.text("path")),
            )
            for item in personal.tables("wheels")
        ]
    except ValueError:
        return None
    if any(not wheel.path.exists() and wheel.sha256 not in state.distributions.values() for wheel in wheels):
        return None
    return {wheel.name: wheel for wheel in wheels}
