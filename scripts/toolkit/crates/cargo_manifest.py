"""Cargo.toml: what a package of a source tree says that it needs, with what it inherits from its workspace.

https://doc.rust-lang.org/cargo/reference/manifest.html
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.core import documents
from toolkit.core.documents import Table
from toolkit.core.errors import UserError
from toolkit.model import semver
from toolkit.model.crates import NAME, CrateDependency, Kind, Manifest
from toolkit.project.pyproject import MEND

FILE = "Cargo.toml"
_MOST = 5000
_KINDS: tuple[tuple[str, Kind], ...] = (
    ("dependencies", "normal"),
    ("build-dependencies", "build"),
    ("build_dependencies", "build"),
    ("dev-dependencies", "dev"),
    ("dev_dependencies", "dev"),
)
_ELSEWHERE = ("git", "registry", "registry-index")
#: The version of a package that names none.
_UNVERSIONED = "0.0.0"
_RESOLVERS = {"2021": 2, "2024": 3}


def read(content: bytes, shown: str) -> Table:
    """Return the content of a Cargo.toml, which messages call `shown`. Raises `UserError` on bad TOML."""
    try:
        return Table(documents.toml(content))
    except ValueError as error:
        raise UserError(f"{shown}: not a TOML file: {error}", MEND) from None


def package(content: Table, directory: str, workspace: Table, root: str, shown: str) -> Manifest:
    """Return what the package of a Cargo.toml needs.

    `directory` is where it stands in the source tree, `workspace` the table `[workspace]` that it inherits from, which
    stands in `root`. Raises `UserError` for what is no manifest.
    """
    try:
        return _Reader(content, directory, workspace, root).manifest()
    except ValueError as error:
        raise UserError(f"{shown}: {error}", MEND) from None


def resolver(content: Table, shown: str) -> int:
    """Return the version of cargo's resolver that the root of a workspace asks for, by its edition if not by name."""
    try:
        own, workspace = content.table("package", {}), content.table("workspace", {})
        named = workspace.text("resolver", "") or own.text("resolver", "")
        if named:
            return int(named) if named in ("1", "2", "3") else 3
        return _RESOLVERS.get(_inherited(own, "edition", workspace.table("package", {})), 1)
    except ValueError as error:
        raise UserError(f"{shown}: {error}", MEND) from None


def patches(content: Table, directory: str, shown: str) -> tuple[CrateDependency, ...]:
    """Return what stands in for crates of a registry, by path or from elsewhere (`[patch]`, and the older `[replace]`).

    https://doc.rust-lang.org/cargo/reference/overriding-dependencies.html
    """
    try:
        sources = content.table("patch", {})
        found = [(key, value) for source in sources.content for key, value in sources.table(source).content.items()]
        # By a package ID, such as `foo:1.0.0`.
        found += [(key.rpartition("#")[2], value) for key, value in content.table("replace", {}).content.items()]
        return tuple(_patch(key, Table(value), directory) for key, value in found if isinstance(value, Mapping))
    except ValueError as error:
        raise UserError(f"{shown}: {error}", MEND) from None


def _patch(key: str, entry: Table, directory: str) -> CrateDependency:
    path = entry.text("path", "")
    return CrateDependency(
        name=entry.text("package", re.split("[:@]", key)[0], NAME),
        key=key,
        path=below(directory, path) if path else None,
        elsewhere=_elsewhere(entry),
    )


def _elsewhere(entry: Table) -> str:
    return next((entry.text(key) for key in _ELSEWHERE if key in entry.content), "")


def path(directory: str) -> str:
    """Return where the Cargo.toml of a directory of a source tree is."""
    return f"{directory}/{FILE}".lstrip("/")


def below(directory: str, path: str) -> str:
    """Return a path of a directory as one of the source tree, whose top is an empty text."""
    found = posixpath.normpath(posixpath.join(directory, path))
    return "" if found == "." else found


def _inherited(own: Table, key: str, common: Table) -> str:
    """Return an entry of `[package]`, of the workspace's where it says `{ workspace = true }`; empty if none."""
    value = own.content.get(key)
    if isinstance(value, Mapping):
        return common.text(key)
    # Some write `edition = 2021` for a text, which is cargo's to complain of.
    return str(value) if type(value) is int else own.text(key, "")


class _Reader:
    def __init__(self, content: Table, directory: str, workspace: Table, root: str) -> None:
        self._content, self._directory = content, directory
        self._workspace, self._root = workspace, root

    def manifest(self) -> Manifest:
        own, common = self._content.table("package"), self._workspace.table("package", {})
        version = _inherited(own, "version", common) or _UNVERSIONED
        rust_version = _inherited(own, "rust-version", common)
        semver.key(version)
        if rust_version:
            semver.toolchain(rust_version)
        features = self._content.table("features", {})
        dependencies = tuple(self._all())
        if len(dependencies) > _MOST:
            raise ValueError(f"more than {_MOST} dependencies")
        return Manifest(
            name=own.text("name", form=NAME),
            version=version,
            rust_version=rust_version,
            dependencies=dependencies,
            features={feature: features.texts(feature) for feature in features.content},
        )

    def _all(self) -> Iterator[CrateDependency]:
        yield from self._of(self._content, "")
        targets = self._content.table("target", {})
        for target in targets.content:
            yield from self._of(targets.table(target), target)

    def _of(self, tables: Table, target: str) -> Iterator[CrateDependency]:
        for title, kind in _KINDS:
            entries = tables.table(title, {})
            for key in entries.content:
                yield self._dependency(entries, key, kind, target)

    def _dependency(self, entries: Table, key: str, kind: Kind, target: str) -> CrateDependency:
        entry, base = self._table(entries, key), self._directory
        features, defaults = entry.texts("features", ()), _default_features(entry)
        optional = entry.content.get("optional") is True
        if entry.content.get("workspace") is True:
            common = self._table(self._workspace.table("dependencies"), key)
            features += common.texts("features", ())
            # What the workspace turns off, a member may turn on, not the other way round.
            defaults = _default_features(common) is not False or defaults is True
            entry, base = common, self._root
        requirement, path = entry.text("version", "*"), entry.text("path", "")
        semver.check(requirement)
        return CrateDependency(
            name=entry.text("package", key, NAME),
            key=key,
            requirement=requirement,
            kind=kind,
            target=target,
            features=features,
            default_features=defaults is not False,
            optional=optional,
            path=below(base, path) if path else None,
            elsewhere=_elsewhere(entry),
        )

    def _table(self, entries: Table, key: str) -> Table:
        value: Any = entries.content.get(key)
        return Table({"version": value}, f"{entries.name}.{key}") if isinstance(value, str) else entries.table(key)


def _default_features(entry: Table) -> bool | None:
    """Return whether an entry turns on the default features, None where it does not say."""
    found = entry.content.get("default-features", entry.content.get("default_features"))
    return found if isinstance(found, bool) else None
