"""What is built for a service is complete: each requirement that a wheel has is met by another one, at its version.

Locks are resolved from what an index, an sdist and requirements.txt say. What counts where a service runs is the
metadata that its wheels have in the end: https://packaging.python.org/en/latest/specifications/core-metadata/
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.core import files, threads
from toolkit.core.foreign_text import quoted
from toolkit.model import markers, requirement_texts
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.interpreter import Interpreter
from toolkit.model.lock import Lock
from toolkit.model.names import normalize
from toolkit.project.discovery import Project
from toolkit.requirements import requirement_files, vendor_txt
from toolkit.vendored import check
from toolkit.vendored.check import Problem
from toolkit.wheel import metadata

if TYPE_CHECKING:
    from packaging.requirements import Requirement


#: Part of what is kept: a change in what is checked makes it be checked again.
_RECIPE = 1


def require(project: Project, lock: Lock, wheels: Collection[Path], interpreter: Interpreter, kept: Path) -> None:
    """Raise `UserError` with every requirement of the wheels of a service that none of them meets.

    `kept` is a file that says what was found to be complete: of the same wheels and lock that is not asked again, which
    would be a seventh of a build that has nothing to do.
    """
    silent = _without_dependencies(project)
    local = sorted((package.name, package.version, str(package.path)) for package in project.packages)
    known = [_RECIPE, lock, sorted(silent), local, interpreter, sorted(map(_identity, wheels))]
    digest = hashlib.sha256(repr(known).encode()).hexdigest()
    if kept.is_file() and kept.read_bytes() == digest.encode():
        return
    read = threads.each(metadata.read, wheels)
    installed = {normalize(found.name): found for found in read}
    check.refuse(list(problems(project, lock, installed, interpreter)))
    kept.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomic(kept, digest)


def _identity(wheel: Path) -> tuple[str, int, int, int]:
    status = wheel.stat()
    return str(wheel), status.st_size, status.st_mtime_ns, status.st_ino


def problems(
    project: Project,
    lock: Lock,
    installed: Mapping[str, CoreMetadata],
    interpreter: Interpreter,
    unknown: Collection[str] = (),
) -> Iterator[Problem]:
    """Yield what is missing among the installed distributions, by name; each with the chain that asks for it.

    What vendor.txt takes with `--no-deps` requires nothing: its people have said so. Any version will do of those that
    are installed in an `unknown` one.
    """
    found = closure(project, lock, installed, interpreter)
    for name, requirement in found.unmet():
        if normalize(requirement.name) not in unknown:
            yield _problem(project, found, name, requirement)


def closure(project: Project, lock: Lock, installed: Mapping[str, CoreMetadata], interpreter: Interpreter) -> Closure:
    """Return the installed distributions, by name, and who requires whom among them."""
    return Closure(lock=lock, installed=installed, interpreter=interpreter, silent=_without_dependencies(project))


@dataclass(frozen=True, kw_only=True)
class Closure:
    """The distributions of a service, and who requires whom among them; those that are `silent` require nothing."""

    lock: Lock
    installed: Mapping[str, CoreMetadata]
    interpreter: Interpreter
    silent: Collection[str]

    def unmet(self) -> Iterator[tuple[str, Requirement]]:
        """Yield each requirement that is not met, with the name of the distribution that has it."""
        for name in self.installed:
            for requirement in self._in_force(name):
                found = self.installed.get(normalize(requirement.name))
                if not found or not _fits(requirement, found.version):
                    yield name, requirement

    def chain(self, name: str) -> list[str]:
        """Return the names on the shortest way from the service to a distribution; that alone where none leads there.

        Lines of requirements.txt lead on, too: the metadata of a local package need not repeat them.
        """
        root = self.lock.local[-1].name if self.lock.local else ""
        before, queue = {root: ""}, deque([root])
        while queue:
            here = queue.popleft()
            lines = (line.name for line in self.lock.direct or () if line.source == here and line.kind == "runtime")
            for target in (*lines, *(normalize(item.name) for item in self._in_force(here))):
                if target not in before:
                    before[target] = here
                    queue.append(target)
        found = [name]
        while before.get(found[-1]):
            found.append(before[found[-1]])
        return found[::-1]

    def _in_force(self, name: str) -> list[Requirement]:
        """Return the requirements of a distribution whose marker holds, for the extras that are asked for."""
        extras = self._extras.get(name, set())
        return [item for item in self._requirements.get(name, ()) if self._holds(item, extras)]

    def _holds(self, requirement: Requirement, extras: Iterable[str]) -> bool:
        environment = self.interpreter.marker_environment
        return any(markers.holds(requirement.marker, environment, extra) for extra in ("", *extras))

    @cached_property
    def _requirements(self) -> Mapping[str, list[Requirement]]:
        # A text that is no requirement is passed over, as resolvers do: old metadata may hold anything.
        return {
            name: [item for text in found.requires if (item := requirement_texts.parse(text))]
            for name, found in self.installed.items()
            if name not in self.silent
        }

    @cached_property
    def _extras(self) -> Mapping[str, set[str]]:
        """Return the extras that are asked for, by name; an extra may ask for others."""
        asked: dict[str, set[str]] = {}
        for line in self.lock.direct or ():
            found = requirement_texts.parse(line.text) if line.kind == "runtime" else None
            if found and self._holds(found, ()):
                asked.setdefault(normalize(found.name), set()).update(found.extras)
        before = -1
        while before != (before := sum(map(len, asked.values()))):
            for name, requirements in self._requirements.items():
                for item in requirements:
                    if item.extras and self._holds(item, asked.get(name, ())):
                        asked.setdefault(normalize(item.name), set()).update(item.extras)
        return asked


def _fits(requirement: Requirement, version: str) -> bool:
    from packaging.version import InvalidVersion

    try:
        # One that is pinned may be a pre-release: what resolved it has allowed that.
        return requirement.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return False


def _problem(project: Project, closure: Closure, name: str, requirement: Requirement) -> Problem:
    wanted = normalize(requirement.name)
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    text = quoted(f"{requirement.name}{extras}{requirement.specifier}")
    found, package = closure.installed.get(wanted), project.find(wanted)
    place = f" from {project.shown(package.path)}/" if package else ""
    there = f"installed is {wanted} {found.version}{place}" if found else "which is not installed"
    what = f"{' -> '.join(closure.chain(name))} requires {text}, {'but ' if found else ''}{there}"
    return Problem(what=what, hint=_hint(project, closure, name, text, wanted))


def _hint(project: Project, closure: Closure, name: str, text: str, wanted: str) -> str:
    owner, package = project.find(name), project.find(wanted)
    if package and wanted in closure.installed:
        return f"bring {project.shown(package.path)}/ to a version that fits, or take another version of {name}"
    if package:
        return f"run `make vendor`: {project.shown(package.path)}/ is the package of that name"
    reader = owner or project.find(closure.chain(name)[0]) or project.find(closure.lock.service)
    file = requirement_files.shown(reader) if reader else "requirements.txt"
    if owner:
        return f"add the line {text} to {file} and run `make vendor`, or remove it from what {name} declares"
    # Its build has named what its files did not.
    return f"if {name} is to have it, add the line {text} to {file} and run `make vendor`"


def _without_dependencies(project: Project) -> set[str]:
    directories = dict.fromkeys((project.root, *(package.path for package in project.packages)))
    files = (directory / vendor_txt.FILE for directory in directories)
    return {name for file in files for name in vendor_txt.without_dependencies(file, project.root)}
