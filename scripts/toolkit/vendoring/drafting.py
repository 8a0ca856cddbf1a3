"""From the inputs of one service to a draft in which everything is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from toolkit.core.errors import Gathering, UserError
from toolkit.engines import kept_builds
from toolkit.engines.engine import RefusedError, Request, UnmetError
from toolkit.model import markers
from toolkit.model.lock import Distribution, Lock
from toolkit.model.pins import Pin, Pinned
from toolkit.network.fetch import Fetcher
from toolkit.project import build_settings
from toolkit.project.discovery import Project
from toolkit.releases import wheel_choice
from toolkit.requirements import build_requirements, lock_inputs, requirements
from toolkit.requirements.lock_inputs import LockInputs
from toolkit.requirements.requirements import Line
from toolkit.resolve import source_tree
from toolkit.resolve.resolution import Resolution
from toolkit.resolve.source_tree import SourceTree
from toolkit.vendoring import archives, joining
from toolkit.vendoring.draft import Draft
from toolkit.vendoring.locked_files import Binding
from toolkit.vendoring.vendor_options import VendorOptions


@dataclass(kw_only=True)
class Drafting:
    """Resolves services, one after another; `old` are the locks there were, and `made` those that this run made so far.

    What builds one service builds the others of the same interpreters too. `errors` has what is wrong with inputs.
    """

    project: Project
    options: VendorOptions
    resolution: Resolution
    binding: Binding
    fetcher: Fetcher
    old: tuple[Lock, ...]
    errors: Gathering
    made: list[Lock] = field(default_factory=list)

    def draft(self, inputs: LockInputs) -> Draft:
        """Return the draft of a service, which has errors where not all could be chosen."""
        draft = self._resolved(inputs)
        for name, rust in () if draft.errors.is_final else draft.rust.items():
            with draft.errors.part():
                kept = self._kept_crates(draft.inputs, name)
                draft.crates[name] = draft.closure.sources.crates.of_local(rust, kept)
        return draft

    def _resolved(self, inputs: LockInputs) -> Draft:
        """Return a draft that is resolved, with the local packages that something from an index requires."""
        joined: dict[str, set[str]] = {}
        while True:
            draft = self._begin(inputs)
            self._resolve(draft)
            if draft.closure.passing_over.pass_over(pin.key for pin in (*draft.runtime, *draft.unshipped)):
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
        preferences = self._preferences(inputs)
        others = requirements.read_given_constraints(self.project, inputs.package, self.options.build_constraints)
        versions = inputs.binary_versions
        limits = {line.text: line.origin for line in (*others, *inputs.building.constraints, *versions)}
        said = frozenset(limits.items()), inputs.added, inputs.settings
        closure = self.resolution.closure_for(inputs.targets.pythons, said)
        wheels = wheel_choice.without_dependencies(inputs, self.resolution.index, preferences, closure.sources.selector)
        for pin, origin in fetched:
            lock_inputs.refuse_local(self.project, pin.name, f"{origin}: {pin.name}")
        given = self.binding.bind(wheels)
        lines, constraints = inputs.tree.requirements, (*inputs.constraints, *versions)
        archived = {f"{pin.name}=={pin.version}": origin for pin, origin in fetched}
        local = {package.name: package.version for package in self.project.packages}
        request = Request(
            requirements=(*(line.text for line in lines), *archived),
            constraints=tuple(line.text for line in constraints),
            targets=inputs.targets,
            build_constraints=limits,
            added=inputs.added,
            settings=inputs.settings,
            preferences=preferences,
            kept_builds=kept_builds.of(self._locks_of_like_builds(inputs), self.options.moving),
            platforms=self.options.platforms,
            local=frozenset(local),
            provided={**local, **{pin.name: pin.version for pin in given}},
            given=given,
            archives={pin.name: {pin.version: pin} for pin, _ in fetched},
            exclude_newer=self.options.exclude_newer,
            origins={**archived, **{line.text: line.origin for line in (*lines, *constraints)}},
        )
        # What has a URL comes from nowhere else, whoever requires it.
        request = self.resolution.inner.without_urls(request)
        return Draft(inputs=inputs, given=given, request=request, closure=closure, satisfiable=request)

    def _preferences(self, inputs: LockInputs) -> tuple[Pinned, ...]:
        """Return what to keep: of another tool's lock, of the service's own, then what this run chose, then of others.

        What is to be upgraded is not kept from old locks, but what this run chose for one service serves the next.
        """
        pythons, platforms = inputs.targets.pythons, self.options.platforms
        foreign = self.options.adopted.pins if self.options.adopted else ()
        # A lock for more machines than these may have other versions for the rest.
        adopted = [pin for pin in foreign if markers.possible(pin.marker, pythons, platforms)]
        found: dict[str, list[Distribution]] = {pin.name: [] for pin in adopted}
        for source in self._locks(inputs):
            kept = [
                d for d in source.distributions() if source in self.made or not self.options.moving & {d.name, "all"}
            ]
            for distribution in [d for d in kept if d.name not in found]:
                found.setdefault(distribution.name, []).append(distribution)
        return (*adopted, *(d.pinned for group in found.values() for d in group))

    def _locks(self, inputs: LockInputs) -> tuple[Lock, ...]:
        """Return the service's own lock, then those that this run made, then older ones of others."""
        own = [old for old in self.old if old.service == inputs.name]
        others = [old for old in self.old if old.service != inputs.name]
        return (*own, *self.made, *others)

    def _locks_of_like_builds(self, inputs: LockInputs) -> list[Lock]:
        """Return the locks whose builds are models for those of a service: they were under the same constraints."""
        own = lock_inputs.fingerprint(self.project, inputs, self.options.platforms)
        limits = {name: value for name, value in own.items() if value and _limits_builds(name)}
        return [
            lock
            for lock in self._locks(inputs)
            if lock.service == inputs.name
            or limits == {name: value for name, value in lock.inputs.items() if value and _limits_builds(name)}
        ]

    def _kept_crates(self, inputs: LockInputs, name: str) -> frozenset[str]:
        """Return the crates that a local package was locked with, unless everything is to be upgraded."""
        locks = () if "all" in self.options.moving else self._locks(inputs)
        return next((frozenset(item.crates) for lock in locks for item in lock.local if item.name == name), frozenset())

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

    def _choose(self, request: Request, errors: Gathering) -> tuple[tuple[Pin, ...], Request]:
        """Resolve a request, or else what is left of it without what cannot be had; return that, too."""
        absent: set[str] = set()
        while True:
            try:
                return self.resolution.resolver.resolve(request), request
            except UserError as error:
                names = error.names if isinstance(error, UnmetError | RefusedError) else frozenset[str]()
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
