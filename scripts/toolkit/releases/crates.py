"""The crates of sdists: known by their Cargo.lock and the index of the registry, without running anything.

Only those are fetched that some machine compiles that is built for. cargo has to know of the others, not to have them.
"""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.crates import cargo_manifest, cargo_workspace, crate_closure, crate_file, crate_resolution, local_rust
from toolkit.crates.cargo_workspace import Workspace
from toolkit.crates.crate_closure import Index, StaleError
from toolkit.crates.local_rust import LocalRust
from toolkit.model import semver
from toolkit.model.crates import CRATES_IO, CrateId, LockedCrate
from toolkit.model.lock import Crate, Distribution, LocalPackage
from toolkit.network.crate_registry import CrateRegistry, Line
from toolkit.network.fetch import Fetched, Fetcher
from toolkit.project.pyproject import MEND


@dataclass(frozen=True, kw_only=True)
class _Owner:
    """Who has a Cargo.lock: a distribution or a package of the project, by its label in a lock."""

    shown: str
    is_local: bool

    def lock(self, workspace: Workspace) -> str:
        """Return what messages call the Cargo.lock of a workspace."""
        path = local_rust.lock_path(workspace)
        return path if self.is_local else f"{self.shown}: its {path}"

    @property
    def advice(self) -> str:
        """Return what helps where its crates cannot be vendored; of a distribution that is tried later."""
        return "write another release of it into the Cargo.toml that needs it" if self.is_local else ""

    @contextmanager
    def advising(self) -> Iterator[None]:
        """Have the errors of Cargo's files say what helps with their owner."""
        try:
            yield
        except UserError as error:
            if error.hint == crate_resolution.MEND or (error.hint == MEND and not self.is_local):
                raise UserError(error.what, self.advice, error.details) from None
            raise

    def update(self, workspace: Workspace) -> str:
        """Return what helps where a Cargo.lock is not that of its Cargo.toml."""
        if not self.is_local:
            return self.advice
        manifest = cargo_manifest.path(workspace.directory)
        return (
            f"`cargo update --workspace --manifest-path {shlex.quote(manifest)}` brings it up to date: commit it then"
        )


@dataclass(frozen=True, kw_only=True)
class _Stub:
    """A crate that cargo only has to know of: its line of the index, and what of that one sdist needs.

    `edges` are the names of what Cargo.lock says that the crate needs, `features` what anything there asks for. One
    from git has no line.
    """

    line: Line
    edges: frozenset[str]
    features: frozenset[str]

    @property
    def text(self) -> str:
        """Return the line as a lock has it."""
        if not self.line:
            return json.dumps({"deps": [], "features": {name: [] for name in sorted(self.features)}})
        return json.dumps(_trimmed(self.line, self.edges, self.features), sort_keys=True)


@dataclass(frozen=True, kw_only=True)
class RustNeeds:
    """What the build of an sdist needs: the keys of its crates, the oldest Rust that compiles all, and who says so."""

    crates: tuple[str, ...]
    rust_version: str
    rust_version_of: str


@dataclass(kw_only=True)
class Crates:
    """All crates of a run by their key, `known`, and the paths of those that were fetched, by file name.

    `platforms` are values of `sys.platform`; `oldest_rust` returns the version of Rust that crates are chosen for where
    there is no Cargo.lock, empty for any. It may be asked by many threads.
    """

    registry: CrateRegistry
    fetcher: Fetcher
    platforms: tuple[str, ...]
    files: dict[str, Path]
    oldest_rust: Callable[[], str] = str
    known: dict[str, Crate] = field(default_factory=dict)
    _stubs: dict[str, dict[str, _Stub]] = field(default_factory=dict)
    _missing: set[str] = field(default_factory=set)
    _checked: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, path: Path, who: str, kept: Collection[str]) -> RustNeeds:
        """Fetch the crates of an sdist, which messages call `who`. Raises `UserError`.

        `kept` are those that were locked before: they stay where no Cargo.lock says which ones are meant.
        """
        owner = _Owner(shown=who, is_local=False)
        with owner.advising():
            return self._of_workspaces(cargo_workspace.read(path, who), owner, kept)

    def of_local(self, rust: LocalRust, kept: Collection[str]) -> tuple[str, ...]:
        """Fetch the crates of a package of the project, and return their keys, as `of` does for an sdist."""
        rust.refuse_ignored()
        for workspace in rust.workspaces:
            # Said once: several packages may share one, and several services a package.
            if workspace.lock is None and workspace.shown not in self._missing:
                self._missing.add(workspace.shown)
                manifest = shlex.quote(cargo_manifest.path(workspace.directory))
                console.warn(
                    f"{workspace.shown} is missing, so it is vendor/ alone that says which crates are taken; "
                    f"`cargo generate-lockfile --manifest-path {manifest}` makes one for everybody: commit it"
                )
        owner = _Owner(shown=f"{rust.shown}/", is_local=True)
        with owner.advising():
            return self._of_workspaces(rust.workspaces, owner, kept).crates

    def _of_workspaces(self, own: Iterable[Workspace], who: _Owner, kept: Collection[str]) -> RustNeeds:
        found: dict[str, Crate] = {}
        stubs: dict[str, _Stub] = {}
        versions = []
        for workspace in own:
            if workspace.vendored:
                versions.append(crate_closure.oldest_rust(workspace, lambda _: b"", ()))
            else:
                _refuse_absent(workspace, who)
                compiled, others, told = self._of_workspace(self._complete(workspace, who, kept), who, kept)
                versions.append(told)
                found |= compiled
                for key, stub in others.items():
                    stubs[key] = _together([stubs[key], stub]) if key in stubs else stub
        with self._lock:
            self._stubs[who.shown] = stubs
            for key, crate in found.items():
                first = self.known.get(key)
                if first and (first.sha256, first.source) != (crate.sha256, crate.source):
                    raise UserError(
                        f"{who.shown}: its crate {crate.name} {crate.version} is not that of other distributions",
                        who.advice,
                    )
                # One that any of them compiles is there for all.
                if not first or crate.file:
                    self.known[key] = crate
        version, owner = max(versions, key=lambda pair: semver.toolchain(pair[0] or "0"), default=("", ""))
        return RustNeeds(crates=tuple(sorted(found)), rust_version=version, rust_version_of=owner)

    def of_built(self, items: Iterable[Distribution | LocalPackage]) -> tuple[Crate, ...]:
        """Return the crates of what is built; one that nothing there compiles is known by what all need of it."""
        owners: dict[str, list[_Stub | None]] = {}
        for item in items:
            stubs = self._stubs.get(item.label, {})
            for key in item.crates:
                owners.setdefault(key, []).append(stubs.get(key))
        return tuple(_known(self.known[key], stubs) for key, stubs in sorted(owners.items()))

    def _complete(self, workspace: Workspace, who: _Owner, kept: Collection[str]) -> Workspace:
        """Return a workspace with the Cargo.lock that cargo would make for it, where it has none."""
        if workspace.lock is not None:
            return workspace

        def page(name: str, keys: Collection[str] = ()) -> bytes:
            lines = self.registry.releases(name, CRATES_IO, who.shown)
            if keys:
                # What was yanked since it was locked stays.
                lines = tuple({**line, "yanked": False} for line in lines if _key(line) in keys)
            return b"\n".join(json.dumps(line).encode() for line in lines)

        if kept:
            with suppress(UserError):
                locked = crate_resolution.resolve(workspace, lambda name: page(name, kept), CRATES_IO)
                return replace(workspace, lock=locked)
        locked = crate_resolution.resolve(workspace, page, CRATES_IO, self.oldest_rust())
        return replace(workspace, lock=locked)

    def _of_workspace(
        self, workspace: Workspace, who: _Owner, kept: Collection[str]
    ) -> tuple[Mapping[str, Crate], Mapping[str, _Stub], tuple[str, str]]:
        crates = {item.id: _crate(item, who, who.lock(workspace)) for item in _locked(workspace, who)}
        lines = self.registry.lines(crates.values(), who.shown)
        pages: dict[str, list[bytes]] = {}
        for line in lines.values():
            pages.setdefault(str(line["name"]), []).append(json.dumps(line).encode())

        def page(name: str) -> bytes:
            return b"\n".join(pages[name])

        for item in crates:
            # Each by type, those too that nobody compiles: a registry may answer anything.
            crate_closure.indexed(page, item)
        compiled = self._compiled(workspace, who, page)
        outside = [item for item in workspace.lock or () if item.origin == "git"]
        if refused := [locked for locked in outside if locked.id in compiled]:
            raise _not_of_a_registry(refused[0], who, len(refused) - 1)
        arriving = {
            item: self.registry.submit(crate, who.shown, self.fetcher)
            for item, crate in crates.items()
            if item in compiled
        }
        wanted = _words(workspace, lines.values())
        edges = {item.id: frozenset(other.name for other in item.dependencies) for item in workspace.lock or ()}
        found, stubs = {}, {}
        for item, crate in crates.items():
            if item in arriving:
                fetched = self.fetcher.result(arriving[item])
                self._check(fetched, crate, kept)
                file = replace(self.registry.file(crate, who.shown), size=fetched.size)
                self.files[file.name] = fetched.path
                found[crate.key] = replace(crate, file=file)
            else:
                found[crate.key] = crate
                stubs[crate.key] = _Stub(line=lines[crate.key], edges=edges[item], features=wanted)
        for locked in outside:
            crate = Crate(name=locked.name, version=locked.version, sha256="", source=locked.source)
            if crate.key in found:
                # In a directory there is one of a name and version.
                raise _not_of_a_registry(locked, who)
            found[crate.key] = crate
            stubs[crate.key] = _Stub(line={}, edges=frozenset(), features=wanted)
        return found, stubs, crate_closure.oldest_rust(workspace, page, compiled)

    def _check(self, fetched: Fetched, crate: Crate, kept: Collection[str]) -> None:
        """See that what was fetched is a crate, unless that was seen in this run or before it. Raises `UserError`."""
        if fetched.sha256 not in self._checked and crate.key not in kept:
            crate_file.check(fetched.path, crate)
            self._checked.add(fetched.sha256)

    def _compiled(self, workspace: Workspace, who: _Owner, index: Index) -> frozenset[CrateId]:
        try:
            return crate_closure.needed(workspace, index, self.platforms)
        except StaleError as error:
            raise _stale(workspace, who, error.what) from None


def _known(crate: Crate, stubs: Sequence[_Stub | None]) -> Crate:
    """Return a crate as a lock has it, by what each sdist needs of it: None for one that compiles it."""
    only_known = [stub for stub in stubs if stub]
    if len(only_known) < len(stubs):
        return crate
    return replace(crate, file=None, index_line=_together(only_known).text)


def _together(stubs: Sequence[_Stub]) -> _Stub:
    """Return what several sdists need of one crate."""
    return replace(
        stubs[0],
        edges=frozenset[str]().union(*(stub.edges for stub in stubs)),
        features=frozenset[str]().union(*(stub.features for stub in stubs)),
    )


def _locked(workspace: Workspace, who: _Owner) -> Iterator[LockedCrate]:
    """Yield what a Cargo.lock names of registries. Raises `UserError` for other places but git, or a stale lock."""
    if stale := crate_closure.stale(workspace):
        raise _stale(workspace, who, stale[0])
    for item in workspace.lock or ():
        if item.origin == "other":
            raise _not_of_a_registry(item, who)
        if item.origin == "registry":
            yield item


def _refuse_absent(workspace: Workspace, who: _Owner) -> None:
    """Raise `UserError` for what cargo would look for in vain: packages, and what stands in for those of a registry."""
    for text in workspace.absent:
        raise UserError(text, who.advice)
    locked = {item.name for item in workspace.lock or () if item.source not in ("", CRATES_IO)}
    for item in workspace.patches:
        if item.elsewhere and item.name not in locked:
            manifest = cargo_manifest.path(workspace.directory)
            what = f"{who.shown}: its {manifest} replaces the crate {item.name} by one of {quoted(item.elsewhere)}"
            raise UserError(f"{what}, not of a registry", who.advice)


def _stale(workspace: Workspace, who: _Owner, what: str) -> UserError:
    return UserError(f"{who.lock(workspace)} is not that of its Cargo.toml: {what}", who.update(workspace))


def _not_of_a_registry(item: LockedCrate, who: _Owner, more: int = 0) -> UserError:
    what = f"{who.shown}: its crate {item.id} comes from {item.source}, not from a registry"
    return UserError(f"{what} (nor do {more} more)" if more else what, who.advice)


def _key(line: Line) -> str:
    return f"{line['name']}=={line['vers']}"


def _crate(item: LockedCrate, who: _Owner, lock: str) -> Crate:
    if not item.checksum:
        raise UserError(f"{lock} has no checksum of the crate {item.id}, by which to know the right one", who.advice)
    return Crate(name=item.name, version=item.version, sha256=item.checksum, source=item.source)


def _words(workspace: Workspace, lines: Iterable[Line]) -> frozenset[str]:
    """Return every feature that anything asks of something else, by the feature's name alone."""
    found = {"default"}
    for manifest in workspace.packages.values():
        for dependency in manifest.dependencies:
            found |= set(dependency.features)
        found |= {value.partition("/")[2] for values in manifest.features.values() for value in values}
    for line in lines:
        for entry in line.get("deps", ()):
            found |= set(entry.get("features", ()))
        found |= {value.partition("/")[2] for _, values in _features(line) for value in values}
    return frozenset(found - {""})


def _features(line: Line) -> Iterator[tuple[str, list[str]]]:
    for table in ("features", "features2"):
        yield from (line.get(table) or {}).items()


def _trimmed(line: Line, edges: Collection[str], wanted: Collection[str]) -> dict[str, Any]:
    """Return what cargo has to know of a crate that is not compiled: of its features those that something asks for.

    `edges` are the names of what Cargo.lock says that it needs; an optional dependency that is not among them is not
    turned on by anything.
    """
    dependencies = [
        {key: value for key, value in entry.items() if value not in (None, [], False) or key == "default_features"}
        for entry in line.get("deps", ())
        if entry.get("kind") != "dev" and (entry.get("package") or entry["name"]) in edges
    ]
    names = {entry["name"] for entry in dependencies}
    table: dict[str, list[str]] = {}
    for name, values in _features(line):
        table.setdefault(name, []).extend(values)
    kept: dict[str, list[str]] = {}
    left = sorted(wanted & table.keys())
    while left:
        name = left.pop()
        if name not in kept:
            kept[name] = [value for value in table[name] if _is_there(value, names, table)]
            left += [value for value in kept[name] if value in table]
    links = {"links": line["links"]} if line.get("links") else {}
    return {"deps": dependencies, "features": kept, **links}


def _is_there(value: str, dependencies: Collection[str], features: Collection[str]) -> bool:
    """Tell whether an entry of a feature names something that is left: a feature, or a dependency."""
    if value in features:
        return True
    return value.removeprefix("dep:").partition("/")[0].removesuffix("?") in dependencies
