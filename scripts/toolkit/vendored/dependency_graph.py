"""Who needs whom: the distributions of a lock, joined by the direct requirements that brought each of them in.

What the vendored files say is read within the closures that the lock holds: a requirement leads to the version that is
locked for just that environment (the service's, that of its tests, or that of one build).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement

from toolkit.model import markers
from toolkit.model.lock import Distribution, LocalPackage, Lock
from toolkit.model.names import normalize
from toolkit.vendored.vendored_metadata import Said

Kind = Literal["runtime", "build", "tests"]
#: The environment of the service itself, and of its tests and developers; that of a build is called as what is built.
RUNTIME, TESTS = "", "tests"


@dataclass(frozen=True, kw_only=True)
class Edge:
    """`source` needs `target`, both `name==version`, or a local package's name.

    `text` is the requirement as it is written, empty where only the build backend, when run, asked for it; `origin` is
    `file:line` where a file of the project says it.
    """

    source: str
    target: str
    kind: Kind
    text: str = ""
    origin: str = ""


@dataclass(frozen=True)
class Place:
    """A node within one environment: what a requirement leads to depends on it."""

    environment: str
    key: str


@dataclass(kw_only=True)
class Needs:
    """The requirements of one lock: `said` by its distributions, `written` in files of the project.

    The source of a written edge is a local package; its target is a local package or any locked name.
    """

    lock: Lock
    said: Mapping[str, Said]
    written: tuple[Edge, ...] = ()

    @property
    def root(self) -> str:
        """Return the local package that the lock is of."""
        return self.lock.local[-1].name if self.lock.local else self.lock.service

    def find(self, name: str) -> list[str]:
        """Return the key of every locked distribution or local package of this name."""
        keys = [*(item.name for item in self.lock.local), *self._distributions]
        return [key for key in keys if name_of(key) == normalize(name)]

    @cached_property
    def edges(self) -> dict[Place, list[tuple[Edge, Place]]]:
        """Return, for every place that is reached from the root, what is needed there and where that leads."""
        found: dict[Place, list[tuple[Edge, Place]]] = {}
        stack = [Place(RUNTIME, self.root)]
        while stack:
            place = stack.pop()
            if place not in found:
                found[place] = list(self._from(place))
                stack += [target for _, target in found[place]]
        return found

    def _from(self, place: Place) -> Iterator[tuple[Edge, Place]]:
        if place.key in self._local:
            yield from self._from_local(place)
        else:
            said = self.said.get(place.key, Said())
            for edge in self._said(place, said.requires, "runtime"):
                yield edge, Place(place.environment, edge.target)
        for edge in self._builds(place.key):
            yield edge, Place(edge.source, edge.target)

    def _from_local(self, place: Place) -> Iterator[tuple[Edge, Place]]:
        for edge in self.written:
            if edge.source == place.key:
                environment = TESTS if edge.kind == "tests" else place.environment
                for key in self._members(environment).get(edge.target, [edge.target]):
                    if key in self._distributions or key in self._local:
                        target = Edge(
                            source=edge.source, target=key, kind=edge.kind, text=edge.text, origin=edge.origin
                        )
                        yield target, Place(environment, key)

    def _said(self, place: Place, texts: Iterable[str], kind: Kind) -> Iterator[Edge]:
        members = self._members(place.environment)
        for text in texts:
            requirement = parse(text)
            targets = members.get(normalize(requirement.name), []) if requirement else []
            if requirement and targets and self._holds(requirement.marker, self._extras.get(place.key, set())):
                for target in targets:
                    yield Edge(source=place.key, target=target, kind=kind, text=text)

    def _builds(self, key: str) -> list[Edge]:
        """Return what builds `key` directly: what its files name, and what else its environment holds unasked for."""
        members = {member for keys in self._members(key).values() for member in keys}
        named = list(self._said(Place(key, key), self.said.get(key, Said()).build, "build"))
        # A backend that builds itself asks for what it needs at run time: that it needs it says enough.
        reached = self._closed([Place(key, key), *(Place(key, edge.target) for edge in named)])
        for rest in sorted(members - reached):
            if rest not in reached:
                named.append(Edge(source=key, target=rest, kind="build"))
                reached |= self._closed([Place(key, rest)])
        return named

    def _closed(self, places: Iterable[Place]) -> set[str]:
        """Return what is needed at run time in one environment, beginning with some of it."""
        found: set[str] = set()
        stack = list(places)
        while stack:
            place = stack.pop()
            if place.key not in found:
                found.add(place.key)
                requires = self.said.get(place.key, Said()).requires
                stack += [Place(place.environment, edge.target) for edge in self._said(place, requires, "runtime")]
        return found

    def _holds(self, marker: Marker | None, extras: set[str]) -> bool:
        environments = markers.environments(str(marker or ""), self.lock.pythons, self.lock.platforms)
        return marker is None or any(
            marker.evaluate({**environment, "extra": extra}) for environment in environments for extra in ("", *extras)
        )

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
    def _local(self) -> dict[str, LocalPackage]:
        return {item.name: item for item in self.lock.local}

    @cached_property
    def _distributions(self) -> dict[str, Distribution]:
        return {item.key: item for item in self.lock.distributions()}

    @cached_property
    def _extras(self) -> dict[str, set[str]]:
        """Return the extras that are asked for, by key: one set for all environments."""
        texts = [("", text) for said in self.said.values() for text in said.build]
        texts += [(key, text) for key, said in self.said.items() for text in said.requires]
        wanted = [(key, found) for key, text in texts if (found := parse(text)) and found.extras]
        asked: dict[str, set[str]] = {}
        for edge in self.written:
            if found := parse(edge.text):
                asked.setdefault(name_of(edge.target), set()).update(found.extras)
        size = -1
        while size != sum(map(len, asked.values())):
            size = sum(map(len, asked.values()))
            for key, found in wanted:
                if self._holds(found.marker, asked.get(name_of(key), set())):
                    asked.setdefault(normalize(found.name), set()).update(found.extras)
        return {key: asked[name_of(key)] for key in self._distributions if name_of(key) in asked}


@cache
def parse(text: str) -> Requirement | None:
    """Return a requirement, or None for a text that is none: old metadata may hold anything."""
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def name_of(key: str) -> str:
    """Return the name in a key."""
    return key.partition("==")[0]
