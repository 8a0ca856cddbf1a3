"""The build closure: what builds the sdists, and what builds that, down to backends that build themselves.

Each tree that is built names a set of requirements; equal sets are resolved once. All sets together are tried first, so
that one version of a backend serves everybody; where they disagree, each set is resolved by itself and several
versions are locked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from toolkit.core import console, cycles, threads
from toolkit.model.pins import Pin, Pinned
from toolkit.project.pyproject import BuildSystem
from toolkit.resolve import pin_closure
from toolkit.resolve.engine import ConflictError, Request, Resolver

Requirements = frozenset[str]


@dataclass(frozen=True, kw_only=True)
class SourceTree:
    """Something to build: `name` as messages call it, `path` the sdist or a local package's directory."""

    name: str
    path: Path
    build_system: BuildSystem


#: Trees by key, each with the closure that builds it.
Built = Mapping[str, tuple[SourceTree, Sequence[Pin]]]


class Source(Protocol):
    """Where the trees of resolved pins come from."""

    def trees(self, pins: Iterable[Pin]) -> Mapping[str, SourceTree]:
        """Return the tree of each pin that is built from source, by `name==version`, fetched and read."""

    def requires(self, pin: Pin) -> Sequence[str] | None:
        """Return the requirements of a pin, fetched, or None where its metadata does not tell them for certain."""

    def applies(self, pin: Pin) -> bool:
        """Tell whether any of the interpreters that run hooks takes a pin, by its marker."""

    def has_wheel(self, pin: Pin) -> bool:
        """Tell whether a hook's environment can have a pin without building it."""

    def ask(self, trees: Built, buildable: Built, shipped: Sequence[Pinned]) -> Mapping[str, tuple[str, ...]]:
        """Return, by key, what each tree's backend says it needs besides, run with the closure beside it.

        What has no wheel in those closures is built, as for a service that has `shipped`: from what is in `buildable`.
        """

    def stop(self) -> None:
        """End what `ask` is doing."""


@dataclass(kw_only=True)
class Closure:
    """Resolves requirement sets into pins, and follows what those need to be built.

    `base` is the request that all are made from; `given` are the pins of what it provides, by name, so that a set which
    names one of them directly has it too. `shipped` is what the service in hand runs with.
    """

    resolver: Resolver
    source: Source
    base: Request
    given: Mapping[str, Pin] = field(default_factory=dict)
    shipped: tuple[Pinned, ...] = ()
    by_set: dict[Requirements, tuple[Pin, ...]] = field(default_factory=dict)
    sets: dict[str, Requirements] = field(default_factory=dict)
    _trees: dict[str, SourceTree] = field(default_factory=dict)

    def prefer(self, request: Request, shipped: Iterable[Pinned], given: Iterable[Pin]) -> None:
        """Go on for another service: with its request, the versions it ships first, and what is given to it."""
        base = replace(request, requirements=(), constraints=(), origins={}, refresh=False)
        self.shipped = tuple(shipped)
        # A distribution that is shipped anyway builds others in the same version.
        first = (Pinned(pin.name, pin.version) for pin in self.shipped)
        self.base = replace(base, preferences=(*first, *request.preferences, *self.base.preferences))
        self.given = {**self.given, **{pin.name: pin for pin in given}}

    def add(self, key: str, pins: Sequence[Pin]) -> None:
        """Add what has been resolved elsewhere (the closure of tests), so that `follow` finds what builds it."""
        self.sets[key] = frozenset({f"{key}: {pin.key}" for pin in pins})
        self.by_set[self.sets[key]] = tuple(pins)

    def follow(self, trees: Mapping[str, SourceTree]) -> None:
        """Add the closure of `trees` (by key), and of what was added before."""
        fresh = dict(trees) | self._new_trees()
        unasked: dict[str, SourceTree] = {}
        while fresh or unasked or set(self.sets.values()) - self.by_set.keys():
            self._trees |= fresh
            self.sets |= {key: _static(tree) for key, tree in fresh.items()}
            self._resolve(set(self.sets.values()) - self.by_set.keys())
            unasked |= fresh
            ready = {key: tree for key, tree in unasked.items() if self._can_ask(key, unasked)}
            # Hooks are slow and their answers are sets of the next round, so the next trees are fetched meanwhile.
            with threads.beside(partial(self._dynamic, ready), self.source.stop) as answered:
                fresh = self._new_trees()
                self.sets |= answered()
            unasked = {key: tree for key, tree in unasked.items() if key not in ready}
            if unasked and not ready and not fresh:
                raise cycles.error(cycles.find({key: self._keys(key) for key in self._trees}))

    def _can_ask(self, key: str, unasked: Collection[str]) -> bool:
        """Tell whether the environment of a tree's hook can be made: what has no wheel has to be built first."""
        if not self._trees[key].build_system.dynamic:
            return True
        known: dict[str, bool] = dict.fromkeys(unasked, False)
        return all(self.source.has_wheel(pin) or self._is_known(pin, known) for pin in self.by_set[self.sets[key]])

    def _is_known(self, pin: Pin, known: dict[str, bool]) -> bool:
        """Tell whether all that builds a pin is known, for that is what its wheel is found by in the wheel store.

        `known` holds the answers so far, by key; a circle has none.
        """
        if not self.source.applies(pin):
            return True
        if pin.key not in self._trees:
            # Taken as a wheel, or nothing that can be had: there is nothing to know.
            return not self.source.trees([pin])
        if pin.key not in known:
            known[pin.key] = False
            known[pin.key] = all(self._is_known(other, known) for other in self.by_set[self.sets[pin.key]])
        return known[pin.key]

    def _keys(self, key: str) -> set[str]:
        return {pin.key for pin in self.by_set[self.sets[key]]}

    def _new_trees(self) -> dict[str, SourceTree]:
        pins = {pin.key: pin for pins in self.by_set.values() for pin in pins}
        found = self.source.trees(pins.values())
        return {key: tree for key, tree in found.items() if key not in self._trees}

    def reachable(self, keys: Iterable[str]) -> set[str]:
        """Return the keys of all that builds the given trees, and that builds those."""
        found: set[str] = set()
        stack = list(keys)
        while stack:
            key = stack.pop()
            for pin in self.by_set[self.sets[key]] if key in self.sets else ():
                if pin.key not in found:
                    found.add(pin.key)
                    stack.append(pin.key)
        return found

    def requires(self, key: str) -> tuple[Pinned, ...]:
        """Return the complete closure of what builds a tree (or runs tests), in the order of the lock."""
        return in_order(self.by_set[self.sets[key]])

    def direct(self, key: str) -> tuple[str, ...]:
        """Return what a tree and its backend name to build with, one spelling for each."""
        return tuple(sorted(self.sets[key]))

    def built_with(self, pin: Pin) -> str:
        """Return the name of a tree that a pin is needed to build, or nothing where it builds none."""
        users = (
            key
            for key in sorted(self._trees)
            if any(other.key == pin.key for other in self.by_set.get(self.sets.get(key, frozenset()), ()))
        )
        return next((self._trees[key].name for key in users), "")

    def pins(self) -> list[Pin]:
        """Return every pin of the closure once, without a marker: which set needs it when, `requires` says."""
        return list({pin.key: replace(pin, marker="") for pins in self.by_set.values() for pin in pins}.values())

    def _dynamic(self, trees: Mapping[str, SourceTree]) -> dict[str, Requirements]:
        """Return the sets of trees whose backend names more than their pyproject.toml does."""
        with_closure = {key: (tree, self.by_set[self.sets[key]]) for key, tree in trees.items()}
        buildable = {key: (tree, self.by_set[self.sets[key]]) for key, tree in self._trees.items()}
        dynamic = {key: pair for key, pair in with_closure.items() if pair[0].build_system.dynamic}
        answers = self.source.ask(dynamic, buildable, self.shipped)
        return {
            key: self.sets[key] | _normal(answers.get(key, ())) | _wheel_for_old_setuptools(tree, closure)
            for key, (tree, closure) in with_closure.items()
        }

    def _resolve(self, wanted: set[Requirements]) -> None:
        """Resolve new sets, keeping the versions that were chosen before where they still do."""
        todo = sorted((requirements for requirements in wanted if requirements), key=_freedom)
        self.by_set |= {requirements: () for requirements in wanted if not requirements}
        if not todo:
            return
        try:
            self._resolve_together(todo)
        except ConflictError as conflict:
            console.debug(f"build requirements have no common versions, so each set gets its own:\n{conflict}")
            for requirements in todo:
                self.by_set[requirements] = self._one(requirements, constraints=())

    def _resolve_together(self, todo: list[Requirements]) -> None:
        union = tuple(sorted(set().union(*todo)))
        joint = self.resolver.resolve(self._request(union, ()))
        constraints = tuple(str(pin.pinned) for pin in joint if not pin.archive)
        self.source.trees(joint)
        for requirements in todo:
            self.by_set[requirements] = self._reached(requirements, joint) or self._one(requirements, constraints)

    def _reached(self, requirements: Requirements, joint: Sequence[Pin]) -> tuple[Pin, ...] | None:
        """Return the part of a joint resolution that one set needs, when the metadata at hand tells it."""
        found = pin_closure.closure(
            requirements, joint, self.source.requires, self.base.targets.pythons, self.base.platforms
        )
        return found if found is None else self._with_given(requirements, found)

    def _one(self, requirements: Requirements, constraints: tuple[str, ...]) -> tuple[Pin, ...]:
        pins = self.resolver.resolve(self._request(tuple(sorted(requirements)), constraints))
        return self._with_given(requirements, pins)

    def _with_given(self, requirements: Requirements, pins: tuple[Pin, ...]) -> tuple[Pin, ...]:
        names = {Requirement(text).name for text in requirements}
        return (*pins, *(pin for name, pin in self.given.items() if name in names))

    def _request(self, requirements: tuple[str, ...], constraints: tuple[str, ...]) -> Request:
        # What this run has chosen comes first; what an older lock says is for the rest. One version a name.
        chosen = (Pinned(pin.name, pin.version) for pins in self.by_set.values() for pin in pins)
        preferences: dict[str, Pinned] = {}
        for preference in (*chosen, *self.base.preferences):
            preferences.setdefault(preference.name, preference)
        return replace(
            self.base,
            requirements=requirements,
            constraints=(*self.base.constraints, *constraints),
            origins=self._origins(requirements),
            preferences=tuple(preferences.values()),
        )

    def _origins(self, requirements: Collection[str]) -> dict[str, str]:
        """Return what asks for each requirement, as errors name it."""
        found: dict[str, list[str]] = {}
        for key, tree in self._trees.items():
            for text in self.sets.get(key, frozenset()) & set(requirements):
                found.setdefault(text, []).append(tree.name)
        return {text: f"building {', '.join(sorted(names)[:3])}" for text, names in found.items()}


def in_order(pins: Iterable[Pin]) -> tuple[Pinned, ...]:
    """Return the references to pins in the order of the lock."""
    return tuple(sorted((pin.pinned for pin in pins), key=str))


def _static(tree: SourceTree) -> Requirements:
    return _normal(tree.build_system.requires)


def _normal(requirements: Iterable[str]) -> Requirements:
    """Return requirements in one spelling, so that equal sets are seen to be equal."""
    result = set()
    for text in requirements:
        requirement = Requirement(text)
        requirement.name = canonicalize_name(requirement.name)
        result.add(str(requirement))
    return frozenset(result)


def _wheel_for_old_setuptools(tree: SourceTree, closure: Sequence[Pin]) -> Requirements:
    # setuptools < 70.1 names `wheel` in every answer of its hook; newer ones build wheels by themselves.
    if not tree.build_system.backend.startswith("setuptools.build_meta"):
        return frozenset()
    old = any(pin.name == "setuptools" and Version(pin.version) < Version("70.1") for pin in closure)
    return frozenset({"wheel"}) if old else frozenset()


def _freedom(requirements: Requirements) -> tuple[int, list[str]]:
    """Sort sets with upper bounds first: the versions they force are then taken by sets that do not care."""
    bounds = sum(operator in text for text in requirements for operator in ("<", "==", "~="))
    return -bounds, sorted(requirements)
