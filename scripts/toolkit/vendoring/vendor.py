"""The verb `vendor`: from requirements.txt to a new vendor/ with a lock for each service."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from toolkit.core import console, cycles, files, progress
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
from toolkit.vendoring.archives import FetchedArchive
from toolkit.vendoring.fetched_sources import Sources

CONNECTIONS = 16


@dataclass(frozen=True, kw_only=True)
class VendorOptions:
    """How to resolve: names to `upgrade` (or `all`), `exclude_newer` as an ISO date or time, values of sys.platform."""

    upgrade: tuple[str, ...] = ()
    exclude_newer: str = ""
    platforms: tuple[str, ...] = ("linux",)


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
        for item in everything:
            console.step("RESOLVE", item.name)
            with progress.watching("RESOLVE", item.name):
                self._new.append(self._lock(item))
        return tuple(self._new)

    def _lock(self, item: LockInputs) -> Lock:
        given = archives.fetch(item.archives, self.fetcher, self.old)
        selector = self.sources_for(item.targets.pythons).selector
        fixed = wheel_choice.without_dependencies(item, self.index, self._preferences(item), selector)
        request = self._request(item, given, fixed)
        result = self._attempt(item, request, given, fixed)
        unused = [rule for rule in item.binary if not any(rule.name == d.name for d in result.distributions())]
        if unused:
            # vendor.txt may name what no requirements.txt does: it is wanted all the same.
            more = tuple(f"{rule.name}{rule.specifier}" for rule in unused)
            request = replace(request, requirements=(*request.requirements, *dict.fromkeys(more)))
            result = self._attempt(item, request, given, fixed)
        requirements.check_hashes(item.lines, result.packages)
        _refuse_cycles(result)
        return result

    def _request(self, item: LockInputs, given: list[FetchedArchive], fixed: list[Pin]) -> Request:
        lines = item.tree.requirements
        constraints = item.constraints
        local = {package.name: package.version for package in self.project.packages}
        return Request(
            requirements=(*(line.text for line in lines), *(text for archive in given for text in archive.requires)),
            constraints=tuple(line.text for line in constraints),
            targets=item.targets,
            preferences=self._preferences(item),
            platforms=self.options.platforms,
            refresh=bool(self.options.upgrade),
            provided={**local, **{pin.name: pin.version for pin in (*(archive.pin for archive in given), *fixed)}},
            exclude_newer=self.options.exclude_newer,
            origins={line.text: line.origin for line in (*lines, *constraints)},
        )

    def _preferences(self, item: LockInputs) -> tuple[Pinned, ...]:
        """Return what to keep: of the service's own lock, then what this run chose, then of other locks.

        What is to be upgraded is not kept from old locks, but what this run chose for one service serves the next.
        """
        moving = {normalize(name) for name in self.options.upgrade}
        own = [old for old in self.old if old.service == item.name]
        others = [old for old in self.old if old.service != item.name]
        found: dict[str, list[Distribution]] = {}
        for source in (*own, *self._new, *others):
            kept = [d for d in source.distributions() if source in self._new or not moving & {d.name, "all"}]
            names = {d.name for d in kept} - found.keys()
            for distribution in kept:
                if distribution.name in names:
                    found.setdefault(distribution.name, []).append(distribution)
        return tuple(d.pinned for group in found.values() for d in group)

    def _attempt(self, item: LockInputs, request: Request, given: list[FetchedArchive], fixed: list[Pin]) -> Lock:
        pins = (*self.resolver.resolve(request), *(archive.pin for archive in given), *fixed)
        runtime = {pin.key for pin in pins}
        sources = self.sources_for(item.targets.pythons)
        trees = dict(sources.trees(pins))
        local = {f"local {package.name}": self._local_tree(package.path) for package in item.local}
        # A distribution that is shipped anyway builds others in the same version.
        preferring = replace(
            request, preferences=(*(Pinned(pin.name, pin.version) for pin in pins), *request.preferences)
        )
        closure = self._closure(item, preferring, [*(archive.pin for archive in given), *fixed])
        tests = self._besides(request, item.tests.requirements, pins)
        development = self._besides(request, item.development.requirements, (*pins, *tests))
        closure.add(f"besides {item.name}", (*tests, *development))
        besides = {pin.key for pin in (*tests, *development)}
        try:
            closure.follow({**trees, **local})
        except UserError:
            # A hook that lacks what cannot be had fails too, but that is not what to mend.
            sources.refuse_what_cannot_be_had(closure.built_with)
            raise
        sources.refuse_what_cannot_be_had(closure.built_with)
        needed = closure.reachable([*runtime, *local, f"besides {item.name}"]) - runtime
        found = Lock(
            service=item.name,
            pythons=item.targets.pythons,
            platforms=self.options.platforms,
            packages=tuple(_distribution(sources, closure, pin.key, pin.marker) for pin in pins),
            build_packages=tuple(_building(sources, closure, key, besides) for key in sorted(needed)),
            local=tuple(
                LocalPackage(
                    name=package.name,
                    path=self.project.shown(package.path),
                    build_requires=closure.requires(f"local {package.name}"),
                    build_dependencies=closure.direct(f"local {package.name}"),
                )
                for package in item.local
            ),
            test_requires=tuple(pin.pinned for pin in tests),
            dev_requires=tuple(pin.pinned for pin in development),
            inputs=lock_inputs.fingerprint(self.project, item, self.options.platforms),
            direct=direct_requirements.of_project(self.project, item),
        )
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

    def _closure(self, item: LockInputs, request: Request, given: list[Pin]) -> Closure:
        """Return the closure of all services with the same interpreters: what builds one builds the others too."""
        base = replace(request, requirements=(), constraints=(), origins={}, refresh=False)
        pythons = item.targets.pythons
        new = Closure(resolver=self.resolver, source=self.sources_for(pythons), base=base)
        closure = self._closures.setdefault(pythons, new)
        closure.base = replace(base, preferences=(*base.preferences, *closure.base.preferences))
        closure.given = {**closure.given, **{pin.name: pin for pin in given}}
        return closure

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
        files.sweep(files.cache_root() / "tmp", prefix)
    rules = _rules(everything)
    fetched: dict[str, Path] = {}
    with (
        files.temporary_directory(files.cache_root() / "tmp", "vendor-") as scratch,
        Fetcher(http.create(indexes, CONNECTIONS), connections=CONNECTIONS, timeout=indexes.timeout) as fetcher,
    ):
        uv = Path(sys.prefix) / "bin" / "uv"

        @cache
        def sources_for(pythons: tuple[str, ...]) -> Sources:
            selector = Selector(rules=rules, pythons=pythons, platforms=options.platforms)
            askers = cache(lambda: hooks.askers(indexes, uv, pythons, scratch))
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
