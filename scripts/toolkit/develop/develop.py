"""The verb `develop`: an environment with all that the project's developers need, and the project's packages linked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolkit.build.building_options import BuildOptions
from toolkit.core import files
from toolkit.core.errors import UserError
from toolkit.develop import assembly, interpreter_choice, personal, supply, virtualenv, workon
from toolkit.develop.assembly import Environment, EnvironmentOptions
from toolkit.develop.personal import Personal
from toolkit.develop.supply import WheelSources
from toolkit.develop.workon import State
from toolkit.model.interpreter import Interpreter
from toolkit.model.lock import Lock
from toolkit.model.pins import Pinned
from toolkit.project.discovery import Package, Project
from toolkit.project.settings import Settings
from toolkit.vendored import check, lock_file


def run(
    project: Project, chosen: Sequence[Package], settings: Settings, build: BuildOptions, options: EnvironmentOptions
) -> tuple[Path, Interpreter]:
    """Make the environment, or bring the one there to the locks of `chosen`; return where it is, and its interpreter.

    Raises `UserError`; then the environment that was there is as it was.
    """
    prefix = workon.home() / workon.check_name(project.root.name if options.name is None else options.name)
    with files.exclusive(_lock_directory(prefix), "create-virtual-environment"):
        workon.recover(prefix)
        _refuse_what_is_not_ours(prefix, options)
        found = _environment(prefix, project, chosen, settings, build, options)
        assembly.bring_about(found)
    return prefix, found.interpreter


def _lock_directory(prefix: Path) -> Path:
    # Not the environment itself, which is replaced, nor their directory, which all projects share.
    directory = files.cache_root() / "environments" / hashlib.sha256(os.fsencode(prefix)).hexdigest()[:16]
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{files.cache_root()}: the toolkit's cache cannot be written: {error.strerror}",
            "set XDG_CACHE_HOME to a directory that you can write to",
        ) from None
    return directory


def _refuse_what_is_not_ours(prefix: Path, options: EnvironmentOptions) -> None:
    if os.path.lexists(prefix) and not workon.is_ours(prefix) and not options.force:
        what = "an environment that something else made" if (prefix / "pyvenv.cfg").exists() else "something else"
        raise UserError(f"{prefix}: there is {what}", "--force replaces it; -n NAME makes another beside it")


def _environment(
    prefix: Path,
    project: Project,
    chosen: Sequence[Package],
    settings: Settings,
    build: BuildOptions,
    options: EnvironmentOptions,
) -> Environment:
    check.require(project, settings, hashes=False)
    locks = [lock_file.of_package(project, package, settings.vendor) for package in chosen]
    pythons = [python for python in locks[0].pythons if all(python in item.pythons for item in locks)]
    if not pythons:
        needs = "; ".join(f"{item.service} needs Python {', '.join(item.pythons)}" for item in locks)
        raise UserError(f"no Python fits all: {needs}", "name one service: --services DIRECTORY")
    used = interpreter_choice.choose(project, chosen, pythons, options.python)
    state = workon.read(prefix)
    beside = personal.read(project, options.extra, settings)
    own = [package.name for package in (*project.packages, *beside.extra)]
    made = WheelSources(
        project=project,
        settings=settings,
        options=build,
        used=used,
        building=interpreter_choice.builder(used),
        nodes=supply.nodes(locks, used, settings, own),
        indexes=options.indexes,
    )
    if options.binary:
        made = replace(made, binary=supply.offered(locks, made.nodes, used))
    made, remembered = _with_personal(made, beside, own, locks, state)
    return Environment(
        prefix=prefix,
        project=project,
        supply=_with_pip(made),
        options=options,
        state=state,
        extra=beside.extra,
        remembered=remembered,
    )


def _with_personal(
    made: WheelSources, beside: Personal, own: Sequence[str], locks: Sequence[Lock], state: State | None
) -> tuple[WheelSources, Mapping[str, Any]]:
    """Add what the developer has beside the project, and return what to remember of it."""
    archives = {d.name: d.version for item in locks for d in item.distributions() if d.kind == "archive"}
    pins = [Pinned(node.name, node.version) for node in made.nodes.values() if archives.get(node.name) != node.version]
    found, remembered = personal.wheels(
        beside,
        pins,
        {**dict.fromkeys(own, ""), **archives},
        made.used,
        made.indexes,
        state.personal if state else {},
        state.distributions.values() if state else (),
    )
    return replace(made, personal=found), remembered


def _with_pip(made: WheelSources) -> WheelSources:
    pip = virtualenv.bundled_pip(made.used)
    return replace(made, bundled={"pip": pip}) if pip and "pip" not in {*made.nodes, *made.personal} else made
