"""The verb `create-virtual-environment`: all that a project's developers need, and the project's packages linked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from toolkit.build.building_options import BuildOptions
from toolkit.core import console, files
from toolkit.core.errors import UserError
from toolkit.develop import assembly, interpreter_choice, ownership, personal, virtualenv, wheel_sources, workon
from toolkit.develop.assembly import Assembly, EnvironmentOptions
from toolkit.develop.wheel_sources import ReadyWheel, WheelSources
from toolkit.develop.workon import Environment, State
from toolkit.model.pins import Pinned
from toolkit.project.discovery import Package, Project
from toolkit.project.settings import Settings
from toolkit.vendored import check, lock_file


def run(
    project: Project, chosen: Sequence[Package], settings: Settings, build: BuildOptions, options: EnvironmentOptions
) -> Environment:
    """Make the environment of the locks of `chosen`, or update the existing one to them, and return it.

    Raises `UserError`; an existing environment is unchanged then.
    """
    with ownership.reserved(project.root, options.name, force=options.force) as prefix:
        target = _assembly(prefix, project, chosen, settings, build, options)
        assembly.run(target)
    return target


def refresh(project: Project, settings: Settings, build: BuildOptions) -> None:
    """Bring the environment of this project to its locks, with the options that it was made with, if it has one."""
    if not (state := _state_of(project)):
        return
    minor = ".".join(state.full_version.split(".")[:2])
    pythons = [lock_file.of_package(project, package, settings.vendor).pythons for package in project.locked]
    options = EnvironmentOptions(
        python=state.interpreter if all(minor in versions for versions in pythons) else "",
        system_site_packages=state.system_site_packages,
        binary=state.binary,
        extra=tuple(map(Path, state.extra)),
    )
    run(project, project.locked, settings, build, options)


def tell_behind(project: Project) -> None:
    """Say that the environment of this project, if it has one, is not that of its locks any more."""
    if _state_of(project):
        console.note("the development environment is behind: `./create-virtual-environment` brings it up to date")


def _state_of(project: Project) -> State | None:
    with suppress(UserError):
        prefix = ownership.own(project.root)
        return workon.read(prefix) if prefix else None
    return None


def _assembly(
    prefix: Path,
    project: Project,
    chosen: Sequence[Package],
    settings: Settings,
    build: BuildOptions,
    options: EnvironmentOptions,
) -> Assembly:
    check.require(project, settings, hashes=False)
    locks = [lock_file.of_package(project, package, settings.vendor) for package in chosen]
    pythons = [python for python in locks[0].pythons if all(python in lock.pythons for lock in locks)]
    if not pythons:
        locked = "; ".join(f"{lock.service} needs Python {', '.join(lock.pythons)}" for lock in locks)
        raise UserError(f"no Python fits all: {locked}", "name one service: --services DIRECTORY")
    used = interpreter_choice.choose(project, chosen, pythons, options.python)
    state = workon.read(prefix)
    asked = personal.read(project, options.extra, settings)
    packages = (*project.packages, *asked.extra)
    linked = [package.name for package in packages]
    nodes = wheel_sources.nodes(locks, used, settings, linked)
    archives = {d.name: d.version for lock in locks for d in lock.distributions() if d.kind == "archive"}
    pins = [Pinned(node.name, node.version) for node in nodes.values() if archives.get(node.name) != node.version]
    provided = {**dict.fromkeys(linked, ""), **archives}
    ready, remembered = personal.wheels(
        asked, pins, provided, used, options.indexes, state, build, settings.build / "logs"
    )
    pip = virtualenv.bundled_pip(used)
    if pip and "pip" not in {*nodes, *ready}:
        version = pip.name.split("-")[1]
        ready["pip"] = ReadyWheel(name="pip", version=version, sha256=files.sha256(pip), path=pip)
    return Assembly(
        prefix=prefix,
        project=project,
        interpreter=used,
        packages=packages,
        sources=WheelSources(
            project=project,
            settings=settings,
            options=build,
            used=used,
            building=interpreter_choice.builder(used),
            nodes=nodes,
            local={
                name: node for name, node in wheel_sources.local_nodes(locks, used, settings).items() if name in linked
            },
            binary=wheel_sources.offered(locks, nodes, used) if options.binary else {},
            ready=ready,
            indexes=options.indexes,
        ),
        options=options,
        locks=tuple(locks),
        state=state,
        personal=remembered,
    )
