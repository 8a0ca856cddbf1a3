"""The Rust packages of a source tree: where they stand, which of them are built, and their Cargo.lock.

https://doc.rust-lang.org/cargo/reference/workspaces.html
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from toolkit.archives import archive
from toolkit.core import documents
from toolkit.core.documents import Table
from toolkit.core.errors import UserError
from toolkit.crates import cargo_lock, cargo_manifest, cargo_options, rust_builds
from toolkit.crates.cargo_manifest import below
from toolkit.crates.rust_builds import RustBuild
from toolkit.model.crates import CrateDependency, LockedCrate, Manifest
from toolkit.project import pyproject

_Value = TypeVar("_Value")
#: What `cargo vendor` leaves beside the files of each crate.
_CHECKSUM = ".cargo-checksum.json"
_WILD = re.compile(r"[*?\[]")
_MOST, _MOST_PATTERNS, _LONGEST_PATTERN = 5000, 50, 256
_DEEPEST = 32
#: Of packages that one sdist builds.
_MOST_BUILDS = 200


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """The packages of one Cargo.lock, which messages call `shown`.

    Directories are those of the source tree, the top one an empty text. `packages` are its `members` and what comes by
    path beside them, and `absent` says which others there should be. `patches` stand in for crates of a registry.
    `builds` are those to be compiled, by directory; `lock` is None where there is no Cargo.lock. With `vendored` crates
    come inside the source tree: nothing is fetched. `settings` are those of cargo that it brings.
    """

    shown: str
    directory: str
    packages: Mapping[str, Manifest]
    members: frozenset[str]
    builds: Mapping[str, RustBuild]
    lock: tuple[LockedCrate, ...] | None
    resolver: int
    vendored: bool
    patches: tuple[CrateDependency, ...] = ()
    absent: tuple[str, ...] = ()
    settings: bytes = b""


def read(path: Path, shown: str) -> tuple[Workspace, ...]:
    """Return the workspaces that the build of the sdist at `path` compiles; `shown` is what messages call it.

    Raises `UserError` for files that make no sense.
    """
    names = archive.names(path)
    return of_files(archive.read_members(path, wanted(names, shown)), names, shown)


def wanted(names: Iterable[str], shown: str, directory: str = "") -> list[str]:
    """Return which files of a source tree tell of its Rust packages. Raises `UserError` for far too many.

    What is built stands in its `directory`.
    """
    everything = set(names)
    crates = {posixpath.dirname(name) for name in everything if posixpath.basename(name) == _CHECKSUM}
    found = [
        name
        for name in sorted(everything)
        if posixpath.basename(name) in (cargo_manifest.FILE, cargo_lock.FILE)
        and posixpath.dirname(name) not in crates
        and name.count("/") <= _DEEPEST
    ]
    if len(found) > _MOST:
        raise UserError(f"{shown or directory}: more than {_MOST} files {cargo_manifest.FILE}", pyproject.MEND)
    told = (below(directory, name) for name in (pyproject.FILE, "setup.py"))
    return [*found, *(name for name in (*told, *settings_paths(directory)) if name in everything)]


def of_files(
    files: Mapping[str, bytes], names: Collection[str], shown: str, directory: str = ""
) -> tuple[Workspace, ...]:
    """Return the workspaces of a source tree, of which `files` are those that are `wanted`, and `names` all.

    What is built stands in its `directory`. Messages name files by their paths alone where `shown` is empty.
    """
    tree = _Tree(files, names, shown)
    settings = {name: files[name] for name in settings_paths(directory) if name in files}
    brought = [path for name, content in settings.items() for path in _source_directories(name, content)]
    vendored = any(
        posixpath.basename(name) == _CHECKSUM or any(_is_below(name, path) for path in brought) for name in names
    )
    by_root: dict[str, dict[str, RustBuild]] = {}
    found = list(_builds(files, shown, directory))
    if len(found) > _MOST_BUILDS:
        raise UserError(f"{shown or directory}: it builds more than {_MOST_BUILDS} Rust packages", pyproject.MEND)
    for build in found:
        place = posixpath.dirname(build.manifest)
        root = tree.root(place)
        targets = [place] if tree.has_package(place) else sorted(tree.members(root))
        for target in targets:
            by_root.setdefault(root, {})[target] = build
    found_at = sorted(by_root.items())
    return tuple(
        replace(tree.workspace(root, builds, vendored=vendored), settings=next(iter(settings.values()), b""))
        for root, builds in found_at
    )


def settings_paths(directory: str) -> Iterator[str]:
    """Yield where cargo looks for settings as it builds in a directory of a source tree, the nearest first."""
    yield from (below(place, name) for place in (directory, *_above(directory)) for name in cargo_options.FILES)


def _builds(files: Mapping[str, bytes], shown: str, directory: str) -> Iterator[RustBuild]:
    """Yield what is compiled: what is named as such, else what stands nearest to the top of the directory."""
    content, setup = (files.get(below(directory, name), b"") for name in (pyproject.FILE, "setup.py"))
    named = rust_builds.named(pyproject.parse(content, f"{shown or directory}: its {pyproject.FILE}"), setup)
    found = [replace(build, manifest=below(directory, build.manifest)) for build in named]
    present = [build for build in found if build.manifest in files]
    yield from present
    if not present:
        everything = (name for name in files if posixpath.basename(name) == cargo_manifest.FILE)
        manifests = [name for name in everything if _is_below(posixpath.dirname(name), directory)]
        depth = min((name.count("/") for name in manifests), default=0)
        asked = found[0] if len(found) == 1 else RustBuild()
        for name in sorted(manifests):
            if name.count("/") == depth:
                yield RustBuild(
                    manifest=name,
                    features=asked.features,
                    default_features=asked.default_features,
                    all_features=asked.all_features,
                )


def _source_directories(name: str, content: bytes) -> list[str]:
    """Return the directories, of crates or of a registry's files, that a file of cargo's settings puts in its place."""
    above = posixpath.dirname(posixpath.dirname(name))
    try:
        sources = Table(documents.toml(content)).table("source", {})
        tables = [sources.table(source) for source in sources.content]
        paths = [table.text(key, "") for table in tables for key in ("directory", "local-registry")]
    except ValueError:
        return []
    return [below(above, path) for path in paths if path]


class _Tree:
    """The Cargo.toml files of a source tree, each read when it is asked for."""

    def __init__(self, files: Mapping[str, bytes], names: Iterable[str], shown: str) -> None:
        self._files, self._names, self._shown = files, names, shown
        self._contents: dict[str, Table] = {}
        name = cargo_manifest.FILE
        self._excluded: dict[str, frozenset[str]] = {}
        self._members: dict[str, frozenset[str]] = {}
        self._known = frozenset(posixpath.dirname(path) for path in files if posixpath.basename(path) == name)

    def has_package(self, directory: str) -> bool:
        return "package" in self._content(directory).content

    def root(self, directory: str) -> str:
        """Return where the workspace of a package stands, which is its own directory when it is in none."""
        own = self._content(directory)
        if "workspace" in own.content:
            return directory
        named = self._checked(directory, lambda: own.table("package", {}).text("workspace", ""))
        if named:
            return below(directory, named)
        for above in _above(directory):
            if above in self._known and "workspace" in self._content(above).content:
                return directory if self._is_excluded(directory, above) else above
        return directory

    def members(self, root: str) -> frozenset[str]:
        """Return the directories of a workspace's members, but for those that are so because others need them."""
        if root not in self._members:
            self._members[root] = frozenset(self._named_members(root))
        return self._members[root]

    def _named_members(self, root: str) -> set[str]:
        found = {root} if self.has_package(root) else set()
        return found | self._known & {*self._literal_members(root), *self._matched_members(root, self._known)}

    def workspace(self, root: str, builds: Mapping[str, RustBuild], *, vendored: bool) -> Workspace:
        content = self._content(root)
        members = self.members(root) | set(builds)
        patches = cargo_manifest.patches(content, root, self._name(root))
        packages = self._packages([*members, *(item.path for item in patches if item.path is not None)])
        if "workspace" in content.content:
            members = frozenset(self._joined(root, members, packages))
        lock = f"{root}/{cargo_lock.FILE}".lstrip("/")
        crates = cargo_lock.parse(self._files[lock], self._told(lock)) if lock in self._files else None
        return Workspace(
            shown=self._told(lock),
            directory=root,
            packages=packages,
            members=frozenset(members),
            builds=builds,
            lock=crates,
            resolver=cargo_manifest.resolver(content, self._name(root)),
            vendored=vendored,
            patches=patches,
            absent=tuple(self._absent(root, members, packages, patches)),
        )

    def _absent(
        self, root: str, members: Collection[str], packages: Mapping[str, Manifest], patches: Iterable[CrateDependency]
    ) -> Iterator[str]:
        """Yield which packages cargo would look for in vain."""
        for path in (*self._literal_members(root), *sorted(self._matched_members(root, self._directories()))):
            if path not in self._known:
                yield f"{self._name(root)}: its member {path} has no {cargo_manifest.FILE}"
        needed = [(root, item) for item in patches]
        for directory, package in packages.items():
            # Of a package beside the members cargo loads what is compiled.
            is_loaded = directory in members
            needed += [
                (directory, item)
                for item in package.dependencies
                if is_loaded or not (item.optional or item.kind == "dev")
            ]
        for directory, item in needed:
            if item.path is not None and item.path not in packages:
                yield f"{self._name(directory)}: {item.name} is in {item.path or '.'}, where there is no Rust package"

    def _packages(self, directories: Iterable[str]) -> dict[str, Manifest]:
        """Return the packages of these directories, and of those that they need by path."""
        found: dict[str, Manifest] = {}
        left = [*directories]
        while left:
            directory = left.pop()
            if directory in self._known and directory not in found and self.has_package(directory):
                found[directory] = self._manifest(directory)
                left += _paths(found[directory])
        return found

    def _joined(self, root: str, members: Iterable[str], packages: Mapping[str, Manifest]) -> set[str]:
        """Return members with what they need by path: inside the workspace's directory that is a member, too."""
        found: set[str] = set()
        left = [*members]
        while left:
            directory = left.pop()
            if directory in packages and directory not in found:
                found.add(directory)
                inside = (path for path in _paths(packages[directory]) if _is_below(path, root))
                left += [path for path in inside if not self._is_excluded(path, root)]
        return found

    def _manifest(self, directory: str) -> Manifest:
        root = self.root(directory)
        table = self._workspace_table(root)
        return cargo_manifest.package(self._content(directory), directory, table, root, self._name(directory))

    def _workspace_table(self, root: str) -> Table:
        content = self._content(root)
        return self._checked(root, lambda: content.table("workspace", {}))

    def _is_excluded(self, directory: str, root: str) -> bool:
        if root not in self._excluded:
            table = self._workspace_table(root)
            paths = self._checked(root, lambda: table.texts("exclude", ()))
            self._excluded[root] = frozenset(below(root, path) for path in paths)
        excluded = self._excluded[root]
        if any(_is_below(directory, member) for member in self._literal_members(root)):
            return False
        return directory in excluded or any(above in excluded for above in _above(directory))

    def _directories(self) -> Collection[str]:
        """Return the directories of the tree that are not hidden, or none where there are far too many."""
        found = {above for name in self._names for above in _above(name)}
        return {path for path in found if not posixpath.basename(path).startswith(".")} if len(found) <= _MOST else ()

    def _literal_members(self, root: str) -> list[str]:
        """Return the members that are named, not matched; they are so even where they are excluded."""
        return [pattern for pattern in self._patterns(root) if not _WILD.search(pattern)]

    def _matched_members(self, root: str, among: Collection[str]) -> Iterator[str]:
        for pattern in filter(_WILD.search, self._patterns(root)):
            matched = (path for path in among if _matches(path.split("/"), pattern.split("/")))
            yield from (path for path in matched if not self._is_excluded(path, root))

    def _patterns(self, root: str) -> list[str]:
        """Return the members of a workspace as its Cargo.toml has them."""
        table = self._workspace_table(root)
        found = [below(root, pattern) for pattern in self._checked(root, lambda: table.texts("members", ()))]
        wild = [pattern for pattern in found if _WILD.search(pattern)]
        if len(wild) > _MOST_PATTERNS or any(len(pattern) > _LONGEST_PATTERN for pattern in wild):
            raise UserError(f"{self._name(root)}: far too many patterns of members, or too long ones", pyproject.MEND)
        return found

    def _content(self, directory: str) -> Table:
        if directory not in self._contents:
            path = cargo_manifest.path(directory)
            content = self._files.get(path)
            if content is None:
                raise UserError(f"{self._told(path)} is missing, of which other files tell", pyproject.MEND)
            self._contents[directory] = cargo_manifest.read(content, self._name(directory))
        return self._contents[directory]

    def _name(self, directory: str) -> str:
        return self._told(cargo_manifest.path(directory))

    def _told(self, path: str) -> str:
        return f"{self._shown}: {path}" if self._shown else path

    def _checked(self, directory: str, read_entry: Callable[[], _Value]) -> _Value:
        try:
            return read_entry()
        except ValueError as error:
            raise UserError(f"{self._name(directory)}: {error}", pyproject.MEND) from None


def _paths(manifest: Manifest) -> list[str]:
    return [item.path for item in manifest.dependencies if item.path is not None]


def _above(directory: str) -> Iterator[str]:
    """Yield the directories above one, the nearest first."""
    while directory:
        directory = posixpath.dirname(directory)
        yield directory


def _is_below(directory: str, root: str) -> bool:
    return not directory.startswith("..") and (not root or directory == root or directory.startswith(f"{root}/"))


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Tell whether a path is one of a pattern: a star stays within one name, two of them stand for any number."""
    if "**" not in pattern:
        return len(parts) == len(pattern) and all(map(fnmatch.fnmatchcase, parts, pattern))
    place = pattern.index("**")
    head, tail = pattern[:place], [part for part in pattern[place:] if part != "**"]
    if len(parts) < len(head) + len(tail):
        return False
    return _matches(parts[:place], head) and (not tail or _matches(parts[-len(tail) :], tail))
