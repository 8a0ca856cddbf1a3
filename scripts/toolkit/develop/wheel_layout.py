"""Which files of a package's wheel are files of its source, where imports find them, and which its build makes.

The wheel tells it, whatever built it. PEP 660 would have the backend link the source, but what that makes is not the
package: extensions are compiled into the source, a flat layout is led to by an import hook that no type checker
follows, and a hook may require what is in no lock (hatchling's `editables`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from toolkit.core import files
from toolkit.project import package_search, source_files

_INIT = "__init__.py"
#: Where modules stand if nothing else is said.
_USUAL = ("", "src")
#: Files without content are everywhere.
_EMPTY = hashlib.sha256().hexdigest()


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the files of a wheel are, which are called as in site-packages.

    `roots` are directories for sys.path, from which files are found under their names. `mapped` has the directories of
    packages, and the files of modules, that are called otherwise in the source. All else was `made`.
    """

    roots: tuple[Path, ...] = ()
    mapped: Mapping[str, Path] = field(default_factory=dict)
    made: tuple[str, ...] = ()


def read(hashes: Mapping[str, str], source: Path) -> Layout:
    """Return the layout of a wheel of the package in the directory `source`, by the sha256 of each of its files."""
    tree = _Tree(source)
    # In site-packages alone a .pth file has an effect.
    made = {name for name in hashes if "/" not in name and name.endswith(".pth")}
    left = {name: digest for name, digest in hashes.items() if name not in made}
    roots: list[str] = []
    while (root := _root(left, tree)) is not None:
        roots.append(root)
        left = {name: digest for name, digest in left.items() if _join(root, name) not in tree.names}
    mapped: dict[str, str] = {}
    packages = {name.removesuffix(f"/{_INIT}") for name in left if name.endswith(f"/{_INIT}")}
    for package in sorted(packages, key=lambda name: (name.count("/"), name)):
        if f"{package}/{_INIT}" in left and (directory := _directory(package, left, tree)) is not None:
            mapped[package] = directory
            found = {name for name in _below(package, left) if _join(directory, _rest(name, package)) in tree.names}
            left = {name: digest for name, digest in left.items() if name not in found}
    for name in [name for name in left if name.endswith(".py") and left[name] != _EMPTY]:
        if same := tree.with_digest(left[name]):
            mapped[name.removesuffix(".py")] = min(same, key=lambda path: _preference(path, name))
            del left[name]
    return Layout(
        roots=tuple(source / root for root in roots),
        mapped={name.replace("/", "."): source / path for name, path in mapped.items()},
        made=tuple(sorted({*made, *left})),
    )


@dataclass(frozen=True)
class _Tree:
    """The files of a source, by their names relative to it."""

    source: Path

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(path.as_posix() for path in source_files.source_files(self.source))

    def ending(self, name: str) -> Iterator[str]:
        """Yield the files of this name, wherever they stand."""
        for path in self._by_last_part.get(name.rpartition("/")[2], ()):
            if f"/{path}".endswith(f"/{name}"):
                yield path

    def digest(self, name: str) -> str:
        """Return the sha256 of a file."""
        if name not in self._digests:
            self._digests[name] = files.sha256(self.source / name)
        return self._digests[name]

    def with_digest(self, digest: str) -> list[str]:
        """Return the files of a sha256."""
        return [name for name in self.names if self.digest(name) == digest]

    @cached_property
    def _by_last_part(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self.names:
            found.setdefault(name.rpartition("/")[2], []).append(name)
        return found

    @cached_property
    def _digests(self) -> dict[str, str]:
        return {}


def _root(left: Mapping[str, str], tree: _Tree) -> str | None:
    """Return the directory from which most of these files are found; None where no module's content says so."""
    equal, called = Counter[str](), Counter[str]()
    for name, digest in left.items():
        for path in tree.ending(name):
            root = path.removesuffix(name).removesuffix("/")
            called[root] += 1
            # What a build has written into its copy of a module is another matter.
            equal[root] += name.endswith(".py") and tree.digest(path) == digest
    # Nor may a build leave any as it was.
    fitting = [root for root in called if equal[root]] or [root for root in called if root in _USUAL]
    return min(fitting, key=lambda root: (-equal[root], -called[root], root.count("/"), root), default=None)


def _directory(package: str, left: Mapping[str, str], tree: _Tree) -> str | None:
    """Return the directory of the source that a package is made from, None where none has its modules."""
    modules = [name for name in _below(package, left) if name.endswith(".py")]
    equal = Counter[str]()
    for name in modules:
        rest = _rest(name, package)
        for path in tree.ending(rest):
            if tree.digest(path) == left[name]:
                equal[path.removesuffix(rest).removesuffix("/")] += 1
    fitting = [root for root in equal if _join(root, _INIT) in tree.names]
    return min(fitting, key=lambda root: (-equal[root], *_preference(root, package)), default=None)


def _preference(path: str, name: str) -> tuple[bool, bool, int, str]:
    """Return what tells which of several is meant by a name: the one of this name, none of tests, the outermost."""
    samples = any(package_search.holds_samples(Path(parent)) for parent in PurePosixPath(path).parents)
    return PurePosixPath(path).name != PurePosixPath(name).name, samples, path.count("/"), path


def _below(package: str, names: Mapping[str, str]) -> list[str]:
    return [name for name in names if name.startswith(f"{package}/")]


def _rest(name: str, package: str) -> str:
    return name.removeprefix(f"{package}/")


def _join(directory: str, name: str) -> str:
    return f"{directory}/{name}" if directory else name
