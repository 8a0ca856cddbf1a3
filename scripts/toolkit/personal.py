"""What a developer has beside the project: local-requirements.txt, and other projects given by `--extra-project`.

Other projects are linked as the project's own packages are. What they and local-requirements.txt require comes from the
index, in versions that agree with the lock; it is resolved when one of these files or the lock changes, and remembered.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from toolkit import lines, lock, requirements, ui
from toolkit import project as projects
from toolkit.interpreter import Interpreter
from toolkit.places import Places
from toolkit.project import Package, Project
from toolkit.requirement_line import Directory, Include, parse
from toolkit.settings import Settings

FILE = "local-requirements.txt"


@dataclass(frozen=True, kw_only=True)
class PersonalWheel:
    """A wheel for a requirement that is not the project's; `path` is in the cache, and may be gone from it."""

    name: str
    version: str
    sha256: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class Personal:
    """What is asked for: `extra` packages to link, and `wanted`, requirements with where they stand."""

    extra: tuple[Package, ...]
    wanted: tuple[tuple[str, str], ...]


def read(project: Project, given: Iterable[Path], settings: Settings) -> Personal:
    """Read local-requirements.txt of the project and of its packages, and all requirements of the other projects.

    A line that is a path is another project too. What the project itself provides is passed over. Raises `UserError`.
    """
    directories: dict[Path, None] = dict.fromkeys(path.expanduser().resolve() for path in given)
    own: list[tuple[str, str]] = []
    for place in dict.fromkeys((project.root, *(package.path for package in project.packages))):
        own += _read_local(place / FILE, project.root, directories)
    inside = {package.path for package in project.packages}
    others = [_discover(directory, settings) for directory in directories if directory not in inside]
    extra = {package.name: package for other in others for package in other.packages if not project.find(package.name)}
    asked = [*own, *(line for other in others for line in _lines_of(other))]
    provided = {package.name for package in project.packages} | extra.keys()
    wanted = {text: origin for text, origin in asked if _name(text) not in provided}
    return Personal(extra=tuple(extra.values()), wanted=tuple(wanted.items()))


def _read_local(path: Path, root: Path, directories: dict[Path, None]) -> Iterator[tuple[str, str]]:
    if not path.is_file():
        return
    for number, text in lines.read(path, root):
        origin = f"{lines.shown(path, root)}:{number}"
        item = parse(text, origin)
        if isinstance(item, Directory):
            directories[_existing(path.parent / item.path, origin)] = None
        elif isinstance(item, Include):
            raise ui.UserError(f"{origin}: `{text}`", f"{FILE} includes no other file: name the requirements here")
        elif (root / text / "setup.py").is_file() or (root / text / "pyproject.toml").is_file():
            # As mkdevelvirtualenv has it: the name of a clone in the project's directory.
            directories[root / text] = None
        else:
            yield item.text, origin


def _existing(path: Path, origin: str) -> Path:
    if not path.is_dir():
        raise ui.UserError(f"{origin}: there is no directory {path}", "correct the path: it is relative to this file")
    return path.resolve()


def _discover(directory: Path, settings: Settings) -> Project:
    if not directory.is_dir():
        raise ui.UserError(f"--extra-project {directory}: there is no such directory", "name a checkout of a project")
    return projects.discover(replace(settings, project=directory, packages=(), services=()))


def _lines_of(other: Project) -> Iterator[tuple[str, str]]:
    """Yield all that another project's packages require: at run time, for tests and for development."""
    for package in other.packages:
        if not (package.is_service and not (package.path / requirements.FILE).is_file()):
            yield from _lines(requirements.read_tree(other, package, platforms=(sys.platform,)), other)
        for name in (requirements.TESTS_FILE, requirements.DEVELOPMENT_FILE):
            yield from _lines(requirements.read_tree(other, package, name, (sys.platform,)), other)


def _lines(tree: requirements.Tree, other: Project) -> Iterator[tuple[str, str]]:
    return ((line.text, f"{other.root.name}/{line.origin}") for line in tree.requirements)


def _name(text: str) -> str:
    from packaging.requirements import Requirement

    return lock.normalize(Requirement(text).name)


def wheels(asked: Personal, pins: Sequence[str], provided: Sequence[str], used: Interpreter, places: Places,
           remembered: Mapping[str, Any], is_there: Iterable[str]) -> tuple[dict[str, PersonalWheel], dict[str, Any]]:
    """Return the wheels that are asked for, by name, and what to remember for the next time.

    `pins` (`name==version`) hold for all of them and are not among them, nor is what is `provided`; `is_there` are
    hashes of wheels that are not needed as files any more. Raises `UserError`.
    """
    if not asked.wanted:
        return {}, {}
    key = _fingerprint(asked, pins, provided, used.full_version, places)
    found = _recall(remembered, key)
    if found is None or any(not item.path.exists() and item.sha256 not in set(is_there) for item in found.values()):
        indexes = places.enter()
        # Above the network line: only the tools environment has what this needs.
        from toolkit import personal_wheels

        ui.step("RESOLVE", f"{len(asked.wanted)} requirements beside the lock")
        found = personal_wheels.get(dict(asked.wanted), pins, provided, used, indexes)
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
