"""The crates of a source tree without a Cargo.lock: the newest that fit, as cargo would choose them.

https://doc.rust-lang.org/cargo/reference/resolver.html; like cargo's third resolver, it prefers what the toolchain can
compile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line, quoted
from toolkit.crates import cargo_index
from toolkit.crates.cargo_index import Release
from toolkit.crates.cargo_workspace import Workspace
from toolkit.crates.crate_closure import Index, Walk
from toolkit.model import semver
from toolkit.model.crates import CrateDependency, CrateId, LockedCrate, Manifest

#: The hint of every error here, for who knows nothing better.
MEND = "vendor another version of it, or its wheel"
#: Of the walk, each begun anew as a requirement turns up that an earlier choice does not meet.
_MOST_WALKS = 200
_MOST_REQUIREMENTS, _MOST_CRATES, _MOST_COMPARISONS = 100, 5000, 5_000_000
#: Versions that cannot be in one lock together: of one name, and compatible with each other.
_Range = tuple[str, tuple[int, ...]]


def resolve(workspace: Workspace, index: Index, source: str, rust_version: str = "") -> tuple[LockedCrate, ...]:
    """Return the crates of a Cargo.lock for these packages: with all their features, on all machines, tests included.

    `source` is what the lock calls the registry that has the `index`. Versions that say they need a newer Rust than
    `rust_version` are taken where no other fits; yanked ones are not. Raises `UserError` where nothing fits, or what
    fits one requirement does not fit another.
    """
    choice = _Choice(index, rust_version)
    for _ in range(_MOST_WALKS):
        walk = _IndexWalk(workspace, choice, source)
        try:
            walk.all_members()
        except _Reconsidered:
            choice.begin_anew()
            continue
        return walk.locked()
    raise UserError(f"{workspace.shown}: more than {_MOST_WALKS} choices of versions that do not fit together", MEND)


class _Reconsidered(Exception):  # noqa: N818 - no error
    """A version was chosen that a requirement found later does not allow."""


class _Choice:
    """The versions that were chosen, and why."""

    def __init__(self, index: Index, rust_version: str) -> None:
        self._index = index
        self._rust = semver.toolchain(rust_version) if rust_version else None
        self._releases: dict[str, list[Release]] = {}
        self._matches: dict[tuple[str, str], list[Release]] = {}
        self._comparisons = 0
        self.chosen: dict[_Range, Release] = {}
        # Crates whose requirements do not fit those of others, and the first time that was so.
        self._given_up: set[tuple[str, str]] = set()
        self._said: UserError | None = None
        self._asked: dict[_Range, dict[str, CrateId]] = defaultdict(dict)
        # Requirements that another choice had to give way to: they hold from the beginning of the next walk.
        self._kept: dict[_Range, dict[str, CrateId]] = {}

    def begin_anew(self) -> None:
        """Forget all choices, but what made the last one impossible."""
        self.chosen = {}
        self._asked = defaultdict(dict, {place: dict(asked) for place, asked in self._kept.items()})

    def choose(self, crate: CrateId, dependency: CrateDependency) -> Release:
        """Return the version that a dependency of a crate is. Raises `_Reconsidered` where that undoes a choice."""
        fitting = self._fitting(dependency, crate)
        first = self._linked_before(fitting) or fitting[0]
        place = (first.name, semver.compatible(first.version))
        asked = self._asked[place]
        asked.setdefault(dependency.requirement, crate)
        if len(asked) > _MOST_REQUIREMENTS:
            raise UserError(f"{dependency.name}: more than {_MOST_REQUIREMENTS} requirements of its version", MEND)
        found = next(
            (
                item
                for item in fitting
                if semver.compatible(item.version) == place[1]
                and all(semver.matches(text, item.version) for text in asked)
            ),
            None,
        )
        if not found:
            raise self._conflict(crate, dependency, asked)
        if self.chosen.setdefault(place, found).version != found.version:
            self._kept[place] = dict(asked)
            raise _Reconsidered
        return found

    def _conflict(self, crate: CrateId, dependency: CrateDependency, asked: Mapping[str, CrateId]) -> Exception:
        """Give up a crate whose requirement does not fit the others', or return the error where there is none.

        Cargo goes back to the last choice that it can undo; this forgets all choices but the ones given up.
        """
        fitting = self._fitting(dependency, crate)
        apart = [who for text, who in asked.items() if not any(semver.matches(text, item.version) for item in fitting)]
        given_up = next((who for who in (crate, *apart, *asked.values()) if who.source), None)
        if not self._said:
            others = ", ".join(f"{who} requires {quoted(text)}" for text, who in list(asked.items())[:5])
            self._said = UserError(f"no version of {dependency.name} is what all ask for: {others}", MEND)
        if not given_up:
            return self._said
        self._given_up.add(given_up[:2])
        self._matches, self._kept = {}, {}
        return _Reconsidered()

    def _linked_before(self, fitting: Sequence[Release]) -> Release | None:
        """Return the version chosen before of a crate that links to a library: there may be no second one."""
        if not any(item.links for item in fitting[:1]):
            return None
        versions = {item.version for item in self.chosen.values() if item.name == fitting[0].name}
        return next((item for item in fitting if item.version in versions), None)

    def _fitting(self, dependency: CrateDependency, crate: CrateId) -> Sequence[Release]:
        place = (dependency.name, dependency.requirement)
        if place not in self._matches:
            releases = self._of(dependency.name, crate)
            self._comparisons += len(releases)
            if self._comparisons > _MOST_COMPARISONS or len(self._releases) > _MOST_CRATES:
                raise UserError(
                    f"{dependency.name}, which {crate} requires: more crates and versions than can be", MEND
                )
            self._matches[place] = [
                item
                for item in releases
                if semver.matches(dependency.requirement, item.version)
                and (item.name, item.version) not in self._given_up
            ]
        if not self._matches[place]:
            if self._said:
                raise self._said
            wanted = f"{dependency.name} {dependency.requirement}"
            every = cargo_index.releases(self._index(dependency.name), dependency.name)
            yanked = any(semver.matches(dependency.requirement, item.version) for item in every)
            only = " that its authors have not withdrawn (yanked)" if yanked else ""
            raise UserError(f"{crate} requires {wanted}, of which the registry has no version{only}", MEND)
        return self._matches[place]

    def _of(self, name: str, crate: CrateId) -> list[Release]:
        """Return the versions of a crate, the best first."""
        if name not in self._releases:
            try:
                found = [item for item in cargo_index.releases(self._index(name), name) if not item.yanked]
                found.sort(key=lambda item: (self._compiles(item), semver.key(item.version)), reverse=True)
            except ValueError as error:
                raise UserError(
                    f"{name}, which {crate} requires: its file in the index: {one_line(str(error))}"
                ) from None
            self._releases[name] = found
        return self._releases[name]

    def _compiles(self, item: Release) -> bool:
        return not self._rust or not item.rust_version or semver.toolchain(item.rust_version) <= self._rust


class _IndexWalk(Walk):
    """The walk through the newest versions of a registry."""

    weak_brings = True

    def __init__(self, workspace: Workspace, choice: _Choice, source: str) -> None:
        super().__init__(None)
        self._workspace, self._choice, self._source = workspace, choice, source
        self._found: dict[CrateId, Release] = {}
        self._packages = {CrateId(item.name, item.version): item for item in workspace.packages.values()}

    def all_members(self) -> None:
        """Take in all packages with all features, as a lock has to serve whatever is asked of them."""
        for directory in sorted(self._workspace.members):
            package = self._workspace.packages[directory]
            crate = CrateId(package.name, package.version)
            self.add(crate, with_tests=True)
            self.ask(crate, self._tables[crate])
        self.run()

    def targets(self, crate: CrateId, dependency: CrateDependency) -> Sequence[CrateId]:
        if dependency.path is not None:
            package = self._workspace.packages.get(dependency.path)
            if not package:
                raise UserError(f"{crate} requires {dependency.name} of {dependency.path}, which is missing", MEND)
            return [CrateId(package.name, package.version)]
        if dependency.elsewhere:
            what = f"{crate} requires {dependency.name} of {quoted(dependency.elsewhere)}, and has no Cargo.lock"
            raise UserError(f"{what} that tells which", MEND)
        release = self._choice.choose(crate, dependency)
        found = CrateId(release.name, release.version, self._source)
        self._found[found] = release
        return [found]

    def manifest(self, crate: CrateId) -> Manifest:
        if not crate.source:
            return self._packages[crate]
        try:
            return self._found[crate].manifest
        except ValueError as error:
            raise UserError(f"{crate}: its line in the registry's index: {one_line(str(error))}", MEND) from None

    def locked(self) -> tuple[LockedCrate, ...]:
        """Return the crates that were reached. Raises `UserError` for two of them that link to one library."""
        crates = sorted(self._keys, key=lambda crate: (crate.name, semver.key(crate.version), crate.source))
        _check_links(self._found)
        return tuple(
            LockedCrate(
                name=crate.name,
                version=crate.version,
                source=crate.source,
                checksum=self._found[crate].checksum if crate.source else "",
                dependencies=tuple(self.edges[crate]),
            )
            for crate in crates
        )


def _check_links(found: Mapping[CrateId, Release]) -> None:
    # https://doc.rust-lang.org/cargo/reference/resolver.html#links
    linked: dict[str, CrateId] = {}
    for crate, release in found.items():
        try:
            library = release.links
        except ValueError:
            continue
        if library and linked.setdefault(library, crate) != crate:
            raise UserError(f"{linked[library]} and {crate} both link to {quoted(library)}, which only one may", MEND)
