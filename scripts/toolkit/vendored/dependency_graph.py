"""Who requires whom: the distributions of a lock, joined by the direct requirements that brought each of them in.

The lock holds both; a requirement leads to the version that is locked for just that environment (the service's, that of
its tests, or that of one build).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Literal

from toolkit.model import requirement_texts
from toolkit.model.lock import Distribution, LocalPackage, Lock
from toolkit.model.names import normalize

Kind = Literal["runtime", "build", "tests"]
#: The environment of the service itself, and of its tests and developers; that of a build is called as what is built.
RUNTIME, TESTS = "", "tests"


@dataclass(frozen=True, kw_only=True)
class Edge:
    """`source` requires `target`, both `name==version`, or a local package's name.

    `text` is the requirement as it is written; `origin` is `file:line` where a file of the project says it.
    """

    source: str
    target: str
    kind: Kind
    text: str = ""
    origin: str = ""


@dataclass(frozen=True)
class Node:
    """A node within one environment: what a requirement leads to depends on it."""

    environment: str
    key: str


@dataclass(kw_only=True)
class DependencyGraph:
    """The direct requirements of one lock, which holds them. What a requirement leads to depends on the environment."""

    lock: Lock

    @property
    def root(self) -> str:
        """Return the local package that the lock is of."""
        return self.lock.local[-1].name if self.lock.local else self.lock.service

    def find(self, name: str) -> list[str]:
        """Return the key of every locked distribution or local package of this name."""
        keys = [*(item.name for item in self.lock.local), *self._distributions]
        return [key for key in keys if name_of(key) == normalize(name)]

    @cached_property
    def edges(self) -> dict[Node, list[tuple[Edge, Node]]]:
        """Return, for every node that is reached from the root, what is required there and where that leads."""
        found: dict[Node, list[tuple[Edge, Node]]] = {}
        stack = [Node(RUNTIME, self.root)]
        while stack:
            node = stack.pop()
            if node not in found:
                found[node] = list(self._from(node))
                stack += [target for _, target in found[node]]
        return found

    def _from(self, node: Node) -> Iterator[tuple[Edge, Node]]:
        if node.key in self._local:
            yield from self._from_local(node)
        elif distribution := self._distributions.get(node.key):
            for edge in self._named(node, distribution.requires, "runtime"):
                yield edge, Node(node.environment, edge.target)
        for edge in self._builds(node.key):
            yield edge, Node(edge.source, edge.target)

    def _from_local(self, node: Node) -> Iterator[tuple[Edge, Node]]:
        for line in self.lock.direct or ():
            if line.source == node.key and line.kind != "build":
                environment = TESTS if line.kind == "tests" else node.environment
                for key in self._members(environment).get(line.name, [line.name]):
                    if key in self._distributions or key in self._local:
                        edge = Edge(source=line.source, target=key, kind=line.kind, text=line.text, origin=line.origin)
                        yield edge, Node(environment, key)

    def _named(self, node: Node, texts: Iterable[str], kind: Kind) -> Iterator[Edge]:
        members = self._members(node.environment)
        for text in texts:
            name = required_name(text)
            # Something from the index may ask for a package of the project.
            for target in members.get(name, [name] if name in self._local else []):
                yield Edge(source=node.key, target=target, kind=kind, text=text)

    def _builds(self, key: str) -> Iterator[Edge]:
        """Yield what builds `key` directly: what its files and its backend name."""
        builder = self._local.get(key) or self._distributions.get(key)
        for edge in self._named(Node(key, key), builder.build_dependencies if builder else (), "build"):
            if edge.target != key:
                yield replace(edge, origin=self._added.get((name_of(key), edge.text), ""))

    def _members(self, environment: str) -> Mapping[str, list[str]]:
        """Return what is installed in one environment: keys by name."""
        if environment not in self._known:
            keys = [item.key for item in self.lock.packages] if environment in (RUNTIME, TESTS) else []
            if environment == TESTS:
                keys += [reference.key for reference in (*self.lock.test_requires, *self.lock.dev_requires)]
            builder = self._local.get(environment) or self._distributions.get(environment)
            keys += [reference.key for reference in builder.build_requires] if builder else []
            table: dict[str, list[str]] = {}
            for key in keys:
                table.setdefault(name_of(key), []).append(key)
            self._known[environment] = table
        return self._known[environment]

    @cached_property
    def _known(self) -> dict[str, Mapping[str, list[str]]]:
        return {}

    @cached_property
    def _added(self) -> Mapping[tuple[str, str], str]:
        """Return where the project says that a distribution is built with a requirement, by both."""
        direct = self.lock.direct or ()
        return {(line.source, line.text): line.origin for line in direct if line.kind == "build"}

    @cached_property
    def _local(self) -> dict[str, LocalPackage]:
        return {item.name: item for item in self.lock.local}

    @cached_property
    def _distributions(self) -> dict[str, Distribution]:
        return {item.key: item for item in self.lock.distributions()}


@cache
def required_name(text: str) -> str:
    """Return the name in a requirement, nothing for a text that is none."""
    found = requirement_texts.parse(text)
    return normalize(found.name) if found else ""


def name_of(key: str) -> str:
    """Return the name in a key."""
    return key.partition("==")[0]
