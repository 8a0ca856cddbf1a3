"""A development environment as it is made, or changed in place: what is missing is got first, then put in."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.core import console, files, process, threads
from toolkit.core.errors import UserError
from toolkit.develop import index_wheels, linking, sync, virtualenv, workon
from toolkit.develop.supply import WheelSources
from toolkit.develop.sync import Changes, TargetDistribution
from toolkit.develop.workon import State
from toolkit.model.interpreter import Interpreter
from toolkit.model.lock import VendoredFile
from toolkit.network.index_options import IndexOptions
from toolkit.project.discovery import Package, Project
from toolkit.wheel import environment
from toolkit.wheel.image import Image


@dataclass(frozen=True, kw_only=True)
class EnvironmentOptions:
    """What the user chose: `name` of the environment (None: the project's), `python` (empty: by .python-version).

    `binary` takes wheels from the index, `extra` are directories of other projects, `indexes` those of a user.
    """

    name: str | None = None
    python: str = ""
    force: bool = False
    system_site_packages: bool = False
    dry_run: bool = False
    binary: bool = False
    extra: tuple[Path, ...] = ()
    indexes: IndexOptions = field(default_factory=IndexOptions)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An environment to be: where, for which project, from what; `state` is that of the one there, if it is ours."""

    prefix: Path
    project: Project
    supply: WheelSources
    options: EnvironmentOptions
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


def bring_about(found: Environment) -> None:
    """Make an environment, or change the one there, and say what was done. Raises `UserError`."""
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
    assert found.state  # noqa: S101  -- for the type alone
    if changes:
        images = _gather(found, changes)
        _report(found, changes, anew)
        kept = {
            name: made
            for name, made in found.state.distributions.items()
            if name not in {item.name for item in changes.install}
        }
        workon.write(found.prefix, replace(found.state, distributions=kept))
        wheels = _binary(found, changes)
        if wheels:
            sync.make_way(changes, there, wheels)
            index_wheels.install(
                found.prefix, wheels, found.supply.indexes, index_wheels.environment(found.supply.indexes)
            )
        sync.apply(found.prefix, changes, there, images)
    _finish(found, wanted)
    console.step("READY", f"{_summary(found, wanted)}{'' if changes else ', up to date'}")


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


def _create(found: Environment, wanted: Sequence[TargetDistribution], changes: Changes, why: str) -> None:
    images = _gather(found, changes)
    wheels = _binary(found, changes)
    if why != "new":
        console.step("ANEW", f"{found.prefix}: {why}")
    found.prefix.parent.mkdir(parents=True, exist_ok=True)
    with workon.replacing(found.prefix):
        found.site.mkdir(parents=True)
        workon.claim(found.prefix)
        # They write different files, and virtualenv takes a while to start.
        with threads.beside(lambda: _make_empty(found), process.end_children) as is_made:
            sync.apply(found.prefix, changes, {}, images)
            variables = index_wheels.environment(found.supply.indexes) if wheels else {}
            is_made()
        if wheels:
            index_wheels.install(found.prefix, wheels, found.supply.indexes, variables)
        _finish(found, wanted)
    console.step("READY", _summary(found, wanted))


def _gather(found: Environment, changes: Changes) -> Mapping[str, Image]:
    """Return what is put in by ourselves; with --binary, say what of it no wheel could stand for."""
    supply = found.supply
    if found.options.binary and supply.nodes and not supply.binary:
        raise UserError(
            "the locks name no wheel that fits",
            "run `make vendor`, which lists what the index has; without --binary, all is built from vendor/",
        )
    rest = [item for item in changes.install if item.name in supply.nodes and item.name not in supply.binary]
    if found.options.binary and rest:
        labels = ", ".join(f"{item.name} {item.version}" for item in rest)
        console.step("SOURCE", f"no wheel fits, so built from vendor/: {labels}")
    return supply.get(changes.install)


def _binary(found: Environment, changes: Changes) -> dict[str, tuple[str, VendoredFile]]:
    """Return the wheels of the index to put in, by name, with their versions."""
    wheels = found.supply.binary
    return {item.name: (item.version, wheels[item.name]) for item in changes.install if item.name in wheels}


def _make_empty(found: Environment) -> None:
    virtualenv.make(found.prefix, found.interpreter, system_site_packages=found.options.system_site_packages)


def _finish(found: Environment, wanted: Sequence[TargetDistribution]) -> None:
    """Link the project's packages, and record what there is."""
    before = found.state
    linking.remove(set(before.linked if before else ()) - set(found.linked), found.site)
    links = linking.write(found.packages, found.prefix, found.site, before.links if before else ())
    # virtualenvwrapper's note of where `workon` goes.
    files.write_changed(found.prefix / ".project", f"{found.project.root}\n")
    workon.write(
        found.prefix,
        State(
            project=str(found.project.root),
            interpreter=str(found.interpreter.path),
            full_version=found.interpreter.full_version,
            system_site_packages=found.options.system_site_packages,
            distributions={item.name: item.identity for item in wanted},
            links=links,
            linked=found.linked,
            personal=found.remembered,
        ),
    )


def _report(found: Environment, changes: Changes, anew: str) -> None:
    if anew:
        console.step(
            "ANEW" if anew != "new" else "NEW",
            f"{found.prefix}: {len(changes.install)} distributions, Python {found.interpreter.full_version}",
        )
        return
    for tag, labels in (("REMOVE", changes.removed), ("CHANGE", changes.changed), ("ADD", changes.added)):
        for label in labels:
            console.step(tag, label)
    if not changes:
        console.step("READY", f"{found.prefix} is up to date")


def _summary(found: Environment, wanted: Sequence[TargetDistribution]) -> str:
    return f"{found.prefix}: Python {found.interpreter.full_version}, {len(wanted)} distributions"
