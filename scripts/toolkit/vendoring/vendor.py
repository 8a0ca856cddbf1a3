"""The verb `vendor`: from requirements.txt to a new vendor/ with a lock for each service."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from toolkit.build import wheels
from toolkit.build.building_options import BuildOptions
from toolkit.core import console, cycles, directories, progress
from toolkit.core.errors import Gathering, UserError
from toolkit.model import debian_names, markers, requirement_texts
from toolkit.model.lock import Distribution, LocalPackage, Lock
from toolkit.model.names import normalize
from toolkit.model.pins import Pin, Pinned
from toolkit.network.fetch import Fetcher
from toolkit.network.index_settings import Indexes
from toolkit.project import (
    build_depends,
    build_requirements,
    build_settings,
    drafts,
    fingerprints,
    lines,
    lock_inputs,
    patches,
    requirements,
)
from toolkit.project.discovery import Project
from toolkit.project.lock_inputs import LockInputs
from toolkit.project.requirement_edits import NO_EDITS, Edits
from toolkit.project.requirements import Line
from toolkit.project.settings import Settings
from toolkit.project.vendor_txt import BinaryRule
from toolkit.resolve import kept_builds, source_tree, trials, wheel_choice
from toolkit.resolve import resolution as resolve
from toolkit.resolve.build_closure import Closure
from toolkit.resolve.engine import Engine, Request, UnmetError
from toolkit.resolve.resolution import Hold, Resolution
from toolkit.resolve.source_tree import SourceTree
from toolkit.vendored import lock_diff, lock_file
from toolkit.vendored.local_rust import LocalRust
from toolkit.vendoring import archives, direct_requirements, joining, staging, unbuildable
from toolkit.vendoring.foreign_lock import ForeignLock
from toolkit.vendoring.kept_files import KeptFiles
from toolkit.vendoring.locked_files import Binding, LockedFiles
from toolkit.vendoring.unbuildable import Attempts, Unbuildable


@dataclass(frozen=True, kw_only=True)
class VendorOptions:
    """How to resolve: names to `upgrade` (or `all`), `exclude_newer` as an ISO date or time, values of sys.platform.

    `build_constraints` are files beside those of the project. `building` says how to build what hooks need where no
    index has a wheel of it. `edits` are of the project's files, and count as if they were made; `adopted` has versions
    that another tool has locked. With `trial`, all wheels are built before anything counts.
    """

    building: BuildOptions
    platforms: tuple[str, ...]
    upgrade: tuple[str, ...] = ()
    build_constraints: tuple[Path, ...] = ()
    exclude_newer: str = ""
    edits: Edits = NO_EDITS
    adopted: ForeignLock | None = None
    trial: bool = False


@dataclass(kw_only=True)
class Draft:
    """The lock of one service in the making: what it is made from, then what each phase has found.

    `given` are pins that are chosen before an engine is asked: archives by URL, and wheels without what they require.
    `building` are the keys of what builds it, in `closure`; `rust` is what its local packages compile, by name, and
    `crates` are the keys of what they do so with.
    `errors` are why there can be no lock, and `satisfiable` is what is left of the request without what no index has.
    """

    inputs: LockInputs
    given: tuple[Pin, ...]
    request: Request
    runtime: tuple[Pin, ...] = ()
    tests: tuple[Pin, ...] = ()
    development: tuple[Pin, ...] = ()
    closure: Closure
    building: frozenset[str] = frozenset()
    rust: Mapping[str, LocalRust] = field(default_factory=dict)
    crates: dict[str, tuple[str, ...]] = field(default_factory=dict)
    errors: Gathering = field(default_factory=Gathering)
    satisfiable: Request

    @property
    def keys(self) -> frozenset[str]:
        """Return the keys of all that the lock will have."""
        return self.building.union(pin.key for pin in (*self.runtime, *self.unshipped))

    @property
    def unshipped(self) -> tuple[Pin, ...]:
        """Return what only tests and developers need."""
        return (*self.tests, *self.development)

    def distribution(self, key: str, marker: str = "") -> Distribution:
        """Return what is locked of a `name==version`."""
        found = self.closure.sources.distributions[key]
        return replace(
            found,
            marker=marker,
            settings=found.settings if found.kind == "wheels" else self.closure.settings(key),
            build_requires=self.closure.build_requires(key),
            build_dependencies=self.closure.build_dependencies(key),
        )

    def drop_unrequired(self) -> None:
        """Ship no wheels that vendor.txt alone names, without what they require: the engine left them out."""
        distributions = self.closure.sources.distributions
        every = [distributions[pin.key] for pin in (*self.runtime, *self.unshipped) if pin.key in distributions]
        parsed = filter(None, (requirement_texts.parse(text) for item in every for text in item.requires))
        names = {line.name for line in self.inputs.lines} | {normalize(found.name) for found in parsed}
        dropped = {pin.key for pin in self.given if not pin.archive and pin.name not in names}
        self.runtime = tuple(pin for pin in self.runtime if pin.key not in dropped)


@dataclass(kw_only=True)
class Vendoring:
    """One run: its tools, the locks there were, and what has been found so far.

    What builds one service builds the others of the same interpreters too. `errors` has what is wrong already. With
    `attempt`, which returns what of a lock cannot be built, every lock is tried.
    """

    project: Project
    options: VendorOptions
    resolution: Resolution
    binding: Binding
    fetcher: Fetcher
    old: tuple[Lock, ...]
    errors: Gathering
    attempt: Callable[[Lock], Mapping[str, UserError]] | None = None
    _new: list[Lock] = field(default_factory=list)
    _unbuildable: list[Unbuildable] = field(default_factory=list)
    _told: set[str] = field(default_factory=set)
    _built_for_hooks: dict[str, dict[str, None]] = field(default_factory=dict)

    def run(self, everything: Sequence[LockInputs]) -> tuple[Lock, ...]:
        """Return the new lock of each service. Raises `UserError`; nothing has been written to the project."""
        for inputs in everything:
            console.step("RESOLVE", inputs.name)
            with progress.watching("RESOLVE", inputs.name), self.errors.part():
                draft = self._resolved(inputs)
                faults = draft.errors.is_final or self._find_faults(draft)
                draft.errors.end()
                if not (self.errors or faults):
                    self._new.append(self._finish(draft))
                    self._try_builds(draft, self._new[-1])
            if self.errors.is_final:
                break
        for error in unbuildable.errors(self._unbuildable):
            self.errors.add(error)
        self.errors.end()
        _warn_of_unused(everything, self._new)
        return tuple(self._new)

    def _resolved(self, inputs: LockInputs) -> Draft:
        """Return a draft that is resolved, with the local packages that something from an index requires."""
        joined: dict[str, set[str]] = {}
        while True:
            draft = self._begin(inputs)
            self._resolve(draft)
            if draft.closure.pass_over(pin.key for pin in (*draft.runtime, *draft.unshipped)):
                continue
            if draft.errors:
                return draft
            distributions = draft.closure.sources.distributions
            chosen = [distributions[pin.key] for pin in draft.runtime if pin.key in distributions]
            required = joining.required(self.project, inputs, chosen, self.options.platforms)
            more = {name: joined.get(name, set()) | extras for name, extras in required.items()}
            if all(joined.get(name) == extras for name, extras in more.items()):
                return draft
            joined |= more
            inputs = lock_inputs.read(self.project, inputs.package, self.options.platforms, joined, self.errors)

    def _begin(self, inputs: LockInputs) -> Draft:
        """Fetch the archives and choose the wheels of vendor.txt; the draft's request is for all else."""
        fetched = archives.fetch(inputs.archives, self.fetcher, self.binding.locked.archives())
        archived = {pin.name: metadata for pin, metadata in fetched}
        preferences = self._preferences(inputs)
        others = requirements.read_given_constraints(self.project, inputs.package, self.options.build_constraints)
        versions = inputs.binary_versions
        limits = {line.text: line.origin for line in (*others, *inputs.building.constraints, *versions)}
        said = frozenset(limits.items()), inputs.added, inputs.settings
        closure = self.resolution.closure_for(inputs.targets.pythons, said)
        wheels = wheel_choice.without_dependencies(inputs, self.resolution.index, preferences, closure.sources.selector)
        for pin, _ in fetched:
            lock_inputs.refuse_local(self.project, pin.name, f"{pin.archive.name if pin.archive else ''}: {pin.name}")
        given = self.binding.bind((*(pin for pin, _ in fetched), *wheels))
        lines, constraints = inputs.tree.requirements, (*inputs.constraints, *versions)
        local = {package.name: package.version for package in self.project.packages}
        request = Request(
            requirements=tuple(line.text for line in lines),
            constraints=tuple(line.text for line in constraints),
            targets=inputs.targets,
            build_constraints=limits,
            added=inputs.added,
            settings=inputs.settings,
            preferences=preferences,
            kept_builds=kept_builds.of(self._locks_of_like_builds(inputs), self._moving),
            platforms=self.options.platforms,
            provided={**local, **{pin.name: pin.version for pin in given}},
            given=given,
            exclude_newer=self.options.exclude_newer,
            origins={line.text: line.origin for line in (*lines, *constraints)},
        )
        # What has a URL comes from nowhere else, whoever requires it.
        request = self.resolution.inner.without_urls(request)
        known = [(pin, archived[pin.name]) for pin in given if pin.archive]
        told, requires = archives.with_requirements(known, self.resolution.inner, request)
        request = replace(
            request,
            requirements=(*request.requirements, *requires),
            given=tuple(told.get(pin.name, pin) for pin in given),
        )
        return Draft(inputs=inputs, given=request.given, request=request, closure=closure, satisfiable=request)

    def _preferences(self, inputs: LockInputs) -> tuple[Pinned, ...]:
        """Return what to keep: of another tool's lock, of the service's own, then what this run chose, then of others.

        What is to be upgraded is not kept from old locks, but what this run chose for one service serves the next.
        """
        adopted = self.options.adopted.pins if self.options.adopted else ()
        found: dict[str, list[Distribution]] = {pin.name: [] for pin in adopted}
        for source in self._locks(inputs):
            kept = [d for d in source.distributions() if source in self._new or not self._moving & {d.name, "all"}]
            for distribution in [d for d in kept if d.name not in found]:
                found.setdefault(distribution.name, []).append(distribution)
        return (*adopted, *(d.pinned for group in found.values() for d in group))

    def _locks(self, inputs: LockInputs) -> tuple[Lock, ...]:
        """Return the service's own lock, then those that this run made, then older ones of others."""
        own = [old for old in self.old if old.service == inputs.name]
        others = [old for old in self.old if old.service != inputs.name]
        return (*own, *self._new, *others)

    def _locks_of_like_builds(self, inputs: LockInputs) -> list[Lock]:
        """Return the locks whose builds are models for those of a service: they were under the same constraints."""
        limits = {name: value for name, value in self._fingerprint(inputs).items() if value and _limits_builds(name)}
        return [
            lock
            for lock in self._locks(inputs)
            if lock.service == inputs.name
            or limits == {name: value for name, value in lock.inputs.items() if value and _limits_builds(name)}
        ]

    def _fingerprint(self, inputs: LockInputs) -> dict[str, str]:
        return lock_inputs.fingerprint(self.project, inputs, self.options.platforms)

    @property
    def _moving(self) -> set[str]:
        return {normalize(name) for name in self.options.upgrade}

    def _resolve(self, draft: Draft) -> None:
        """Pin what runs and fetch it, then pin what only tests and developers need, and what builds all of it."""
        inputs, request = draft.inputs, draft.request
        chosen, draft.satisfiable = self._choose(request, draft.errors)
        draft.runtime = (*chosen, *draft.given)
        local = {
            package.name: source_tree.local(package.path, self.project.shown(package.path), self.project.root)
            for package in inputs.local
        }
        draft.rust = {name: tree.rust for name, tree in local.items() if tree.rust}
        own = {f"local {name}": tree for name, tree in local.items()}
        trees = {**draft.closure.sources.trees(draft.runtime), **own}
        draft.tests = self._resolve_more(draft, inputs.tests.requirements, draft.runtime)
        draft.development = self._resolve_more(draft, inputs.development.requirements, (*draft.runtime, *draft.tests))
        draft.drop_unrequired()
        _follow_builds(draft, trees)

    def _finish(self, draft: Draft) -> Lock:
        """Return the finished lock."""
        inputs, closure = draft.inputs, draft.closure
        unshipped = {pin.key for pin in draft.unshipped}
        building = (draft.distribution(key) for key in sorted(draft.building))
        decisive = itertools.chain.from_iterable(rust.inputs for rust in draft.rust.values())
        found = Lock(
            service=inputs.name,
            pythons=inputs.targets.pythons,
            platforms=self.options.platforms,
            packages=tuple(draft.distribution(pin.key, pin.marker) for pin in draft.runtime),
            # Nobody takes wheels of what only builds others.
            build_packages=tuple(d if d.key in unshipped else replace(d, offered=()) for d in building),
            local=tuple(
                LocalPackage(
                    name=package.name,
                    path=self.project.shown(package.path),
                    build_requires=closure.build_requires(f"local {package.name}"),
                    build_dependencies=closure.build_dependencies(f"local {package.name}"),
                    crates=draft.crates.get(package.name, ()),
                    rust=package.name in draft.rust,
                    settings=closure.settings(package.name),
                )
                for package in inputs.local
            ),
            test_requires=tuple(pin.pinned for pin in draft.tests),
            dev_requires=tuple(pin.pinned for pin in draft.development),
            inputs={**self._fingerprint(inputs), **fingerprints.fingerprint(decisive, self.project.root)},
            direct=direct_requirements.of_project(self.project, inputs),
        )
        found = replace(found, crates=closure.sources.crates.of_built((*found.distributions(), *found.local)))
        built = [item.key for item in found.distributions() if item.kind != "wheels"]
        names = {key.partition("==")[0] for key in built}
        for key in built:
            for name in closure.asked_by_hook(key) & names:
                self._built_for_hooks.setdefault(name, {})[key.replace("==", " ")] = None
        return direct_requirements.in_force(replace(found, direct=(*(found.direct or ()), *closure.bounds(built))))

    def _kept_crates(self, inputs: LockInputs, name: str) -> frozenset[str]:
        """Return the crates that a local package was locked with, unless everything is to be upgraded."""
        locks = () if "all" in self._moving else self._locks(inputs)
        return next((frozenset(item.crates) for lock in locks for item in lock.local if item.name == name), frozenset())

    def system_programs(self) -> Iterator[str]:
        """Yield a warning of what is built since builds find no such program of the system, which could have it."""
        declared = build_depends.replaceable(self.project.root / build_depends.CONTROL)
        built = self._built_for_hooks
        others = ((package, names) for package, names in debian_names.REPLACEABLE.items() if package not in declared)
        found = {name: package for package, names in others for name in names if name in built}
        if found:
            users = dict.fromkeys(user for name in sorted(found) for user in built[name])
            yield (
                f"{', '.join(sorted(found))}: built from source, which may take many minutes, as builds find no such "
                f"program of the system ({', '.join(users)})\nadd {', '.join(sorted(found.values()))} to Build-Depends "
                "in debian/control, `apt install` the same, and run `make vendor`"
            )

    def _choose(self, request: Request, errors: Gathering) -> tuple[tuple[Pin, ...], Request]:
        """Resolve a request, or else what is left of it without what no index has; return that, too."""
        absent: set[str] = set()
        while True:
            try:
                return self.resolution.resolver.resolve(request), request
            except UserError as error:
                names = error.names if isinstance(error, UnmetError) else frozenset[str]()
                # What was left out may be missing elsewhere.
                if not absent & names:
                    errors.add(error)
                if errors.is_final:
                    errors.end()
                if not names - request.provided.keys():
                    return (), request
                absent |= names
                request = request.without(names)

    def _resolve_more(self, draft: Draft, lines: Sequence[Line], pins: Iterable[Pin]) -> tuple[Pin, ...]:
        """Return what these lines need in addition to `pins`: resolved with those at exactly their versions."""
        if not lines:
            return ()
        request = draft.satisfiable
        fixed = {pin.key: str(pin.pinned) for pin in pins if not pin.archive}
        more = replace(
            request,
            requirements=(*request.requirements, *(line.text for line in lines)),
            constraints=(*request.constraints, *fixed.values()),
            origins={**request.origins, **{line.text: line.origin for line in lines}},
        )
        chosen, _ = self._choose(more, draft.errors)
        return tuple(pin for pin in chosen if pin.key not in fixed and not pin.archive)

    def _try_builds(self, draft: Draft, lock: Lock) -> None:
        """Build what a lock names, where that is asked for, and note what cannot be built."""
        if self.attempt:
            failed = self.attempt(lock)
            self._note(draft, failed, failed)

    def _note(self, draft: Draft, faults: Mapping[str, UserError], failed: Collection[str]) -> None:
        attempts = self._attempts(draft, failed)
        self._unbuildable += [attempts.unbuildable(key, error) for key, error in faults.items()]

    def _attempts(self, draft: Draft, failed: Collection[str]) -> Attempts:
        return Attempts(
            project=self.project,
            inputs=draft.inputs,
            request=draft.satisfiable,
            resolver=self.resolution.resolver,
            closure=draft.closure,
            pins={pin.key: pin for pin in (*draft.runtime, *draft.unshipped)},
            failed=failed,
        )

    def _find_faults(self, draft: Draft) -> bool:
        """Find what is wrong with what was chosen, most of all what cannot be built; say what is an older release.

        Returns whether there is anything that cannot be built.
        """
        closure, distributions = draft.closure, draft.closure.sources.distributions
        self._tell_older(draft.keys)
        trials.find_downloads(closure, draft.keys - closure.faults(draft.keys).keys())
        local = (f"local {package.name}" for package in draft.inputs.local)
        faults = closure.faults({*draft.keys, *local})
        for name, rust in draft.rust.items():
            with draft.errors.part():
                kept = self._kept_crates(draft.inputs, name)
                draft.crates[name] = closure.sources.crates.of_local(rust, kept)
        with draft.errors.part():
            runtime = [distributions[pin.key] for pin in draft.runtime if pin.key in distributions]
            requirements.check_hashes(draft.inputs.lines, runtime)
        if not (self.errors or draft.errors):
            names = {pin.name for pin in draft.runtime}, {pin.name for pin in draft.unshipped}
            with draft.errors.part():
                lock_inputs.refuse_unmet(draft.inputs, *names)
        self._note(draft, faults, closure.sources.failed)
        for python, platform in itertools.product(draft.inputs.targets.pythons, self.options.platforms):
            requires = {
                key: {
                    reference.key
                    for reference in closure.build_requires(key)
                    if markers.possible(reference.marker, (python,), (platform,))
                }
                for key in draft.keys
            }
            # One on some machine, since a marker may keep two requirements apart.
            if circle := cycles.find(requires):
                draft.errors.add(self._attempts(draft, ()).cycle(circle, requires))
        return bool(faults)

    def _tell_older(self, keys: Collection[str]) -> None:
        passed = self.resolution.preference.passed_over
        for key in sorted(passed.keys() - self._told):
            name, _, version = key.partition("==")
            if taken := [other for other in keys if other.partition("==")[0] == name and other != key]:
                self._told.add(key)
                older = ", ".join(other.partition("==")[2] for other in sorted(taken))
                console.step("OLDER", f"{name} {older}, as {version} cannot be built: {passed[key]}")


def _limits_builds(name: str) -> bool:
    return name.rpartition("/")[2] in (
        requirements.BUILD_CONSTRAINTS_FILE,
        build_requirements.FILE,
        build_settings.FILE,
    )


def _follow_builds(draft: Draft, trees: Mapping[str, SourceTree]) -> None:
    """Find what builds these trees, and tests."""
    closure, tests = draft.closure, f"tests of {draft.inputs.name}"
    closure.begin_service(draft.request, [pin.pinned for pin in draft.runtime], draft.given)
    closure.add(tests, draft.unshipped)
    with draft.errors.part():
        closure.follow(trees)
    runtime = {pin.key for pin in draft.runtime}
    draft.building = frozenset(closure.builders([*trees, *runtime, tests]) - runtime)


def _warn_of_unused(everything: Iterable[LockInputs], locks: Sequence[Lock]) -> None:
    """Warn of lines about builds that are for nothing which any service has built."""
    built = {item.key for lock in locks for item in lock.distributions() if item.kind != "wheels"}
    keys = {*built, *(package.name for lock in locks for package in lock.local)}
    added = dict.fromkeys(line for inputs in everything for line in inputs.added)
    unused = {line.origin: f"{line.name}{line.specifier}" for line in added if not any(map(line.is_for, built))}
    settings = (table for inputs in everything for table in inputs.settings)
    unused |= {table.origin: table.label for table in settings if not any(map(table.is_for, keys))}
    for origin, name in unused.items():
        console.warn(f"{origin}: nothing that is built is called {name}")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The old locks, those that the requirements now give, their files in the cache, by name, and warnings."""

    old: tuple[Lock, ...]
    new: tuple[Lock, ...]
    files: Mapping[str, Path]
    warnings: tuple[str, ...]


def run(
    project: Project, settings: Settings, options: VendorOptions, indexes: Indexes, engine: Engine, *, dry_run: bool
) -> None:
    """Make vendor/ what the requirements say, or with `dry_run` only say what would change."""
    with drafts.standing(options.edits.new):
        found = plan(project, settings, options, indexes, engine, refresh=bool(options.upgrade))
    _refuse_unknown_upgrades(options, (*found.old, *found.new))
    for warning in found.warnings:
        console.warn(warning)
    if not dry_run:
        staging.replace(settings.vendor, found.new, found.files, options.edits.written)
    for edit in options.edits.told:
        console.step("WOULD" if dry_run else "EDIT", edit)
    _report(found, dry_run=dry_run)
    if options.adopted:
        console.note(options.adopted.told(found.new))


def plan(
    project: Project, settings: Settings, options: VendorOptions, indexes: Indexes, engine: Engine, *, refresh: bool
) -> Outcome:
    """Find and fetch all that the requirements ask for, and change nothing. Raises `UserError`.

    With `refresh`, answers of the indexes from before do not count.
    """
    errors = Gathering()
    everything = []
    for package in project.locked:
        with errors.part():
            everything.append(lock_inputs.read(project, package, options.platforms, errors=errors))
    old = tuple(
        lock_file.read(path) for item in everything if (path := lock_file.path_of(settings.vendor, item.name)).exists()
    )
    locked = LockedFiles.of(old, options.upgrade)
    binding = Binding(locked)
    changes = patches.read(project.root)
    with lines.relative_errors(project.root), directories.scratch("vendor-") as scratch, Fetcher(indexes) as fetcher:
        if errors.is_final:
            errors.end()
        resolution = resolve.create(
            engine,
            indexes,
            fetcher,
            rules=_rules(everything),
            hold=Hold(
                kept=lambda pythons: locked.kept(pythons, options.platforms),
                bind=binding.bind,
                archives=locked.archives(),
                missing=KeptFiles(locked, settings.vendor).missing,
            ),
            patches=changes,
            platforms=options.platforms,
            building=options.building,
            scratch=scratch,
            logs=settings.build / "logs",
            refresh=refresh,
        )
        attempt = partial(
            wheels.attempt, settings=settings, options=options.building, vendored=resolution.files.__getitem__
        )
        vendoring = Vendoring(
            project=project,
            options=options,
            resolution=resolution,
            binding=binding,
            fetcher=fetcher,
            old=old,
            errors=errors,
            attempt=attempt if options.trial else None,
        )
        new = vendoring.run(everything)
        patches.refuse_unused(changes, new)
        warnings = (*binding.withdrawn(new), *_idle_rules(everything, new), *vendoring.system_programs())
        return Outcome(old=old, new=new, files=resolution.files, warnings=warnings)


def _idle_rules(everything: Iterable[LockInputs], new: Iterable[Lock]) -> Iterator[str]:
    """Yield a warning for each line of a vendor.txt that names what no lock has: an old line, or a misspelt one."""
    names = {distribution.name for lock in new for distribution in lock.distributions()}
    for rule in dict.fromkeys(rule for item in everything for rule in item.binary if rule.name not in names):
        meant = difflib.get_close_matches(rule.name, names, n=1)
        yield (
            f"{rule.origin}: nothing requires {rule.name}, so no wheel of it is taken: "
            + (f"did you mean {meant[0]}?" if meant else "remove the line")
        )


def _rules(everything: Iterable[LockInputs]) -> Mapping[str, list[BinaryRule]]:
    """Return the binary rules of the whole project by name: services share the files of vendor/."""
    rules: dict[str, list[BinaryRule]] = {}
    for rule in dict.fromkeys(rule for item in everything for rule in item.binary):
        rules.setdefault(rule.name, []).append(rule)
    return rules


def _report(found: Outcome, *, dry_run: bool) -> None:
    """Print what was added, removed and moved to other versions, and the totals."""
    changes = lock_diff.compare(
        *([d for item in side for d in item.distributions()] for side in (found.old, found.new))
    )
    for change in changes:
        console.note(f"    {change}")
    sizes = {file.name: file.size for item in found.new for file in item.vendored_files().values()}
    names = ", ".join(item.service for item in found.new)
    console.step(
        "WOULD" if dry_run else "VENDOR",
        f"{names}: {len(sizes)} files, {sum(sizes.values()) / 1e6:.1f} MB in vendor/; "
        f"{lock_diff.summary(changes) or 'no other versions'}",
    )


def _refuse_unknown_upgrades(options: VendorOptions, locks: Iterable[Lock]) -> None:
    known = {distribution.name for item in locks for distribution in item.distributions()}
    unknown = [name for name in options.upgrade if name != "all" and normalize(name) not in known]
    if unknown:
        what = f"UPGRADE: nothing locked is called {', '.join(unknown)}"
        raise UserError(what, "name distributions as vendor/ has them, or all")
