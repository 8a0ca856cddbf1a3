"""The verb `develop`: an environment with all that the project's developers need, and the project's packages linked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit import (
    check,
    developer_interpreter,
    environment,
    files,
    linking,
    lock,
    personal,
    process,
    supply,
    sync,
    ui,
    virtualenv,
    workers,
    workon,
)
from toolkit.interpreter import Interpreter
from toolkit.lock import Lock
from toolkit.personal import Personal
from toolkit.places import Places
from toolkit.project import Package, Project
from toolkit.settings import Settings
from toolkit.supply import Supply
from toolkit.sync import Changes, Wanted
from toolkit.wheels import BuildOptions
from toolkit.workon import State


@dataclass(frozen=True, kw_only=True)
class DevelopmentOptions:
    """What the user chose: `name` of the environment (None: the project's), `python` (empty: by .python-version).

    `binary` takes wheels from the index, `extra` are directories of other projects, `places` is where indexes are.
    """

    name: str | None = None
    python: str = ""
    force: bool = False
    system_site_packages: bool = False
    dry_run: bool = False
    binary: bool = False
    extra: tuple[Path, ...] = ()
    places: Places = field(default_factory=Places)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An environment to be: where, for which project, from what; `state` is that of the one there, if it is ours."""

    prefix: Path
    project: Project
    supply: Supply
    options: DevelopmentOptions
    state: State | None
    extra: tuple[Package, ...] = ()
    remembered: Mapping[str, Any] = field(default_factory=dict)

    @property
    def interpreter(self) -> Interpreter:
        """Return the interpreter that it is for."""
        return self.supply.used

    @property
    def site(self) -> Path:
        """Return the directory of its modules."""
        return environment.site_packages(self.prefix, self.interpreter)

    @property
    def packages(self) -> tuple[Package, ...]:
        """Return the packages that it links."""
        return (*self.project.packages, *self.extra)

    @property
    def linked(self) -> tuple[str, ...]:
        """Return the names of the packages that it links."""
        return tuple(package.name for package in self.packages)


def run(project: Project, chosen: Sequence[Package], settings: Settings, build: BuildOptions,
        options: DevelopmentOptions) -> tuple[Path, Interpreter]:
    """Make the environment, or bring the one there to the locks of `chosen`; return where it is, and its interpreter.

    Raises `UserError`; then the environment that was there is as it was.
    """
    prefix = workon.home() / workon.check_name(project.root.name if options.name is None else options.name)
    with files.exclusive(_lock_directory(prefix), "create-virtual-environment"):
        workon.recover(prefix)
        _refuse_what_is_not_ours(prefix, options)
        found = _environment(prefix, project, chosen, settings, build, options)
        _bring_about(found)
    return prefix, found.interpreter


def _lock_directory(prefix: Path) -> Path:
    # Not the environment itself, which is replaced, nor their directory, which all projects share.
    directory = files.cache_root() / "environments" / hashlib.sha256(os.fsencode(prefix)).hexdigest()[:16]
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ui.UserError(f"{files.cache_root()}: the toolkit's cache cannot be written: {error.strerror}",
                           "set XDG_CACHE_HOME to a directory that you can write to") from None
    return directory


def _refuse_what_is_not_ours(prefix: Path, options: DevelopmentOptions) -> None:
    if os.path.lexists(prefix) and not workon.is_ours(prefix) and not options.force:
        what = "an environment that something else made" if (prefix / "pyvenv.cfg").exists() else "something else"
        raise ui.UserError(f"{prefix}: there is {what}", "--force replaces it; -n NAME makes another beside it")


def _environment(prefix: Path, project: Project, chosen: Sequence[Package], settings: Settings, build: BuildOptions,
                 options: DevelopmentOptions) -> Environment:
    check.require(project, settings, hashes=False)
    locks = [lock.read(lock.path_of(settings.vendor, project.lock_name(package))) for package in chosen]
    pythons = [python for python in locks[0].pythons if all(python in item.pythons for item in locks)]
    if not pythons:
        needs = "; ".join(f"{item.service} needs Python {', '.join(item.pythons)}" for item in locks)
        raise ui.UserError(f"no Python fits all: {needs}", "name one service: --services DIRECTORY")
    used = developer_interpreter.choose(project, chosen, pythons, options.python)
    state = workon.read(prefix)
    beside = personal.read(project, options.extra, settings)
    own = [package.name for package in (*project.packages, *beside.extra)]
    made = Supply(
        project=project, settings=settings, options=build, used=used, building=developer_interpreter.builder(used),
        nodes=supply.nodes(locks, used, settings, own), places=options.places,
        binary=supply.source_hashes(locks) if options.binary else {},
    )  # fmt: skip
    made, remembered = _with_personal(made, beside, own, locks, state)
    return Environment(prefix=prefix, project=project, supply=_with_pip(made), options=options, state=state,
                       extra=beside.extra, remembered=remembered)


def _with_personal(made: Supply, beside: Personal, own: Sequence[str], locks: Sequence[Lock],
                   state: State | None) -> tuple[Supply, Mapping[str, Any]]:
    """Add what the developer has beside the project, and return what to remember of it."""
    archives = {d.key for item in locks for d in item.distributions() if d.kind == "archive"}
    pins = [node.key for node in made.nodes.values() if node.key not in archives]
    found, remembered = personal.wheels(
        beside, pins, (*own, *sorted(archives)), made.used, made.places, state.personal if state else {},
        state.distributions.values() if state else ())
    return replace(made, personal=found), remembered


def _with_pip(made: Supply) -> Supply:
    pip = virtualenv.bundled_pip(made.used)
    return replace(made, bundled={"pip": pip}) if pip and "pip" not in {*made.nodes, *made.personal} else made


def _bring_about(found: Environment) -> None:
    wanted = found.supply.wanted()
    anew = _why_anew(found)
    there = {} if anew or not found.state else sync.installed(found.site, {*found.state.linked, *found.linked})
    changes = sync.compare(wanted, there, found.state.distributions if found.state else {})
    if found.options.dry_run:
        _report(found, changes, anew)
        return
    if anew:
        _create(found, wanted, changes, anew)
        return
    assert found.state
    if changes:
        unpacked = found.supply.get(changes.install)
        _report(found, changes, anew)
        kept = {name: made for name, made in found.state.distributions.items()
                if name not in {item.name for item in changes.install}}
        workon.write(found.prefix, replace(found.state, distributions=kept))
        sync.apply(found.prefix, changes, there, unpacked)
    _finish(found, wanted)
    ui.step("READY", f"{_summary(found, wanted)}{'' if changes else ', up to date'}")


def _why_anew(found: Environment) -> str:
    """Return why the environment has to be made from nothing; empty when it has not."""
    state, prefix = found.state, found.prefix
    if not os.path.lexists(prefix):
        return "new"
    if found.options.force:
        return "--force"
    if not state:
        return "it was not finished"
    if (state.interpreter, state.full_version) != (str(found.interpreter.path), found.interpreter.full_version):
        return f"Python {state.full_version} -> {found.interpreter.full_version} ({found.interpreter.path})"
    if state.system_site_packages != found.options.system_site_packages:
        return "with or without the system's packages"
    needed = (prefix / "bin" / "python", prefix / "bin" / "activate", prefix / "pyvenv.cfg", found.site)
    broken = next((path for path in needed if not path.exists()), None)
    return f"it is broken: {broken.relative_to(prefix)} is missing" if broken else ""


def _create(found: Environment, wanted: Sequence[Wanted], changes: Changes, why: str) -> None:
    unpacked = found.supply.get(changes.install)
    if why != "new":
        ui.step("ANEW", f"{found.prefix}: {why}")
    found.prefix.parent.mkdir(parents=True, exist_ok=True)
    with workon.replacing(found.prefix):
        found.site.mkdir(parents=True)
        workon.claim(found.prefix)
        # They write different files, and virtualenv takes a while to start.
        with workers.beside(lambda: _make_empty(found), process.end_children) as made:
            sync.apply(found.prefix, changes, {}, unpacked)
            made.result()
        _finish(found, wanted)
    ui.step("READY", _summary(found, wanted))


def _make_empty(found: Environment) -> None:
    virtualenv.make(found.prefix, found.interpreter, system_site_packages=found.options.system_site_packages)


def _finish(found: Environment, wanted: Sequence[Wanted]) -> None:
    """Link the project's packages, and record what there is."""
    before = found.state
    linking.remove(set(before.linked if before else ()) - set(found.linked), found.site)
    links = linking.write(found.packages, found.prefix, found.site, before.links if before else ())
    # virtualenvwrapper's note of where `workon` goes.
    files.write_changed(found.prefix / ".project", f"{found.project.root}\n")
    workon.write(found.prefix, State(
        project=str(found.project.root), interpreter=str(found.interpreter.path),
        full_version=found.interpreter.full_version, system_site_packages=found.options.system_site_packages,
        distributions={item.name: item.identity for item in wanted}, links=links, linked=found.linked,
        personal=found.remembered,
    ))  # fmt: skip


def _report(found: Environment, changes: Changes, anew: str) -> None:
    if anew:
        ui.step("ANEW" if anew != "new" else "NEW", f"{found.prefix}: {len(changes.install)} distributions, "
                f"Python {found.interpreter.full_version}")
        return
    for tag, labels in (("REMOVE", changes.removed), ("CHANGE", changes.changed), ("ADD", changes.added)):
        for label in labels:
            ui.step(tag, label)
    if not changes:
        ui.step("READY", f"{found.prefix} is up to date")


def _summary(found: Environment, wanted: Sequence[Wanted]) -> str:
    return f"{found.prefix}: Python {found.interpreter.full_version}, {len(wanted)} distributions"
