"""Which crates of a Cargo.lock a build compiles, known from manifests, the lock and the index of the registry.

Features are united over all that is compiled, as cargo's first resolver does; what the second tells apart (build
scripts and what they build for) needs no more than that. https://doc.rust-lang.org/cargo/reference/features.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line, quoted
from toolkit.crates import cargo_index, cargo_options
from toolkit.crates.cargo_workspace import Workspace
from toolkit.crates.rust_builds import RustBuild
from toolkit.model import rust_targets, semver
from toolkit.model.crates import CrateDependency, CrateId, Manifest
from toolkit.model.rust_targets import Machine
from toolkit.project.pyproject import MEND

#: The content of a crate's file in the registry's index, by the crate's name.
Index = Callable[[str], bytes]
#: Of the features that a crate declares and others ask for, in all: more than anybody has.
_MOST_STEPS = 5_000_000


class StaleError(UserError):
    """A Cargo.lock lacks what it should have."""


def needed(workspace: Workspace, index: Index, systems: Iterable[str]) -> frozenset[CrateId]:
    """Return the crates that are compiled on any machine of these systems (`sys.platform`); path packages aside.

    All others of Cargo.lock have to be known to cargo, but not to be there. Raises `StaleError` for a lock that lacks
    any of them, `UserError` where the workspace has no Cargo.lock, and for a crate that the index does not have or that
    is not as it has to be.
    """
    machines = (
        replace(machine, options=machine.options | cargo_options.options(workspace.settings, machine))
        for machine in rust_targets.machines(systems)
    )
    walk = _LockWalk(workspace, index, tuple(machines))
    for directory, build in workspace.builds.items():
        # The first resolver unites the features that tests ask for, too.
        walk.build(workspace.packages[directory], build, with_tests=workspace.resolver == 1)
    walk.run()
    return frozenset(crate for crate in walk.compiled() if crate.source)


def oldest_rust(workspace: Workspace, index: Index, crates: Iterable[CrateId]) -> tuple[str, str]:
    """Return the oldest Rust that compiles these crates and what is built with them, and which of them needs it.

    Both are empty where nobody says. Raises `UserError` as `needed` does.
    """
    built = (workspace.packages[directory] for directory in workspace.builds)
    needs = [*built, *(indexed(index, crate) for crate in sorted(crates))]
    found = [(item.rust_version, f"{item.name} {item.version}") for item in needs if item.rust_version]
    return max(found, key=lambda item: semver.toolchain(item[0]), default=("", ""))


def stale(workspace: Workspace) -> tuple[str, ...]:
    """Return what the packages of a source tree need that their Cargo.lock does not have, each as one line.

    Cargo resolves what is missing anew, which needs the network and makes another lock. Empty for a sound lock, and for
    one that has other versions of these packages themselves: cargo corrects them.
    """
    locked = _Locked(workspace)
    found: list[str] = []
    for directory, package in sorted(workspace.packages.items()):
        crate = CrateId(package.name, package.version)
        is_member = directory in workspace.members
        if crate not in locked.dependencies:
            # A package beside the members is in the lock where one of them needs it, and what patches another may not.
            found += [f"{crate} is not in it"] if is_member else []
            continue
        for item in package.dependencies:
            if (is_member or not (item.optional or item.kind == "dev")) and not locked.targets(crate, item):
                found.append(_missing(crate, item))
    return tuple(dict.fromkeys(found))


def _missing(crate: CrateId, item: CrateDependency) -> str:
    return f"{crate} requires {item.name} {item.requirement}, of which it has no version for it"


def surplus(workspace: Workspace) -> tuple[str, ...]:
    """Return the packages of a Cargo.lock that nothing in its source tree needs: sdists leave out some.

    Cargo drops them from the lock, which `--offline` allows and `--locked` (so `--frozen`) does not.
    """
    packages = {CrateId(item.name, item.version): item for item in workspace.packages.values()}
    crates = {item.id: item for item in workspace.lock or ()}
    found: set[CrateId] = set()
    left = [*packages]
    while left:
        crate = left.pop()
        if crate in crates and crate not in found:
            found.add(crate)
            needs = crates[crate].dependencies
            if crate in packages:
                names = {item.name for item in packages[crate].dependencies}
                needs = tuple(item for item in needs if item.name in names)
            left += needs
    return tuple(str(crate) for crate in crates if crate not in found)


class Walk:
    """Features turned on, one after the other, until there is nothing new.

    How a dependency becomes a crate, and what that crate needs, the classes derived from it say.
    """

    #: Whether `name?/feature` brings the crate, too: the resolver of versions does, that of features does not.
    weak_brings = False

    def __init__(self, among: Collection[Machine] | None) -> None:
        self._among = among
        self._added: list[CrateId] = []
        self._asked: list[tuple[CrateId, str]] = []
        self._features: dict[CrateId, set[str]] = defaultdict(set)
        self._keys: dict[CrateId, dict[str, list[CrateDependency]]] = {}
        self._tables: dict[CrateId, dict[str, tuple[str, ...]]] = {}
        self._steps = 0
        # By crate and key: the optional ones that are turned on, the crates that are reached, and what waits for that.
        self._brought: set[tuple[CrateId, str]] = set()
        self._reached: dict[tuple[CrateId, str], dict[CrateId, None]] = defaultdict(dict)
        self._waiting: dict[tuple[CrateId, str], dict[str, None]] = defaultdict(dict)
        #: What each crate needs, and whether that is compiled with it, or needed for its tests alone.
        self.edges: dict[CrateId, dict[CrateId, bool]] = defaultdict(dict)

    def targets(self, crate: CrateId, dependency: CrateDependency) -> Sequence[CrateId]:
        """Return the crates that a dependency is, mostly one."""
        raise NotImplementedError

    def manifest(self, crate: CrateId) -> Manifest:
        """Return what a crate needs."""
        raise NotImplementedError

    def add(self, crate: CrateId, *, with_tests: bool = False) -> None:
        """Take in a crate with all that it always needs."""
        if crate in self._keys:
            return
        manifest = self.manifest(crate)
        keys: dict[str, list[CrateDependency]] = defaultdict(list)
        for item in manifest.dependencies:
            if (with_tests or item.kind != "dev") and self._holds(item, crate):
                keys[item.key].append(item)
        self._keys[crate] = keys
        self._tables[crate] = {**_implicit(manifest), **manifest.features}
        self._added.append(crate)

    def ask(self, crate: CrateId, features: Iterable[str]) -> None:
        """Turn on features of a crate; cargo's spelling of those of another (`other/feature`) is understood."""
        for feature in features:
            self._steps += 1
            if self._steps > _MOST_STEPS:
                raise UserError(f"{crate}: more features than can be", MEND)
            if feature not in self._features[crate]:
                self._features[crate].add(feature)
                self._asked.append((crate, feature))

    def run(self) -> None:
        """Go on until there is nothing new."""
        while self._added or self._asked:
            if self._added:
                crate = self._added.pop()
                for key, items in self._keys[crate].items():
                    self._turn_on(crate, key, [item for item in items if not item.optional])
            else:
                crate, feature = self._asked.pop()
                for value in self._tables[crate].get(feature, (feature,) if "/" in feature else ()):
                    self._apply(crate, value)

    def _apply(self, crate: CrateId, value: str) -> None:
        """Do what one entry of a feature says."""
        name, slash, feature = value.partition("/")
        key = name.removesuffix("?")
        if value.startswith("dep:"):
            self._bring(crate, value.removeprefix("dep:"))
        elif not slash:
            self.ask(crate, [value])
        else:
            self._waiting[crate, key][feature] = None
            for target in self._reached[crate, key]:
                self.ask(target, [feature])
            is_weak = name != key
            if not is_weak or self.weak_brings:
                self._bring(crate, key)
            if not is_weak and key in self._tables[crate]:
                # As it was before there was `dep:`: the feature of an optional crate's name is turned on, too.
                self.ask(crate, [key])

    def _bring(self, crate: CrateId, key: str) -> None:
        """Turn on an optional dependency."""
        if (crate, key) not in self._brought:
            self._brought.add((crate, key))
            self._turn_on(crate, key, self._keys[crate].get(key, []))

    def _turn_on(self, crate: CrateId, key: str, items: Iterable[CrateDependency]) -> None:
        for item in items:
            for target in self.targets(crate, item):
                self.add(target)
                self._reached[crate, key][target] = None
                self.edges[crate][target] = self.edges[crate].get(target, False) or item.kind != "dev"
                self.ask(target, item.features)
                self.ask(target, ["default"] if item.default_features else [])
                self.ask(target, self._waiting[crate, key])

    def _holds(self, item: CrateDependency, crate: CrateId) -> bool:
        if self._among is None or not item.target:
            return True
        try:
            return rust_targets.holds(item.target, self._among)
        except ValueError as error:
            raise UserError(f"{crate}, which needs {item.name}: {error}", MEND) from None


def _implicit(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """Return the features that optional dependencies are, where no feature names them as `dep:`."""
    named = {value for values in manifest.features.values() for value in values if value.startswith("dep:")}
    return {
        item.key: (f"dep:{item.key}",)
        for item in manifest.dependencies
        if item.optional and f"dep:{item.key}" not in named
    }


class _Locked:
    """The entries of the Cargo.lock of a workspace, and which of them a dependency is."""

    def __init__(self, workspace: Workspace) -> None:
        #: Of each crate: what it needs, by name.
        self.dependencies: dict[CrateId, dict[str, list[CrateId]]] = {}
        self.by_name: dict[str, list[CrateId]] = defaultdict(list)
        self.origins: dict[CrateId, str] = {}
        for crate in workspace.lock or ():
            self.by_name[crate.name].append(crate.id)
            self.origins[crate.id] = crate.origin
            needs = self.dependencies[crate.id] = defaultdict(list)
            for item in crate.dependencies:
                needs[item.name].append(item)
        for package in workspace.packages.values():
            # Its version may have changed since the lock was made.
            own = [item for item in self.by_name.get(package.name, ()) if not item.source]
            if len(own) == 1:
                self.dependencies.setdefault(CrateId(package.name, package.version), self.dependencies[own[0]])

    def targets(self, crate: CrateId, dependency: CrateDependency) -> list[CrateId]:
        """Return which crates a dependency is; of a crate that is not in the lock, all that it could be."""
        own = self.dependencies.get(crate)
        likely = self.by_name.get(dependency.name, []) if own is None else own.get(dependency.name, [])
        if dependency.path is not None and (local := [item for item in likely if not item.source]):
            return local
        return [item for item in likely if semver.matches(dependency.requirement, item.version)]


class _LockWalk(Walk):
    """The walk along the edges of a Cargo.lock."""

    def __init__(self, workspace: Workspace, index: Index, among: Collection[Machine]) -> None:
        super().__init__(among)
        if workspace.lock is None:
            raise UserError(f"{workspace.shown} is missing", MEND)
        self._index, self._locked = index, _Locked(workspace)
        sources: dict[str, str] = {}
        for crate in workspace.lock:
            # An index is asked by name and version: what one registry has is nothing that another may answer for.
            first = sources.setdefault(str(crate.id), crate.source) if crate.origin == "registry" else crate.source
            if first != crate.source:
                what = f"it has {crate.id} of more than one registry: {quoted(first)}, {quoted(crate.source)}"
                raise UserError(f"{workspace.shown}: {what}", MEND)
        self._packages = {CrateId(item.name, item.version): item for item in workspace.packages.values()}
        # The version of a package may have changed since the lock was made.
        self._by_name = {item.name: item for item in workspace.packages.values()}
        self._roots: list[CrateId] = []

    def build(self, package: Manifest, asked: RustBuild, *, with_tests: bool) -> None:
        """Take in a package that is to be built, with the features that are asked for."""
        crate = CrateId(package.name, package.version)
        self._roots.append(crate)
        self.add(crate, with_tests=with_tests)
        self.ask(crate, asked.features)
        self.ask(crate, ["default"] if asked.default_features else [])
        self.ask(crate, self._tables[crate] if asked.all_features else [])

    def targets(self, crate: CrateId, dependency: CrateDependency) -> Sequence[CrateId]:
        found = self._locked.targets(crate, dependency)
        if not found:
            raise StaleError(_missing(crate, dependency))
        return found

    def manifest(self, crate: CrateId) -> Manifest:
        if not crate.source and (known := self._packages.get(crate) or self._by_name.get(crate.name)):
            return known
        if self._locked.origins.get(crate) == "registry":
            return indexed(self._index, crate)
        # Of what is neither here nor in an index only the lock tells.
        items = [item for several in self._locked.dependencies.get(crate, {}).values() for item in several]
        needs = tuple(CrateDependency(name=item.name, key=item.name, requirement="*") for item in items)
        return Manifest(name=crate.name, version=crate.version, dependencies=needs, features={})

    def compiled(self) -> set[CrateId]:
        """Return the crates that are compiled, those to be built among them; not what tests alone need."""
        found: set[CrateId] = set()
        left = [*self._roots]
        while left:
            crate = left.pop()
            if crate not in found:
                found.add(crate)
                left += [target for target, is_compiled in self.edges[crate].items() if is_compiled]
        return found


def indexed(index: Index, crate: CrateId) -> Manifest:
    """Return what a crate of a registry needs. Raises `UserError` where the index does not tell."""
    try:
        found = cargo_index.release(index(crate.name), crate.name, crate.version)
        if not found:
            raise ValueError("there is no such version")
        return found.manifest
    except ValueError as error:
        what = f"{crate}: its line in the registry's index: {one_line(str(error))}"
        raise UserError(what, "see that cargo is configured with the registry that has it") from None
