"""From locks to a graph of wheels: what has to be built, from what, in which order."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from toolkit.build.crate_layout import CrateSource
from toolkit.core import cycles, os_release
from toolkit.core.errors import UserError
from toolkit.crates import local_rust
from toolkit.model import build_settings, tags
from toolkit.model.build_settings import BuildSettings
from toolkit.model.interpreter import Interpreter, select
from toolkit.model.lock import Crate, Distribution, LocalPackage, Lock
from toolkit.model.pins import Pinned
from toolkit.project import source_files, vcs_versions
from toolkit.project.source_files import FilesBeside
from toolkit.project.vcs_versions import GivenVersion
from toolkit.sources import patching
from toolkit.sources.patching import PatchSource

#: Part of every key: a change in how wheels are built, and hooks called, makes new entries instead of wrong hits.
RECIPE = 9


@dataclass(frozen=True, kw_only=True)
class Node:
    """One wheel, and what it is made from.

    `source` is a vendored archive, a local package's directory or, with `ready`, a vendored wheel. `requires` is the
    complete closure of its build environment. `identity` (sha256) covers its source and, through `requires`, all that
    builds it. `cheap` marks what no service ships. `rust` says that its build compiles Rust, from the `crates`
    that its Cargo.lock names, or from its own, and from files `beside` a local package. `settings` and `patches`, which
    `identity` covers as well, are what it is built with besides, and what is changed in its source; so is `given`, the
    version for what would ask git for it.
    """

    name: str
    version: str
    source: Path
    identity: str
    requires: tuple[Node, ...] = ()
    local: bool = False
    ready: bool = False
    cheap: bool = False
    rust: bool = False
    crates: tuple[CrateSource, ...] = ()
    beside: FilesBeside | None = None
    settings: BuildSettings = build_settings.NONE
    patches: tuple[PatchSource, ...] = ()
    given: GivenVersion | None = None

    @property
    def label(self) -> str:
        """Return the name and version as a person reads them."""
        return f"{self.name} {self.version}".strip()

    @property
    def key(self) -> str:
        """Return `name==version`."""
        return f"{self.name}=={self.version}"

    def __hash__(self) -> int:
        return hash(self.identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and (self.identity, self.cheap) == (other.identity, other.cheap)


@dataclass(kw_only=True)
class Planner:
    """Turns one lock into nodes for one interpreter. Distributions whose marker does not hold are left out.

    `vendored` gives the path of a file that the lock names. In `project` are local packages, and patches.
    """

    lock: Lock
    interpreter: Interpreter
    project: Path
    vendored: Callable[[str], Path]
    _nodes: dict[str, Node] = field(default_factory=dict)
    _visiting: list[str] = field(default_factory=list)

    def node(self, key: str) -> Node:
        """Return the wheel of a locked distribution; raises `KeyError` where the lock does not hold it."""
        return self._node(self.lock.find(key))

    def runtime(self) -> tuple[Node, ...]:
        """Return the wheels that a service installs, its local packages last."""
        return self.dependencies() + self.local()

    def local(self) -> tuple[Node, ...]:
        """Return the wheels of the project's own packages that a service installs."""
        return tuple(self._local(package) for package in self.lock.local)

    def dependencies(self) -> tuple[Node, ...]:
        """Return the wheels that a service installs besides those of its local packages."""
        return tuple(map(self._node, self._shipped.values()))

    def tests(self) -> tuple[Node, ...]:
        """Return the wheels that only the service's tests need."""
        return self._required(self.lock.test_requires, self.lock.service)

    def development(self) -> tuple[Node, ...]:
        """Return the wheels that only the service's developers need."""
        return self._required(self.lock.dev_requires, self.lock.service)

    @cached_property
    def _shipped(self) -> dict[str, Distribution]:
        return {d.key: d for d in self.lock.packages if self.interpreter.matches(d.marker)}

    def _node(self, distribution: Distribution) -> Node:
        key = distribution.key
        if key not in self._nodes:
            if key in self._visiting:
                raise cycles.error([*self._visiting[self._visiting.index(key) :], key])
            self._visiting.append(key)
            self._nodes[key] = self._make(distribution)
            self._visiting.pop()
        return self._nodes[key]

    def _make(self, distribution: Distribution) -> Node:
        if distribution.kind == "wheels":
            return self._ready(distribution)
        file = distribution.files[0]
        requires = self._required(distribution.build_requires, distribution.key)
        crates = tuple(map(self._crate, distribution.crates))
        # What has no PKG-INFO, as a forge's archive of a tag, may ask git for its version.
        is_archive = distribution.kind == "archive"
        given = GivenVersion(text=distribution.version, origin="its lock") if is_archive else None
        return Node(
            name=distribution.name,
            version=distribution.version,
            source=self.vendored(file.name),
            identity=_digest(
                [
                    file.sha256,
                    *(node.identity for node in requires),
                    *(item.crate.sha256 or item.crate.source for item in crates),
                    *distribution.settings.identity,
                    *(f"patch {patch.sha256}" for patch in distribution.patches),
                    *([f"version {given.text}"] if given else []),
                ]
            ),
            requires=requires,
            cheap=distribution.key not in self._shipped,
            rust=distribution.rust,
            crates=crates,
            settings=distribution.settings,
            patches=patching.of_project(distribution.patches, self.project),
            given=given,
        )

    def _crate(self, key: str) -> CrateSource:
        crate = self._crates[key]
        return CrateSource(crate=crate, path=self.vendored(crate.file.name) if crate.file else None)

    @cached_property
    def _crates(self) -> dict[str, Crate]:
        return {crate.key: crate for crate in self.lock.crates}

    def _ready(self, distribution: Distribution) -> Node:
        name = tags.best_wheel((file.name for file in distribution.files), tags.ranks(self.interpreter.version))
        if not name:
            raise UserError(
                f"{distribution.key}: no vendored wheel of it fits Python {self.interpreter.version} on this machine "
                f"({', '.join(file.name for file in distribution.files)})",
                f"add a line for this platform to vendor.txt ({distribution.name} --platform ... --python-version ...) "
                "and run `make vendor`",
            )
        file = next(file for file in distribution.files if file.name == name)
        return Node(
            name=distribution.name,
            version=distribution.version,
            source=self.vendored(name),
            identity=file.sha256,
            ready=True,
        )

    def _required(self, references: Iterable[Pinned], owner: str) -> tuple[Node, ...]:
        try:
            found = [self.lock.find(key) for key in select(references, self.interpreter)]
        except KeyError as error:
            raise UserError(
                f"pylock.{self.lock.service}.toml: {owner} needs {error.args[0]}, which the lock does not hold",
                "run `make vendor`",
            ) from None
        return tuple(self._node(distribution) for distribution in found)

    def _local(self, package: LocalPackage) -> Node:
        directory = self.project / package.path
        requires = self._required(package.build_requires, package.name)
        given = vcs_versions.require(directory, self.project, f"{package.path}/")
        parts = [source_files.fingerprint(directory), *(node.identity for node in requires)]
        crates = tuple(map(self._crate, package.crates))
        parts += [item.crate.sha256 for item in crates]
        beside = local_rust.read(directory, self.project).beside if package.rust else None
        if beside:
            parts += [package.path, source_files.fingerprint(beside.top, beside.files)]
        return Node(
            name=package.name,
            version="",
            source=directory,
            identity=_digest([*parts, *package.settings.identity, *([f"version {given.text}"] if given else [])]),
            requires=requires,
            local=True,
            rust=package.rust,
            crates=crates,
            beside=beside,
            settings=package.settings,
            given=given,
        )


def store_key(node: Node, interpreter: Interpreter, tools: Mapping[str, str], sandbox: str) -> str:
    """Return a node's key in the wheel store: its identity and all else that shapes the wheel.

    `tools` is what of the compilers does, `sandbox` how the build is confined: who has the sandbox on never gets what
    was built without.
    """
    return _digest(
        [
            *(["off"] if sandbox == "off" else []),
            str(RECIPE),
            node.identity,
            interpreter.version,
            interpreter.soabi,
            system(),
            str(node.cheap),
            json.dumps(tools, sort_keys=True),
            # Another interpreter brings its own idea of how to compile; a package must not get what pyenv's has built.
            *([] if interpreter.path.parent == Path("/usr/bin") else [str(interpreter.include)]),
        ]
    )


@cache
def system() -> str:
    """Return the distribution and its release, whose compilers and C libraries a wheel depends on; else the kernel."""
    found = os_release.read()
    return f"{found.get('ID', '')} {found.get('VERSION_ID', '')}" if found else os.uname().sysname


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
