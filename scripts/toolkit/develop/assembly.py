"""A development environment is made, or a changed copy of it takes its place; all wheels are there before that."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.core import console, files, process, threads
from toolkit.core.errors import UserError
from toolkit.develop import linking, sync, virtualenv, workon
from toolkit.develop.sync import Changes, Installed, TargetDistribution
from toolkit.develop.wheel_sources import WheelSources
from toolkit.develop.workon import Environment, State
from toolkit.network.index_options import IndexOptions
from toolkit.wheel import shared_files
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
class Assembly(Environment):
    """An environment to be made or changed: the sources of its wheels, and its state where it exists and is ours.

    `personal` is what its new state is to remember of the developer's own requirements.
    """

    sources: WheelSources
    options: EnvironmentOptions
    state: State | None
    personal: Mapping[str, Any]

    @property
    def linked(self) -> tuple[str, ...]:
        """Return the names of the packages that it links."""
        return tuple(package.name for package in self.packages)


def run(target: Assembly) -> None:
    """Make an environment, or change the existing one, and print what was done. Raises `UserError`."""
    distributions = target.sources.distributions()
    reason = _reason_to_make(target)
    state = target.state or workon.NO_STATE
    present = {} if reason else sync.installed(target.site(), {*state.linked, *target.linked})
    changes = sync.compare(distributions, present, state.distributions)
    summary = f"{target.prefix}: Python {target.interpreter.full_version}, {len(distributions)} distributions"
    if target.options.dry_run:
        if reason:
            console.step("NEW" if reason == "new" else "REMAKE", summary)
        elif changes:
            _report(changes)
        else:
            console.step("READY", f"{target.prefix} is up to date")
        return
    if reason or changes or state.linked != target.linked:
        _replace(target, changes, present, distributions, reason)
    else:
        _finish(target, target.prefix, distributions, state)
    console.step("READY", summary if reason or changes else f"{summary}, up to date")


def _reason_to_make(target: Assembly) -> str:
    """Return why the environment has to be made from nothing; empty where it can be changed in place."""
    state, prefix = target.state, target.prefix
    if not os.path.lexists(prefix):
        return "new"
    if target.options.force:
        return "--force"
    if not state:
        return "what it holds is not known"
    if (state.interpreter, state.full_version) != (str(target.interpreter.path), target.interpreter.full_version):
        return f"Python {state.full_version} -> {target.interpreter.full_version} ({target.interpreter.path})"
    if state.system_site_packages != target.options.system_site_packages:
        return "with or without the system's packages"
    required = (target.python, prefix / "bin" / "activate", prefix / "pyvenv.cfg", target.site())
    missing = next((path for path in required if not path.exists()), None)
    return f"it is broken: {missing.relative_to(prefix)} is missing" if missing else ""


def _replace(
    target: Assembly,
    changes: Changes,
    present: Mapping[str, list[Installed]],
    distributions: Sequence[TargetDistribution],
    reason: str,
) -> None:
    """Prepare what comes into the environment's place: a changed copy of it or, for a `reason`, one from nothing."""
    images = _images(target, changes)
    if not reason:
        _report(changes)
    elif reason != "new":
        console.step("REMAKE", f"{target.prefix}: {reason}")
    with workon.replacing(target.prefix, anew=bool(reason)) as root:
        site = target.site(root)
        old = [item.below(site) for items in present.values() for item in items]
        with _beside_virtualenv(target, root) if reason else nullcontext():
            sync.apply(root, target.python, changes, old, images)
        _finish(target, root, distributions, target.state if target.state and not reason else workon.NO_STATE)


@contextmanager
def _beside_virtualenv(target: Assembly, root: Path) -> Iterator[None]:
    """Make an empty environment while the block, which writes other files, is carried out: virtualenv is slow."""
    target.site(root).mkdir(parents=True)

    def make() -> None:
        chosen = target.options.system_site_packages
        virtualenv.make(root, target.prefix, target.interpreter, system_site_packages=chosen)

    with threads.beside(make, process.end_children) as is_made:
        yield
        is_made()


def _images(target: Assembly, changes: Changes) -> list[Image]:
    """Return an image of each distribution to install, without files that another one installs after it."""
    sources = target.sources
    if target.options.binary and sources.nodes and not sources.binary:
        raise UserError(
            "the locks name no wheel that fits",
            "run `make vendor`, which lists what the index has; without --binary, all is built from vendor/",
        )
    installed = {item.name for item in changes.install}
    images = sources.images(sorted(installed))
    kept = sources.kept(item.name for item in sources.distributions() if item.name not in installed)
    owners = shared_files.owners([image for _, image in sorted({**kept, **images}.items())])
    for name in linking.scripts_of(target.packages):
        if owner := owners.get(name):
            raise UserError(f"{name}: {owner.name} and a package of the project have this script", "rename the script")
    return [
        replace(image, files={name: file for name, file in image.files.items() if owners[name] is image})
        for image in images.values()
    ]


def _finish(target: Assembly, root: Path, distributions: Sequence[TargetDistribution], before: State) -> None:
    """Link the project's packages, and record the state."""
    links = linking.write(target, root, before)
    # virtualenvwrapper's note of where `workon` goes.
    files.write_changed(root / ".project", f"{target.project.root}\n")
    workon.write(
        root,
        State(
            project=str(target.project.root),
            interpreter=str(target.interpreter.path),
            full_version=target.interpreter.full_version,
            system_site_packages=target.options.system_site_packages,
            distributions={item.name: item.identity for item in distributions},
            links=links,
            linked=target.linked,
            personal=target.personal,
        ),
    )


def _report(changes: Changes) -> None:
    for tag, labels in (("REMOVE", changes.removed), ("CHANGE", changes.changed), ("ADD", changes.added)):
        for label in labels:
            console.step(tag, label)
