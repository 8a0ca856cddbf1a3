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
from toolkit.develop import linked_packages, linking, readiness, shadowing, sync, virtualenv, workon
from toolkit.develop.linking import Linked
from toolkit.develop.sync import Changes, Installed, TargetDistribution
from toolkit.develop.wheel_sources import WheelSources
from toolkit.develop.workon import Check, Environment, Link, State
from toolkit.model.lock import Lock
from toolkit.network.index_options import IndexOptions
from toolkit.project.discovery import Package
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

    `locks` are what it is for. `personal` is what its new state is to remember of the developer's own requirements.
    """

    sources: WheelSources
    options: EnvironmentOptions
    locks: tuple[Lock, ...]
    state: State | None
    personal: Mapping[str, Any]

    @property
    def links(self) -> Mapping[str, Link]:
        """Return how packages are linked there now."""
        return self.state.linked if self.state else {}


@dataclass(frozen=True, kw_only=True)
class _Contents:
    """What an environment is to hold and what it holds: distributions and, apart from these, linked packages.

    `stale` are those to be linked again, of all whose identities are `identities`.
    """

    distributions: Sequence[TargetDistribution]
    present: Mapping[str, list[Installed]]
    changes: Changes
    identities: Mapping[str, str]
    present_links: Mapping[str, list[Installed]]
    stale: tuple[Package, ...]

    @property
    def gone(self) -> set[str]:
        """Return the names of packages that are linked, and are to be linked no more."""
        return {*self.present_links} - {*self.identities}

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.changes or self.stale or self.gone)


def run(target: Assembly) -> None:
    """Make an environment, or change the existing one, and print what was done. Raises `UserError`."""
    reason = _reason_to_make(target)
    contents = _contents(target, reason)
    summary = f"{target.prefix}: Python {target.interpreter.full_version}, {len(contents.distributions)} distributions"
    if target.options.dry_run:
        if reason:
            console.step("NEW" if reason == "new" else "REMAKE", summary)
        elif contents:
            _report(contents)
        else:
            console.step("READY", f"{target.prefix} is up to date")
        return
    if reason or contents:
        found = _replace(target, contents, reason)
    else:
        found = _finish(target, target.prefix, contents, target.state or workon.NO_STATE, [])
    for problem in found.problems:
        console.warn(problem)
    state = "" if reason or contents else ", up to date"
    count = f"; {len(found.problems)} of its modules cannot be imported" if found.problems else ""
    console.step("READY", f"{summary}{state}{count}")


def _contents(target: Assembly, reason: str) -> _Contents:
    state = target.state or workon.NO_STATE
    distributions = target.sources.distributions()
    installed = {} if reason else sync.installed(target.site())
    packages = linked_packages.in_order(target.packages, target.sources)
    identities = {package.name: linked_packages.identity(package, target.sources) for package in packages}
    names = {*identities, *state.linked}
    present = {name: items for name, items in installed.items() if name not in names}
    present_links = {name: items for name, items in installed.items() if name in names}
    links = [TargetDistribution(name=name, version="", identity=identity) for name, identity in identities.items()]
    linked_before = {name: link.identity for name, link in state.linked.items()}
    stale = {item.name for item in sync.compare(links, present_links, linked_before).install}
    return _Contents(
        distributions=distributions,
        present=present,
        changes=sync.compare(distributions, present, state.distributions),
        identities=identities,
        present_links=present_links,
        stale=tuple(package for package in packages if package.name in stale),
    )


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


def _replace(target: Assembly, contents: _Contents, reason: str) -> Check:
    """Prepare what comes into the environment's place: a changed copy of it or, for a `reason`, one from nothing."""
    images, linked = _images(target, contents)
    if not reason:
        _report(contents)
    elif reason != "new":
        console.step("REMAKE", f"{target.prefix}: {reason}")
    with workon.replacing(target.prefix, anew=bool(reason)) as root:
        site = target.site(root)
        old = [item.below(site) for items in contents.present.values() for item in items]
        for name in {*contents.gone, *(package.name for package in contents.stale)}:
            for item in contents.present_links.get(name, ()):
                sync.uninstall(item.below(site), root)
        with _beside_virtualenv(target, root) if reason else nullcontext():
            sync.apply(root, target.python, contents.changes, old, images)
        state = target.state if target.state and not reason else workon.NO_STATE
        return _finish(target, root, contents, state, linked)


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


def _images(target: Assembly, contents: _Contents) -> tuple[list[Image], list[Linked]]:
    """Return an image of each distribution to install, without files that another one installs after it, and links."""
    sources = target.sources
    if target.options.binary and sources.nodes and not sources.binary:
        raise UserError(
            "the locks name no wheel that fits",
            "run `make vendor`, which lists what the index has; without --binary, all is built from vendor/",
        )
    installed = {item.name for item in contents.changes.install}
    built = {package.name for package in contents.stale if linked_packages.is_built(package, sources)}
    images = sources.images(sorted(installed | built))
    linked = [
        linked_packages.link(package, images.pop(package.name, None), target.interpreter, contents.identities)
        for package in contents.stale
    ]
    kept = sources.kept(item.name for item in contents.distributions if item.name not in installed)
    owners = shared_files.owners([image for _, image in sorted({**kept, **images}.items())])
    links = {name: link for name, link in target.links.items() if name in contents.identities}
    for name in linking.scripts_of(target.packages, linked, links):
        if owner := owners.get(name):
            raise UserError(f"{name}: {owner.name} and a package of the project have this script", "rename the script")
    own = [
        replace(image, files={name: file for name, file in image.files.items() if owners[name] is image})
        for image in images.values()
    ]
    return own, linked


def _finish(target: Assembly, root: Path, contents: _Contents, before: State, linked: Sequence[Linked]) -> Check:
    """Link the project's packages, look at what came of it, and record the state."""
    known = {**before.linked, **{item.package.name: item.link for item in linked}}
    links = {name: known[name] for name in contents.identities}
    linking.write(target, root, linked, links)
    scripts = linking.write_scripts(target, root, links, before)
    # virtualenvwrapper's note of where `workon` goes.
    files.write_changed(root / ".project", f"{target.project.root}\n")
    for warning in shadowing.warnings(target, root, links, target.sources.local):
        console.warn(warning)
    found = readiness.check(target, root, target.locks, target.sources, links, before.check)
    workon.write(
        root,
        State(
            project=str(target.project.root),
            interpreter=str(target.interpreter.path),
            full_version=target.interpreter.full_version,
            system_site_packages=target.options.system_site_packages,
            distributions={item.name: item.identity for item in contents.distributions},
            links=scripts,
            linked=links,
            check=found,
            personal=target.personal,
            binary=target.options.binary,
            extra=tuple(str(path.absolute()) for path in target.options.extra),
        ),
    )
    return found


def _report(contents: _Contents) -> None:
    changes, links = contents.changes, sorted(package.name for package in contents.stale)
    removed = (*changes.removed, *sorted(contents.gone))
    tags = {"REMOVE": removed, "CHANGE": changes.changed, "ADD": changes.added, "LINK": links}
    for tag, labels in tags.items():
        for label in labels:
            console.step(tag, label)
