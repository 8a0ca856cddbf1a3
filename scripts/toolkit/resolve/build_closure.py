"""The build closure: what builds the sdists, and what builds that, down to backends that build themselves.

Each tree that is built names a set of requirements; equal sets are resolved once. Build environments are isolated, and
so is their resolution: a set gets the versions that it would choose alone. One resolution of all sets gives most of
them just that; those that a bound of another set holds back are resolved again, without it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from toolkit.core import console, cycles, threads
from toolkit.core.errors import FinalError, UserError, combined
from toolkit.model import markers, requirement_texts
from toolkit.model.build_settings import BuildSettings
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.lock import DirectRequirement
from toolkit.model.names import NAME, normalize
from toolkit.model.pins import Pin, Pinned
from toolkit.project import build_requirements, build_settings
from toolkit.resolve import build_ages, older_releases, pin_closure
from toolkit.resolve.catalogue import Catalogue, url_error
from toolkit.resolve.engine import ConflictError, Request, Resolver, UnmetError
from toolkit.resolve.fetched_sources import Sources, in_order
from toolkit.resolve.free_choice import FreeChoice
from toolkit.resolve.hooks import BUILD_REQUIRES, METADATA, Answer, Question
from toolkit.resolve.source_preference import SourcePreference
from toolkit.resolve.source_tree import SourceTree, TreesWithClosures
from toolkit.vendored import downloads

Requirements = frozenset[str]
#: What stands in an error for the builds that have these requirements: each is told by itself.
_ITSELF = "building \0"


@dataclass(kw_only=True)
class Closure:
    """Resolves the build requirements of trees into pins, and follows what builds those. Trees have keys.

    A key is `name==version` for what has a pin, and any other text for a local package, or for the closure of tests.
    `resolver` leaves out what `preference` does.
    """

    resolver: Resolver
    preference: SourcePreference
    sources: Sources
    _sets: dict[str, Requirements] = field(default_factory=dict)
    _resolved: dict[Requirements, tuple[Pin, ...]] = field(default_factory=dict)
    _request: Request = field(init=False)
    _given: dict[str, Pin] = field(default_factory=dict)
    _shipped: tuple[Pinned, ...] = ()
    _trees: dict[str, SourceTree] = field(default_factory=dict)
    _aged: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _loosened: set[str] = field(default_factory=set)
    _tried: set[str] = field(default_factory=set)
    _unmet: dict[Requirements, UserError] = field(default_factory=dict)
    _given_keys: set[str] = field(default_factory=set)
    _older: dict[str, Pin | None] = field(default_factory=dict)

    def begin_service(self, request: Request, shipped: Iterable[Pinned], given: Iterable[Pin]) -> None:
        """Turn to a service: `request` is for what it runs with, `shipped` the result, `given` what no engine chose.

        A set that names a given distribution directly has it too, though the request says that it is provided.
        """
        self._request, self._shipped = request, tuple(shipped)
        self._given |= {pin.name: pin for pin in given}

    def add(self, key: str, pins: Sequence[Pin]) -> None:
        """Add pins that are resolved already (the closure of tests), so that `follow` finds what builds them."""
        self._given_keys.add(key)
        self._sets[key] = frozenset({f"{key}: {pin.key}" for pin in pins})
        self._resolved[self._sets[key]] = tuple(pins)

    def follow(self, trees: Mapping[str, SourceTree]) -> None:
        """Add the closure of `trees` (by key), and of what was added before; what cannot be built is in `faults` then.

        Of what only builds others, an older release is taken where that can be built.
        """
        while True:
            self._follow(trees)
            given = {*trees, *(key for added in self._given_keys for key in self._keys(added))}
            if not self.pass_over(self.builders([*trees, *self._given_keys]) - given):
                return

    def _follow(self, trees: Mapping[str, SourceTree]) -> None:
        fresh = dict(trees) | self._new_trees()
        pending: dict[str, SourceTree] = {}
        while fresh or pending or self._unresolved():
            self._trees |= {key: replace(tree, settings=self.settings(key)) for key, tree in fresh.items()}
            self._sets |= {
                key: self._bounded(key, self._named(key, tree, tree.build_system.requires) | self._added(key))
                for key, tree in fresh.items()
            }
            # Those of which nothing satisfied the bounds of their age have none then.
            while unresolved := self._unresolved():
                self._resolve(unresolved)
            pending |= fresh
            ready = {key: tree for key, tree in pending.items() if self._is_ready(key, pending)}
            # Hooks are slow and their answers are sets of the next round, so the next trees are fetched meanwhile.
            with threads.beside(partial(self._complete_sets, ready), self.sources.stop) as complete_sets:
                fresh = self._new_trees()
                self._sets |= complete_sets()
            pending = {key: tree for key, tree in pending.items() if key not in ready}
            if pending and not ready and not fresh:
                if all(self.faults(self.builders([key])) for key in pending):
                    # Each waits for something that cannot be built.
                    return
                raise self._circle()

    def _circle(self) -> UserError:
        pins, requires = self.pins(), {key: self._keys(key) for key in self._trees}
        circle = cycles.find(requires)
        return cycles.error(
            circle,
            requires,
            lambda key: key in pins and self.sources.has_wheel(pins[key]),
            line=build_requirements.line_in(circle, self._request.added),
        )

    def settings(self, key: str) -> BuildSettings:
        """Return how a tree is built besides what its own files say."""
        return build_settings.of_key(self._request.settings, key.removeprefix("local "))

    def _named(self, key: str, tree: SourceTree, texts: Iterable[str]) -> Requirements:
        try:
            return _normal(texts, tree.name)
        except UserError as error:
            self.sources.faults[key] = error
            return frozenset()

    def _added(self, key: str) -> Requirements:
        return frozenset(line.requirement for line in self._request.added if line.is_for(key))

    def _bounded(self, key: str, requirements: Requirements) -> Requirements:
        """Return the requirements of a tree with bounds by its age, but for what build-requirements.txt names.

        Constraints hold besides; where both leave nothing, there are no bounds (see `_loosen`).
        """
        if key in self._loosened:
            return requirements
        own = requirements.difference(self._aged.get(key, {}))
        pythons, words = self._request.targets.pythons, self._trees[key].build_system.words
        found = build_ages.bounds(own, self.sources.uploaded(key), words, pythons)
        said = _names(self._added(key))
        self._aged[key] = {text: reason for text, reason in found.items() if Requirement(text).name not in said}
        return own.union(self._aged[key])

    def bounds(self, keys: Iterable[str]) -> tuple[DirectRequirement, ...]:
        """Return the bounds that builds of trees got by their age, as the lock tells them."""
        return tuple(
            DirectRequirement(
                source=key.partition("==")[0],
                name=normalize(Requirement(text).name),
                kind="build",
                text=text,
                origin=reason,
            )
            for key in sorted(keys)
            for text, reason in self._aged.get(key, {}).items()
        )

    def _unresolved(self) -> set[Requirements]:
        return set(self._sets.values()) - self._resolved.keys()

    def _is_ready(self, key: str, pending: Collection[str]) -> bool:
        """Tell whether the environment of a tree's hook can be made: what has no wheel has to be built first."""
        if not self._trees[key].build_system.dynamic or self._sets[key] in self._unmet:
            return True
        known: dict[str, bool] = dict.fromkeys(pending, False)
        return all(self.sources.has_wheel(pin) or self._is_known(pin, known) for pin in self._pins(key))

    def _is_known(self, pin: Pin, known: dict[str, bool]) -> bool:
        """Tell whether all that builds a pin is known, since the wheel store finds its wheel by that.

        `known` holds the answers so far, by key; False in a circle.
        """
        if not self.sources.applies(pin):
            return True
        if self.faults([pin.key]):
            return False
        if pin.key not in self._trees:
            # A wheel: nothing builds it.
            return not self.sources.trees([pin])
        if pin.key not in known:
            known[pin.key] = False
            known[pin.key] = all(self._is_known(other, known) for other in self._pins(pin.key))
        return known[pin.key]

    def _pins(self, key: str) -> tuple[Pin, ...]:
        """Return what builds a tree; nothing as long as that is not resolved."""
        return self._resolved.get(self._sets.get(key, frozenset()), ())

    def _keys(self, key: str) -> set[str]:
        return {pin.key for pin in self._pins(key)}

    def _new_trees(self) -> dict[str, SourceTree]:
        found = self.sources.trees(self.pins().values())
        return {key: tree for key, tree in found.items() if key not in self._trees}

    def builders(self, keys: Iterable[str]) -> set[str]:
        """Return the keys of all that builds the given trees, and that builds those."""
        found: set[str] = set()
        stack = list(keys)
        while stack:
            new = self._keys(stack.pop()) - found
            found |= new
            stack += new
        return found

    def faults(self, keys: Iterable[str]) -> Mapping[str, UserError]:
        """Return, by key, why some of these cannot be built from source."""
        return {key: error for key in sorted(keys) if (error := self._fault(key))}

    def refuse_unbuildable(self, keys: Iterable[str]) -> None:
        """Raise one `UserError` for all of these, and of what builds them, that cannot be built from source."""
        if faults := self.faults_of_building(*keys):
            raise combined(faults.values())

    def faults_of_building(self, *keys: str) -> Mapping[str, UserError]:
        """Return, by key, why some of these, or of what builds them, cannot be built from source."""
        return self.faults({*keys, *self.builders(keys)})

    def _fault(self, key: str) -> UserError | None:
        if key in self.sources.selector.without_source:
            return UserError(f"{key.replace('==', ' ')} has no sdist")
        if error := self.sources.faults.get(key):
            return error
        if (error := self.sources.failed.get(key)) and not any(map(self._is_unbuildable, self.builders([key]))):
            # What a backend says counts only where it had all that it needs.
            return error
        tree, requirements = self._trees.get(key), self._sets.get(key, frozenset())
        if not tree or requirements not in self._unmet:
            return None
        error = self._unmet[requirements]
        shown = f"building {tree.name} {key.partition('==')[2]}".rstrip()
        return UserError(error.what.replace(_ITSELF, shown), error.hint, error.details)

    def _is_unbuildable(self, key: str) -> bool:
        return key in self.sources.selector.without_source or self._sets.get(key) in self._unmet

    def pass_over(self, keys: Iterable[str]) -> bool:
        """Leave releases out whose build requirements no index can meet, each where an older one can be built.

        Returns whether there are any: then all that was chosen has to be chosen again.
        """
        unmet = [key for key in sorted(keys) if self._is_lacking(key)]
        # No short circuit: each is to be replaced.
        return bool(sum(map(self._pass_over, unmet)))

    def is_unmet(self, key: str) -> bool:
        """Tell whether nothing satisfies the build requirements of a tree."""
        return isinstance(self._unmet.get(self._sets.get(key, frozenset())), UnmetError)

    def _is_lacking(self, key: str) -> bool:
        """Tell whether the indexes lack what builds a release, rather than that the project's own lines forbid it."""
        requirements, found = self._sets.get(key, frozenset()), self.sources.distributions.get(key)
        if not found or found.kind != "sdist" or not self.is_unmet(key):
            return False
        own = requirements.difference(line.requirement for line in self._request.added)
        if own == requirements and not self._request.build_constraints:
            return True
        try:
            self.resolver.resolve(replace(self._request_for([own]), constraints=()))
        except UnmetError:
            return True
        return False

    def _pass_over(self, key: str) -> bool:
        name, _, version = key.partition("==")
        # Where it was left out before, nothing else will do.
        older = self.older(key) if version not in self.preference.left_out.get(name, ()) else None
        if not older:
            return False
        between = (item.version for item in self._releases(key) if Version(item.version) > Version(older.version))
        _, _, reason = self.faults([key])[key].what.partition(": ")
        self.preference.pass_over(key, [version, *between], reason)
        stale = {requirements for requirements, pins in self._resolved.items() if key in {pin.key for pin in pins}}
        self._resolved = {found: pins for found, pins in self._resolved.items() if found not in stale}
        for built in [built for built, found in self._sets.items() if found in stale]:
            del self._sets[built]
            self._trees.pop(built, None)
        return True

    def older(self, key: str) -> Pin | None:
        """Return the newest of some older releases that can be built, as far as its own files tell."""
        if key not in self._older:
            self._older[key] = next(filter(self._is_buildable, self._releases(key)), None)
        return self._older[key]

    def _releases(self, key: str) -> Iterable[Pin]:
        catalogue = Catalogue(request=self._request, index=self.sources.reader.index, reader=self.sources.reader)
        return older_releases.of(key, catalogue.releases(key.partition("==")[0]))

    def _is_buildable(self, pin: Pin) -> bool:
        try:
            tree = self.sources.attempt(pin)
            requirements = _normal(tree.build_system.requires, tree.name) | self._added(pin.key) if tree else None
            if requirements and requirements not in self._resolved:
                self.resolver.resolve(self._request_for([requirements]))
        except FinalError:
            raise
        except UserError as error:
            console.debug(f"{pin.key} cannot be built either: {error.what}")
            return False
        return requirements is not None and requirements not in self._unmet

    def build_requires(self, key: str) -> tuple[Pinned, ...]:
        """Return the closure of what builds a tree (or of tests), in the order of the lock."""
        return in_order(self._pins(key))

    def build_dependencies(self, key: str) -> tuple[str, ...]:
        """Return the build requirements of a tree and its backend, each in its normal form."""
        return tuple(sorted(self._sets.get(key, ())))

    def asked_by_hook(self, key: str) -> set[str]:
        """Return the names of what builds a tree and its pyproject.toml does not name."""
        tree = self._trees.get(key)
        return _names(self._sets[key]) - _names(_normal(tree.build_system.requires, tree.name)) if tree else set()

    def metadata(self, keys: Iterable[str]) -> Mapping[str, CoreMetadata]:
        """Return, by key, the metadata of trees that were followed, as their backends make it."""
        return self.ask(METADATA, keys)

    def ask(self, question: Question[Answer], keys: Iterable[str]) -> Mapping[str, Answer]:
        """Return, by key, what the backends of trees that were followed answer."""
        buildable = self._buildable()
        return self.sources.ask(question, {key: buildable[key] for key in keys if key in buildable}, buildable)

    def can_try(self, key: str) -> bool:
        """Tell whether a trial build of a tree takes no others: wheels of the index are all that it needs."""
        return not self.sources.distributions[key].rust and all(map(self.sources.has_wheel, self._pins(key)))

    def new_downloads(self, keys: Iterable[str]) -> Mapping[str, str]:
        """Return, by key, the place in each of these trees that tells that its build may download.

        Only of what no lock has, and each once.
        """
        new = sorted(set(keys) - self._tried - self.sources.selector.kept.keys())
        self._tried.update(new)
        return {key: place for key in new if key in self._trees and (place := self._download(key))}

    def _download(self, key: str) -> str:
        builders = (f"built with {pin.name}" for pin in self._pins(key) if pin.name in downloads.BUILDERS)
        return self.sources.downloads(key) or next(builders, "")

    def build(self, keys: Iterable[str]) -> Mapping[str, Path]:
        """Return, by key, the wheels of trees that were followed, for the first interpreter that builds."""
        return self.sources.build(list(keys), self._buildable())

    def pins(self) -> Mapping[str, Pin]:
        """Return all that builds anything, by key."""
        return {pin.key: pin for pins in self._resolved.values() for pin in pins}

    def built_by(self, pin_key: str) -> list[str]:
        """Return the keys of the trees that something is needed to build."""
        return [key for key in sorted(self._trees) if pin_key in self._keys(key)]

    def with_constraint(self, key: str, constraint: str) -> tuple[Pin, ...]:
        """Resolve what builds a tree under one more constraint of builds. Raises `UserError`."""
        request = self._request_for([self._sets[key]])
        return self.resolver.resolve(replace(request, constraints=(*request.constraints, constraint)))

    def _buildable(self) -> TreesWithClosures:
        return {key: (tree, self._pins(key)) for key, tree in self._trees.items()}

    def _complete_sets(self, trees: Mapping[str, SourceTree]) -> dict[str, Requirements]:
        """Return the sets of trees with what their backends add to what pyproject.toml says."""
        buildable = self._buildable()
        dynamic = {
            key: buildable[key]
            for key, tree in trees.items()
            if tree.build_system.dynamic and self._sets[key] not in self._unmet
        }
        added = self.sources.ask(BUILD_REQUIRES, dynamic, buildable, self._shipped)
        return {
            key: self._bounded(
                key,
                self._sets[key]
                | self._named(key, tree, added.get(key, ()))
                | _wheel_for_old_setuptools(*buildable[key]),
            )
            for key, tree in trees.items()
        }

    def _resolve(self, sets: set[Requirements]) -> None:
        """Resolve new sets, each to what it would choose alone."""
        self._resolved |= {requirements: () for requirements in sets if not requirements}
        todo = sorted(filter(None, sets), key=_freedom)
        while todo:
            todo = self._resolve_together(todo)

    def _resolve_together(self, sets: list[Requirements]) -> list[Requirements]:
        """Resolve all sets at once, and return those that others hold back; at least one set is resolved."""
        if len(sets) == 1:
            self._resolve_alone(sets)
            return []
        try:
            joint = self.resolver.resolve(self._request_for(sets))
        except FinalError:
            raise
        except UserError as error:
            console.debug(f"build requirements have no common versions, so some sets get their own:\n{error}")
            names = error.names if isinstance(error, UnmetError) else frozenset()
            at_fault = [requirements for requirements in sets if names & _names(requirements)]
            bounded = [requirements for requirements in sets if _bounds(requirements)]
            self._resolve_alone(at_fault or bounded or sets)
            return [requirements for requirements in sets if requirements not in self._resolved]
        self.sources.trees(joint)
        pythons, platforms = self._request.targets.pythons, self._request.platforms
        held = []
        for requirements in sets:
            part = pin_closure.closure(requirements, joint, self.sources.certain_requirements, pythons, platforms)
            if part is None:
                self._resolve_alone([requirements])
            elif self._free_choice(requirements).is_free(part):
                self._take(requirements, part.pins)
            else:
                held.append(requirements)
        if len(held) == len(sets):
            self._resolve_alone([held.pop(0)])
        return held

    def _resolve_alone(self, sets: Iterable[Requirements]) -> None:
        for requirements in sets:
            try:
                self._take(requirements, self.resolver.resolve(self._request_for([requirements])))
            except FinalError:
                raise
            except UserError as error:
                if not (isinstance(error, ConflictError) and self._loosen(requirements, error)):
                    error.what = error.what.replace(self._shown([requirements]), _ITSELF)
                    self._unmet[requirements] = error
                # Nobody has these any more, or what has them cannot be built.
                self._resolved[requirements] = ()

    def _loosen(self, requirements: Requirements, conflict: ConflictError) -> bool:
        """Take the bounds of age from the trees with these requirements; returns whether there were any."""
        keys = [key for key, found in self._sets.items() if found == requirements and self._aged.get(key)]
        if not keys:
            return False
        console.debug(f"no bounds by age for what builds {', '.join(keys)}:\n{conflict}")
        for key in keys:
            self._sets[key] = requirements.difference(self._aged.pop(key))
            self._loosened.add(key)
        return True

    def _take(self, requirements: Requirements, pins: Sequence[Pin]) -> None:
        """Note what a set resolves to. Raises `UnmetError` where a package of the project would be among it."""
        for who, texts in ("", requirements), *((pin.name, self._requires(pin)) for pin in pins):
            for text in texts:
                if self._is_local(text):
                    asked = f"`{text}`, which {who} requires," if who else f"`{text}`"
                    shown = self._shown([requirements])
                    raise UnmetError(
                        f"{shown}: {asked} is a package of this project, which builds nothing else",
                        "rename that package, or leave it out of PACKAGES=, if an index has what is meant; what builds "
                        "one package alone may stand in that (`backend-path` of [build-system])",
                    )
        given = (pin for name, pin in self._given.items() if name in _names(requirements))
        self._resolved[requirements] = (*pins, *given)

    def _requires(self, pin: Pin) -> Sequence[str]:
        known = self.sources.reader.known(pin)
        return known.requires if known else ()

    def _is_local(self, text: str) -> bool:
        """Tell whether a requirement names a package of the project, which no engine is shown."""
        name = NAME.match(text.strip())
        # Few do, and there are thousands.
        if not name or normalize(name[0]) not in self._request.local:
            return False
        requirement = requirement_texts.parse(text)
        return requirement is not None and markers.possible(
            str(requirement.marker or ""), self._request.targets.pythons, self._request.platforms
        )

    def _free_choice(self, requirements: Requirements) -> FreeChoice:
        reader = self.sources.reader
        preferred = {item.name: item.version for item in self._preferences([requirements])}
        return FreeChoice(
            index=reader.index,
            binary=reader.binary,
            request=self._request,
            preferred=preferred,
            left_out=self.preference.left_out,
        )

    def _preferences(self, sets: Sequence[Requirements]) -> tuple[Pinned, ...]:
        """Return what to keep of earlier locks: of the builds that have these sets first. One version a name."""
        kept = self._request.kept_builds
        wanted = set(sets)
        own = (pinned for key in self._trees if self._sets.get(key) in wanted for pinned in kept.of(key))
        found: dict[str, Pinned] = {}
        for preference in (*own, *kept.free.values()):
            found.setdefault(preference.name, preference)
        return tuple(found.values())

    def _request_for(self, sets: Sequence[Requirements]) -> Request:
        requirements = frozenset().union(*sets)
        return replace(
            self._request,
            requirements=tuple(sorted(requirements)),
            constraints=tuple(self._request.build_constraints),
            origins={**self._request.build_constraints, **self._origins(sets)},
            preferences=self._preferences(sets),
        )

    def _origins(self, sets: Sequence[Requirements]) -> dict[str, str]:
        """Return the trees that name each requirement of these sets, as errors show them."""
        texts = frozenset().union(*sets)
        told = {text: self._shown([found for found in sets if text in found]) for text in texts}
        return told | {line.requirement: line.origin for line in self._request.added if line.requirement in told}

    def _shown(self, sets: Sequence[Requirements]) -> str:
        names = {tree.name for key, tree in self._trees.items() if self._sets.get(key) in sets}
        return f"building {', '.join(sorted(names)[:3])}"


def _normal(requirements: Iterable[str], who: str) -> Requirements:
    """Return requirements in one spelling, so that equal sets are seen to be equal; `who` has them.

    Raises `UserError` for what is no requirement, and for a URL: all that builds comes from an index.
    """
    result = set()
    for text in requirements:
        requirement = requirement_texts.required(text, f"building {who}")
        if requirement.url:
            raise url_error(f"building {who}", text)
        result.add(requirement_texts.normal(requirement))
    return frozenset(result)


def _wheel_for_old_setuptools(tree: SourceTree, closure: Sequence[Pin]) -> Requirements:
    # setuptools < 70.1 names `wheel` in every answer of its hook; newer ones build wheels by themselves.
    old = any(pin.name == "setuptools" and Version(pin.version) < Version("70.1") for pin in closure)
    return frozenset({"wheel"} if old and tree.build_system.backend.startswith("setuptools.build_meta") else ())


def _names(requirements: Requirements) -> set[str]:
    return {Requirement(text).name for text in requirements}


def _bounds(requirements: Requirements) -> int:
    return sum(operator in text for text in requirements for operator in ("<", "==", "~="))


def _freedom(requirements: Requirements) -> tuple[int, list[str]]:
    """Sort sets without upper bounds first."""
    return _bounds(requirements), sorted(requirements)
