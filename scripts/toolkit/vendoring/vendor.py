"""The verb `vendor`: from requirements.txt to a new vendor/ with a lock for each service."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from toolkit.build.building_options import BuildOptions
from toolkit.core import console, cycles, directories, files, progress
from toolkit.core.errors import UserError
from toolkit.model import markers
from toolkit.model.lock import Distribution, LocalPackage, Lock
from toolkit.model.names import normalize
from toolkit.model.pins import Pin, Pinned
from toolkit.network import http
from toolkit.network.fetch import Fetcher
from toolkit.network.index_pages import Index
from toolkit.network.index_settings import Indexes
from toolkit.project import lock_inputs, requirements
from toolkit.project.discovery import Project
from toolkit.project.lock_inputs import LockInputs
from toolkit.project.requirements import Line
from toolkit.project.settings import Settings
from toolkit.project.vendor_txt import BinaryRule
from toolkit.resolve import hooks, wheel_choice
from toolkit.resolve.build_closure import Closure, SourceTree
from toolkit.resolve.engine import Request, Resolver
from toolkit.resolve.file_choice import Selector
from toolkit.resolve.source_preference import SourceOnly
from toolkit.vendored import lock_file
from toolkit.vendoring import archives, direct_requirements, fetched_sources, report, staging
from toolkit.vendoring.fetched_sources import Sources

CONNECTIONS = 16


@dataclass(frozen=True, kw_only=True)
class VendorOptions:
    """How to resolve: names to `upgrade` (or `all`), `exclude_newer` as an ISO date or time, values of sys.platform.

    `building` is for what hooks need that no index has as a wheel.
    """

    building: BuildOptions
    platforms: tuple[str, ...]
    upgrade: tuple[str, ...] = ()
    exclude_newer: str = ""


@dataclass(kw_only=True)
class Draft:
    """The lock of one service in the making: what it is made from, then what each phase has found.

    `given` are pins that are chosen before an engine is asked: archives by URL, and wheels without what they need.
    `trees` are all that is to be built, by their keys in `closure`.
    """

    inputs: LockInputs
    sources: Sources
    given: tuple[Pin, ...]
    request: Request
    runtime: tuple[Pin, ...] = ()
    tests: tuple[Pin, ...] = ()
    development: tuple[Pin, ...] = ()
    trees: dict[str, SourceTree] = field(default_factory=dict)
    closure: Closure
    building: frozenset[str] = frozenset()

    @property
    def besides(self) -> tuple[Pin, ...]:
        """Return what only tests and developers need."""
        return (*self.tests, *self.development)

    def unused(self) -> tuple[str, ...]:
        """Return the requirements of vendor.txt that nothing asks for: they are vendored all the same."""
        names = {pin.name for pin in self.runtime} | {self.sources.distributions[key].name for key in self.building}
        rules = (rule for rule in self.inputs.binary if rule.name not in names)
        return tuple(dict.fromkeys(f"{rule.name}{rule.specifier}" for rule in rules))


@dataclass(kw_only=True)
class Vendoring:
    """One run: its tools, the locks there were, and what has been found so far.

    `sources_for` gives the sources for one set of interpreters: which wheels serve, and what hooks say, depends on it.
    """

    project: Project
    options: VendorOptions
    resolver: Resolver
    index: Index
    sources_for: Callable[[tuple[str, ...]], Sources]
    fetcher: Fetcher
    old: tuple[Lock, ...]
    _closures: dict[tuple[str, ...], Closure] = field(default_factory=dict)
    _new: list[Lock] = field(default_factory=list)

    def run(self, everything: Iterable[LockInputs]) -> tuple[Lock, ...]:
        """Return the new lock of each service. Raises `UserError`; nothing has been written to the project."""
        for inputs in everything:
            console.step("RESOLVE", inputs.name)
            with progress.watching("RESOLVE", inputs.name):
                draft = self._begin(inputs)
                self._resolve(draft)
                self._follow_builds(draft)
                if unused := draft.unused():
                    draft.request = replace(draft.request, requirements=(*draft.request.requirements, *unused))
                    self._resolve(draft)
                    self._follow_builds(draft)
                self._new.append(self._finish(draft))
        return tuple(self._new)

    def _begin(self, inputs: LockInputs) -> Draft:
        """Take what vendor.txt gives, and say what is to be resolved."""
        archived = archives.fetch(inputs.archives, self.fetcher, self.old)
        preferences = self._preferences(inputs)
        sources = self.sources_for(inputs.targets.pythons)
        wheels = wheel_choice.without_dependencies(inputs, self.index, preferences, sources.selector)
        given = (*(archive.pin for archive in archived), *wheels)
        lines, constraints = inputs.tree.requirements, inputs.constraints
        local = {package.name: package.version for package in self.project.packages}
        request = Request(
            requirements=(*(line.text for line in lines), *(text for archive in archived for text in archive.requires)),
            constraints=tuple(line.text for line in constraints),
            targets=inputs.targets,
            preferences=preferences,
            platforms=self.options.platforms,
            refresh=bool(self.options.upgrade),
            provided={**local, **{pin.name: pin.version for pin in given}},
            exclude_newer=self.options.exclude_newer,
            origins={line.text: line.origin for line in (*lines, *constraints)},
        )
        closure = self._closure(inputs, sources, request)
        return Draft(inputs=inputs, sources=sources, given=given, request=request, closure=closure)

    def _preferences(self, inputs: LockInputs) -> tuple[Pinned, ...]:
        """Return what to keep: of the service's own lock, then what this run chose, then of other locks.

        What is to be upgraded is not kept from old locks, but what this run chose for one service serves the next.
        """
        moving = {normalize(name) for name in self.options.upgrade}
        own = [old for old in self.old if old.service == inputs.name]
        others = [old for old in self.old if old.service != inputs.name]
        found: dict[str, list[Distribution]] = {}
        for source in (*own, *self._new, *others):
            kept = [d for d in source.distributions() if source in self._new or not moving & {d.name, "all"}]
            names = {d.name for d in kept} - found.keys()
            for distribution in kept:
                if distribution.name in names:
                    found.setdefault(distribution.name, []).append(distribution)
        return tuple(d.pinned for group in found.values() for d in group)

    def _resolve(self, draft: Draft) -> None:
        """Pin what runs, then what tests and developers have besides, and fetch what runs."""
        inputs, request = draft.inputs, draft.request
        draft.runtime = (*self.resolver.resolve(request), *draft.given)
        local = {f"local {package.name}": self._local_tree(package.path) for package in inputs.local}
        draft.trees = {**draft.sources.trees(draft.runtime), **local}
        draft.tests = self._besides(request, inputs.tests.requirements, draft.runtime)
        draft.development = self._besides(request, inputs.development.requirements, (*draft.runtime, *draft.tests))

    def _follow_builds(self, draft: Draft) -> None:
        """Find what builds all of it, and refuse what can be neither had nor built."""
        closure, besides = draft.closure, f"besides {draft.inputs.name}"
        closure.prefer(draft.request, [pin.pinned for pin in draft.runtime], draft.given)
        closure.add(besides, draft.besides)
        try:
            closure.follow(draft.trees)
        except UserError:
            # A hook that lacks what cannot be had fails too, but that is not what to mend.
            draft.sources.refuse_what_cannot_be_had(closure.built_with)
            raise
        draft.sources.refuse_what_cannot_be_had(closure.built_with)
        runtime = {pin.key for pin in draft.runtime}
        local = (f"local {package.name}" for package in draft.inputs.local)
        draft.building = frozenset(closure.reachable([*runtime, *local, besides]) - runtime)

    def _finish(self, draft: Draft) -> Lock:
        """Return the lock that all this gives, checked for what no index and no build can mend."""
        inputs, closure = draft.inputs, draft.closure
        besides = {pin.key for pin in draft.besides}
        found = Lock(
            service=inputs.name,
            pythons=inputs.targets.pythons,
            platforms=self.options.platforms,
            packages=tuple(_distribution(draft.sources, closure, pin.key, pin.marker) for pin in draft.runtime),
            build_packages=tuple(_building(draft.sources, closure, key, besides) for key in sorted(draft.building)),
            local=tuple(
                LocalPackage(
                    name=package.name,
                    path=self.project.shown(package.path),
                    build_requires=closure.requires(f"local {package.name}"),
                    build_dependencies=closure.direct(f"local {package.name}"),
                )
                for package in inputs.local
            ),
            test_requires=tuple(pin.pinned for pin in draft.tests),
            dev_requires=tuple(pin.pinned for pin in draft.development),
            inputs=lock_inputs.fingerprint(self.project, inputs, self.options.platforms),
            direct=direct_requirements.of_project(self.project, inputs),
        )
        requirements.check_hashes(inputs.lines, found.packages)
        _refuse_cycles(found)
        return direct_requirements.in_force(found)

    def _besides(self, request: Request, lines: Sequence[Line], there: Iterable[Pin]) -> tuple[Pin, ...]:
        """Return what these lines need besides what is there: resolved with that at exactly its versions."""
        if not lines:
            return ()
        fixed = {pin.key: str(pin.pinned) for pin in there if not pin.archive}
        more = replace(
            request,
            requirements=(*request.requirements, *(line.text for line in lines)),
            constraints=(*request.constraints, *fixed.values()),
            origins={**request.origins, **{line.text: line.origin for line in lines}},
        )
        return tuple(pin for pin in self.resolver.resolve(more) if pin.key not in fixed and not pin.archive)

    def _closure(self, inputs: LockInputs, sources: Sources, request: Request) -> Closure:
        """Return the closure of all services with the same interpreters: what builds one builds the others too."""
        base = replace(request, requirements=(), constraints=(), origins={}, refresh=False, preferences=())
        new = Closure(resolver=self.resolver, source=sources, base=base)
        return self._closures.setdefault(inputs.targets.pythons, new)

    def _local_tree(self, path: Path) -> SourceTree:
        shown = self.project.shown(path)
        return SourceTree(name=shown, path=path, build_system=fetched_sources.local_build_system(path, shown))


def _distribution(sources: Sources, closure: Closure, key: str, marker: str) -> Distribution:
    found = replace(sources.distributions[key], marker=marker)
    if key not in closure.sets:
        return found
    return replace(found, build_requires=closure.requires(key), build_dependencies=closure.direct(key))


def _building(sources: Sources, closure: Closure, key: str, besides: set[str]) -> Distribution:
    found = _distribution(sources, closure, key, "")
    # Nobody takes wheels of what only builds others.
    return found if key in besides else replace(found, offered=())


def _refuse_cycles(item: Lock) -> None:
    """Find now what no build could begin with; on each machine, for a condition may keep two requirements apart."""
    for python, platform in itertools.product(item.pythons, item.platforms):
        circle = cycles.find(
            {
                distribution.key: {
                    reference.key
                    for reference in distribution.build_requires
                    if markers.possible(reference.marker, (python,), (platform,))
                }
                for distribution in item.distributions()
            }
        )
        if circle:
            raise cycles.error(circle)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The locks there are, those that the requirements now give, and the files of these in the cache, by name."""

    old: tuple[Lock, ...]
    new: tuple[Lock, ...]
    files: Mapping[str, Path]


def run(
    project: Project, settings: Settings, options: VendorOptions, indexes: Indexes, resolver: Resolver, *, dry_run: bool
) -> None:
    """Make vendor/ what the requirements say, or with `dry_run` only say what would change."""
    found = plan(project, settings, options, indexes, resolver)
    _refuse_unknown_upgrades(options, (*found.old, *found.new))
    if not dry_run:
        staging.replace(settings.vendor, found.new, found.files)
    report.report(found.old, found.new, dry_run=dry_run)


def plan(project: Project, settings: Settings, options: VendorOptions, indexes: Indexes, resolver: Resolver) -> Outcome:
    """Find and fetch all that the requirements ask for, and change nothing. Raises `UserError`."""
    everything = [lock_inputs.read(project, package, options.platforms) for package in project.locked]
    old = tuple(
        lock_file.read(path) for item in everything if (path := lock_file.path_of(settings.vendor, item.name)).exists()
    )
    for prefix in ("vendor-", "resolve-"):
        directories.sweep(files.cache_root() / "tmp", prefix)
    rules = _rules(everything)
    fetched: dict[str, Path] = {}
    with (
        directories.temporary(files.cache_root() / "tmp", "vendor-") as scratch,
        Fetcher(http.create(indexes, CONNECTIONS), connections=CONNECTIONS, timeout=indexes.timeout) as fetcher,
    ):
        uv = Path(sys.prefix) / "bin" / "uv"

        @cache
        def sources_for(pythons: tuple[str, ...]) -> Sources:
            selector = Selector(rules=rules, pythons=pythons, platforms=options.platforms)
            askers = cache(
                lambda: hooks.askers(indexes, uv, pythons, scratch, options.building, settings.build / "logs")
            )
            return Sources(selector=selector, fetcher=fetcher, askers=askers, files=fetched)

        index = Index(indexes)
        vendoring = Vendoring(
            project=project,
            options=options,
            index=index,
            resolver=SourceOnly(resolver=resolver, index=index, binary=rules.keys()),
            sources_for=sources_for,
            fetcher=fetcher,
            old=old,
        )
        return Outcome(old=old, new=vendoring.run(everything), files=fetched)


def _rules(everything: Iterable[LockInputs]) -> Mapping[str, list[BinaryRule]]:
    """Return the binary rules of the whole project by name: services share the files of vendor/."""
    rules: dict[str, dict[BinaryRule, None]] = {}
    for item in everything:
        for rule in item.binary:
            rules.setdefault(rule.name, {})[rule] = None
    return {name: list(found) for name, found in rules.items()}


def _refuse_unknown_upgrades(options: VendorOptions, locks: Iterable[Lock]) -> None:
    known = {distribution.name for item in locks for distribution in item.distributions()}
    unknown = [name for name in options.upgrade if name != "all" and normalize(name) not in known]
    if unknown:
        what = f"UPGRADE: nothing locked is called {', '.join(unknown)}"
        raise UserError(what, "name distributions as vendor/ has them, or all")
