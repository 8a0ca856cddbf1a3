"""The build closure: what builds the sdists, and what builds that, down to backends that build themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from packaging.version import Version

from toolkit.core import cycles, threads
from toolkit.core.errors import UserError, combined
from toolkit.engines.engine import Request
from toolkit.model.build_settings import BuildSettings
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.pins import Pin, Pinned
from toolkit.project import build_settings
from toolkit.requirements import build_requirements
from toolkit.resolve import build_sets
from toolkit.resolve.build_sets import BuildSets, Requirements
from toolkit.resolve.fetched_sources import Sources, in_order
from toolkit.resolve.hooks import BUILD_REQUIRES, METADATA, Answer, Question
from toolkit.resolve.passing_over import PassingOver
from toolkit.resolve.source_tree import SourceTree, TreesWithClosures
from toolkit.sources import downloads


@dataclass(kw_only=True)
class Closure:
    """Follows what builds trees, and what builds that. Trees have keys.

    A key is `name==version` for what has a pin, and any other text for a local package, or for the closure of tests.
    """

    sets: BuildSets
    passing_over: PassingOver = field(init=False)
    _shipped: tuple[Pinned, ...] = ()
    _tried: set[str] = field(default_factory=set)
    _given_keys: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.passing_over = PassingOver(sets=self.sets, fault=self._fault)

    @property
    def sources(self) -> Sources:
        """Return the files of all that is built."""
        return self.sets.sources

    def begin_service(self, request: Request, shipped: Iterable[Pinned], given: Iterable[Pin]) -> None:
        """Turn to a service: `request` is for what it runs with, `shipped` the result, `given` what no engine chose.

        A set that names a given distribution directly has it too, though the request says that it is provided.
        """
        self._shipped = tuple(shipped)
        self.sets.begin_service(request, given)

    def add(self, key: str, pins: Sequence[Pin]) -> None:
        """Add pins that are resolved already (the closure of tests), so that `follow` finds what builds them."""
        self._given_keys.add(key)
        self.sets.add(key, pins)

    def follow(self, trees: Mapping[str, SourceTree]) -> None:
        """Add the closure of `trees` (by key), and of what was added before; what cannot be built is in `faults` then.

        Of what only builds others, an older release is taken where that can be built.
        """
        while True:
            self._follow(trees)
            given = {*trees, *(key for added in self._given_keys for key in self.sets.keys(added))}
            if not self.passing_over.pass_over(self.builders([*trees, *self._given_keys]) - given):
                return

    def _follow(self, trees: Mapping[str, SourceTree]) -> None:
        fresh = dict(trees) | self._new_trees()
        pending: dict[str, SourceTree] = {}
        while fresh or pending or self.sets.unresolved():
            self.sets.trees |= {key: replace(tree, settings=self.settings(key)) for key, tree in fresh.items()}
            self.sets.of |= {
                key: self.sets.bounded(key, self._named(key, tree, tree.build_system.requires) | self.sets.added(key))
                for key, tree in fresh.items()
            }
            self.sets.resolve()
            pending |= fresh
            ready = {key: tree for key, tree in pending.items() if self._is_ready(key, pending)}
            # Hooks are slow and their answers are sets of the next round, so the next trees are fetched meanwhile.
            with threads.beside(partial(self._complete_sets, ready), self.sources.stop) as complete_sets:
                fresh = self._new_trees()
                self.sets.of |= complete_sets()
            pending = {key: tree for key, tree in pending.items() if key not in ready}
            if pending and not ready and not fresh:
                if all(self.faults(self.builders([key])) for key in pending):
                    # Each waits for something that cannot be built.
                    return
                raise self._circle()

    def _circle(self) -> UserError:
        pins, requires = self.sets.every_pin(), {key: self.sets.keys(key) for key in self.sets.trees}
        circle = cycles.find(requires)
        return cycles.error(
            circle,
            requires,
            lambda key: key in pins and self.sources.has_wheel(pins[key]),
            line=build_requirements.line_in(circle, self.sets.request.added),
        )

    def settings(self, key: str) -> BuildSettings:
        """Return how a tree is built besides what its own files say."""
        return build_settings.of_key(self.sets.request.settings, key.removeprefix("local "))

    def _named(self, key: str, tree: SourceTree, texts: Iterable[str]) -> Requirements:
        try:
            return build_sets.normal(texts, tree.name)
        except UserError as error:
            self.sources.faults[key] = error
            return frozenset()

    def _is_ready(self, key: str, pending: Collection[str]) -> bool:
        """Tell whether the environment of a tree's hook can be made: what has no wheel has to be built first."""
        if not self.sets.trees[key].build_system.dynamic or self.sets.fault(key):
            return True
        known: dict[str, bool] = dict.fromkeys(pending, False)
        return all(self.sources.has_wheel(pin) or self._is_known(pin, known) for pin in self.sets.pins(key))

    def _is_known(self, pin: Pin, known: dict[str, bool]) -> bool:
        """Tell whether all that builds a pin is known, since the wheel store finds its wheel by that.

        `known` holds the answers so far, by key; False in a circle.
        """
        if not self.sources.applies(pin):
            return True
        if self.faults([pin.key]):
            return False
        if pin.key not in self.sets.trees:
            # A wheel: nothing builds it.
            return not self.sources.trees([pin])
        if pin.key not in known:
            known[pin.key] = False
            known[pin.key] = all(self._is_known(other, known) for other in self.sets.pins(pin.key))
        return known[pin.key]

    def _new_trees(self) -> dict[str, SourceTree]:
        found = self.sources.trees(self.sets.every_pin().values())
        return {key: tree for key, tree in found.items() if key not in self.sets.trees}

    def builders(self, keys: Iterable[str]) -> set[str]:
        """Return the keys of all that builds the given trees, and that builds those."""
        found: set[str] = set()
        stack = list(keys)
        while stack:
            new = self.sets.keys(stack.pop()) - found
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
        return self.sets.fault(key)

    def _is_unbuildable(self, key: str) -> bool:
        return key in self.sources.selector.without_source or self.sets.fault(key) is not None

    def build_requires(self, key: str) -> tuple[Pinned, ...]:
        """Return the closure of what builds a tree (or of tests), in the order of the lock."""
        return in_order(self.sets.pins(key))

    def build_dependencies(self, key: str) -> tuple[str, ...]:
        """Return the build requirements of a tree and its backend, each in its normal form."""
        return tuple(sorted(self.sets.of.get(key, ())))

    def asked_by_hook(self, key: str) -> set[str]:
        """Return the names of what builds a tree and its pyproject.toml does not name."""
        tree = self.sets.trees.get(key)
        return (
            build_sets.names_in(self.sets.of[key])
            - build_sets.names_in(build_sets.normal(tree.build_system.requires, tree.name))
            if tree
            else set()
        )

    def metadata(self, keys: Iterable[str]) -> Mapping[str, CoreMetadata]:
        """Return, by key, the metadata of trees that were followed, as their backends make it."""
        return self.ask(METADATA, keys)

    def ask(self, question: Question[Answer], keys: Iterable[str]) -> Mapping[str, Answer]:
        """Return, by key, what the backends of trees that were followed answer."""
        buildable = self._buildable()
        return self.sources.ask(question, {key: buildable[key] for key in keys if key in buildable}, buildable)

    def can_try(self, key: str) -> bool:
        """Tell whether a trial build of a tree takes no others: wheels of the index are all that it needs."""
        return not self.sources.distributions[key].rust and all(map(self.sources.has_wheel, self.sets.pins(key)))

    def new_downloads(self, keys: Iterable[str]) -> Mapping[str, str]:
        """Return, by key, the place in each of these trees that tells that its build may download.

        Only of what no lock has, and each once.
        """
        new = sorted(set(keys) - self._tried - self.sources.selector.kept.keys())
        self._tried.update(new)
        return {key: place for key in new if key in self.sets.trees and (place := self._download(key))}

    def _download(self, key: str) -> str:
        builders = (f"built with {pin.name}" for pin in self.sets.pins(key) if pin.name in downloads.BUILDERS)
        return self.sources.downloads(key) or next(builders, "")

    def build(self, keys: Iterable[str]) -> Mapping[str, Path]:
        """Return, by key, the wheels of trees that were followed, for the first interpreter that builds."""
        return self.sources.build(list(keys), self._buildable())

    def built_by(self, pin_key: str) -> list[str]:
        """Return the keys of the trees that something is needed to build."""
        return [key for key in sorted(self.sets.trees) if pin_key in self.sets.keys(key)]

    def with_constraint(self, key: str, constraint: str) -> tuple[Pin, ...]:
        """Resolve what builds a tree under one more constraint of builds. Raises `UserError`."""
        request = self.sets.request_for([self.sets.of[key]])
        return self.sets.resolver.resolve(replace(request, constraints=(*request.constraints, constraint)))

    def _buildable(self) -> TreesWithClosures:
        return {key: (tree, self.sets.pins(key)) for key, tree in self.sets.trees.items()}

    def _complete_sets(self, trees: Mapping[str, SourceTree]) -> dict[str, Requirements]:
        """Return the sets of trees with what their backends add to what pyproject.toml says."""
        buildable = self._buildable()
        dynamic = {
            key: buildable[key] for key, tree in trees.items() if tree.build_system.dynamic and not self.sets.fault(key)
        }
        added = self.sources.ask(BUILD_REQUIRES, dynamic, buildable, self._shipped)
        return {
            key: self.sets.bounded(
                key,
                self.sets.of[key]
                | self._named(key, tree, added.get(key, ()))
                | _wheel_for_old_setuptools(*buildable[key]),
            )
            for key, tree in trees.items()
        }


def _wheel_for_old_setuptools(tree: SourceTree, closure: Sequence[Pin]) -> Requirements:
    # setuptools < 70.1 names `wheel` in every answer of its hook; newer ones build wheels by themselves.
    old = any(pin.name == "setuptools" and Version(pin.version) < Version("70.1") for pin in closure)
    return frozenset({"wheel"} if old and tree.build_system.backend.startswith("setuptools.build_meta") else ())
