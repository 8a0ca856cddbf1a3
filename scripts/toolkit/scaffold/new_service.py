"""The files of a new service, and whether its name is free."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from toolkit.core import git, process
from toolkit.core.deb822 import Paragraph
from toolkit.core.errors import UserError
from toolkit.project import debian_control, package_search, python_version
from toolkit.project.discovery import Package, Project
from toolkit.project.settings import Settings
from toolkit.scaffold import record, templates
from toolkit.scaffold.record import Scaffold

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 60
#: What a service is written with, each with its template: the library of this toolkit, or what Python has alone.
RUNTIMES = {"yc_common": "runtime", "none": "plain"}
#: Of a source package, which may be called as the service is, https://www.debian.org/doc/debian-policy/ch-controlfields.html
_SHORTEST = 2
#: Directories that a project has for something else: the toolkit, and what a stand is made of.
_OF_PROJECT = frozenset({"common", "stand"})
#: The first port of health and metrics; services of one project get one after the other.
_FIRST_PORT = 8081


def check_name(name: str, what: str = "service") -> None:
    """Raise `UserError` when a service cannot have this name: it becomes a module, a script, a unit and a package."""
    shortest = _SHORTEST if what == "service" else 1
    if NAME.fullmatch(name) and shortest <= len(name) <= _LONGEST:
        return
    better = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:_LONGEST].strip("-")
    raise UserError(
        f"{name!r} is not a valid name for a {what}: it has lower-case letters a-z, digits, and single hyphens between "
        f"them, begins with a letter and is {shortest} to {_LONGEST} characters long",
        f"how about {better}?" if len(better) >= shortest else "one such as mail-relay is valid",
    )


def read_setting(project: Path, name: str) -> str:
    """Return a setting such as NAMESPACE, as the project's makefile or the environment has it."""
    rule = f"print-setting: ; $(info $({name})) @:"
    words = ["make", "--no-print-directory", "--silent", f"--eval={rule}", "print-setting"]
    return process.read(words, cwd=project, env=process.without_make()).strip()


def scaffolds(
    project: Project, settings: Settings, name: str, summary: str = "", runtime: str = "", overlay: Sequence[str] = ()
) -> dict[str, Scaffold]:
    """Return what is written for a service, and as debian/ where the project has none yet.

    `summary` says what the service does; `runtime` is one of `RUNTIMES`, empty for that of a service that is there;
    templates of `overlay` are laid over these. Raises `UserError` when the name is not valid, or is taken by something
    other than this service, or git does not know who makes this.
    """
    check_name(name)
    check_name(settings.namespace, "namespace")
    names, stanzas = templates.names(name, settings.namespace), _stanzas(project.root)
    service = next((each for each in project.services if each.path == project.root / names["directory"]), None)
    if service:
        # Its package may be called as the service is.
        names["package"] = next(_packages(names, stanzas), names["package"])
    else:
        if name.startswith(f"{settings.namespace}-"):
            better = name.removeprefix(f"{settings.namespace}-")
            package = names["package"]
            raise UserError(f"{name}: its package and its script would be called {package}", f"how about {better}?")
        owner = next(_owners(project, names, stanzas), "")
        if owner:
            raise UserError(f"{name}: the name is taken: {owner}", "choose another name")
    summary = summary or (service.summary if service else "") or f"{name} service"
    values = {**names, "project": source_name(project.root, name), "summary": summary}
    values |= _project_values(project, names)
    kinds = ("service", RUNTIMES[runtime or _runtime_of(project.root / names["directory"])], *overlay)
    found = {record.service_key(name): Scaffold(templates=kinds, values=values)}
    if not stanzas:
        found["packaging"] = packaging(values["project"], git.identity(project.root))
    return found


def packaging(project: str, maintainer: str) -> Scaffold:
    """Return what is written as debian/ for all services together."""
    now = datetime.now(UTC)
    values = {"maintainer": maintainer, "date": format_datetime(now), "year": str(now.year), "project": project}
    return Scaffold(templates=("packaging",), values=values)


def _runtime_of(directory: Path) -> str:
    """Return what a service is written with, or will be where there is none yet."""
    path = directory / "requirements.txt"
    if not package_search.is_package(directory) or not path.is_file():
        return "yc_common"
    text = path.read_text(encoding="utf-8", errors="replace")
    return "yc_common" if re.search(r"^yc[-_.]common\b", text, re.MULTILINE | re.IGNORECASE) else "none"


def source_name(root: Path, service: str) -> str:
    """Return the source package's name: of debian/control, else of the directory if that can be, or of the service."""
    stanzas = _stanzas(root)
    if stanzas:
        return stanzas[0].get("Source")
    return root.name if NAME.fullmatch(root.name) and len(root.name) > 1 else service


def _stanzas(root: Path) -> list[Paragraph]:
    path = root / "debian" / "control"
    return debian_control.paragraphs(path) if path.exists() else []


def _project_values(project: Project, names: Mapping[str, str]) -> dict[str, str]:
    """Return the interpreters of the project's other services, and the first port that these leave free."""
    path = project.root / names["directory"]
    others = [service for service in project.services if service.path != path]
    example = others[0] if others else Package(path=path, name=names["module"], is_service=True)
    pythons = python_version.read(project, example).pythons
    oldest = min(pythons, key=lambda version: [int(part) for part in version.split(".")])
    port = _port(project.root / "debian" / "config" / names["service"] / "config.yaml")
    return {"python": "\n".join(pythons), "oldest": oldest, "port": port or str(_FIRST_PORT + len(others))}


def _port(configuration: Path) -> str:
    """Return the port of health and metrics of a service that is there, empty where it has none."""
    text = configuration.read_text(encoding="utf-8", errors="replace") if configuration.is_file() else ""
    found = re.search(r"^ +observe: \S+:(\d+)$", text, re.MULTILINE)
    return found[1] if found else ""


def _packages(names: Mapping[str, str], stanzas: Sequence[Paragraph]) -> Iterator[str]:
    """Yield the packages of debian/control that belong to a service of these names."""
    declared = [stanza.get("Package") for stanza in stanzas[1:]]
    yield from (name for name in (names["package"], names["service"]) if name in declared)


def _owners(project: Project, names: Mapping[str, str], stanzas: Sequence[Paragraph]) -> Iterator[str]:
    """Yield what has one of a new service's names already."""
    if package := project.find(names["module"]):
        yield f"{project.shown(package.path)}/ is the package {package.name}"
    for service in project.services:
        if service.service_name == names["service"]:
            yield f"{project.shown(service.path)}/ is a service of this name"
        if names["script"] in service.scripts:
            yield f"{project.shown(service.path)}/ has the script {names['script']}"
    for declared in _packages(names, stanzas):
        yield f"debian/control has the package {declared}"
    path = project.root / names["directory"]
    if path.name in _OF_PROJECT:
        yield f"{path.name}/ is a directory of the project itself"
    elif package_search.is_ignored(path):
        yield f"{path.name}/ is a directory that is never searched for packages"
    elif os.path.lexists(path):
        yield f"{path.name} exists already, and is not a service"
