"""What a developer has beside the project: local-requirements.txt, and other projects given by `--extra-project`.

Other projects are linked as the project's own packages are. What they and local-requirements.txt require comes from the
index, in versions that agree with the lock; it is resolved when one of these files or the lock changes, and remembered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.develop.personal_wheel import PersonalWheel
from toolkit.model.interpreter import Interpreter
from toolkit.model.pins import Pinned
from toolkit.network import tools_environment
from toolkit.network.index_options import IndexOptions
from toolkit.project import discovery
from toolkit.project.discovery import Package, Project
from toolkit.project.settings import Settings

FILE = "local-requirements.txt"


@dataclass(frozen=True, kw_only=True)
class Personal:
    """What is asked for: `extra` packages to link, and `wanted`, requirements with where they stand."""

    extra: tuple[Package, ...] = ()
    wanted: tuple[tuple[str, str], ...] = ()


def read(project: Project, given: Iterable[Path], settings: Settings) -> Personal:
    """Read local-requirements.txt of the project and of its packages, and all requirements of the other projects.

    A line that is a path is another project too. What the project itself provides is passed over. Raises `UserError`.
    """
    directories: dict[Path, None] = dict.fromkeys(path.expanduser().resolve() for path in given)
    places = dict.fromkeys((project.root, *(package.path for package in project.packages)))
    present = [place / FILE for place in places if (place / FILE).is_file()]
    if not present and not directories:
        return Personal()
    # Most have none of this, and what reads it takes long to load.
    from toolkit.develop import personal_lines

    own = [line for path in present for line in personal_lines.read(path, project.root, directories)]
    inside = {package.path for package in project.packages}
    others = [_discover(directory, settings) for directory in directories if directory not in inside]
    extra = {package.name: package for other in others for package in other.packages if not project.find(package.name)}
    asked = [*own, *(line for other in others for line in personal_lines.of_project(other))]
    provided = {package.name for package in project.packages} | extra.keys()
    wanted = {text: origin for text, origin in asked if personal_lines.name_of(text) not in provided}
    return Personal(extra=tuple(extra.values()), wanted=tuple(wanted.items()))


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
    remembered: Mapping[str, Any],
    is_there: Iterable[str],
) -> tuple[dict[str, PersonalWheel], dict[str, Any]]:
    """Return the wheels that are asked for, by name, and what to remember for the next time.

    `pins` hold for all of them and are not among them, nor is what is `provided`; `is_there` are
    hashes of wheels that are not needed as files any more. Raises `UserError`.
    """
    if not asked.wanted:
        return {}, {}
    key = _fingerprint(asked, pins, provided, used.full_version, indexes)
    found = _recall(remembered, key)
    if found is None or any(not item.path.exists() and item.sha256 not in set(is_there) for item in found.values()):
        tools_environment.enter(indexes)
        # Above the network line: only the tools environment has what this needs.
        from toolkit.develop import personal_wheels
        from toolkit.network import index_settings

        console.step("RESOLVE", f"{len(asked.wanted)} requirements beside the lock")
        found = personal_wheels.get(dict(asked.wanted), pins, provided, used, index_settings.read(indexes))
    kept = [{**asdict(item), "path": str(item.path)} for item in found.values()]
    return found, {"key": key, "wheels": kept}


def _fingerprint(asked: Personal, *parts: object) -> str:
    text = json.dumps([[wanted for wanted, _ in asked.wanted], *map(repr, parts)])
    return hashlib.sha256(text.encode()).hexdigest()


def _recall(remembered: Mapping[str, Any], key: str) -> dict[str, PersonalWheel] | None:
    if remembered.get("key") != key:
        return None
    items = (PersonalWheel(**{**item, "path": Path(item["path"])}) for item in remembered["wheels"])
    return {item.name: item for item in items}
