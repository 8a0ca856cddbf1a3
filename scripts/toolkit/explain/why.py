"""The verb `why`: every chain of requirements that brings a distribution in."""

from __future__ import annotations

import difflib
import heapq
import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from toolkit.core.errors import UserError
from toolkit.model.lock import Lock
from toolkit.model.names import normalize
from toolkit.vendored.dependency_graph import RUNTIME, DependencyGraph, Edge, Place, name_of

Chain = tuple[Edge, ...]
Edges = Mapping[Place, Sequence[tuple[Edge, Place]]]
#: No more chains than this are counted: in a large lock there are millions.
COUNTED = 10_000
_ARROWS = {"runtime": "->", "build": "=>", "tests": "~>"}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The chains to one distribution of one lock, the shortest first; there are `more`, or (`many`) more than that."""

    key: str
    chains: tuple[Chain, ...]
    more: int = 0
    many: bool = False


def chains(graph: DependencyGraph, key: str) -> Iterator[Chain]:
    """Yield every chain from the root to `key`, the shortest first; none goes through a distribution twice."""
    distances = _distances(graph.edges, key)
    count = itertools.count()
    # By the least length that a chain can still have, and of equal ones the longest: the first is soon complete.
    heap: list[tuple[int, int, int, Chain, Place]] = [(0, 0, 0, (), Place(RUNTIME, graph.root))]
    while heap:
        _, _, _, chain, place = heapq.heappop(heap)
        if place.key == key:
            if chain:
                yield chain
            continue
        passed = {graph.root, *(edge.target for edge in chain)}
        for edge, target in graph.edges.get(place, ()):
            if target in distances and edge.target not in passed:
                length = len(chain) + 1
                entry = (length + distances[target], -length, next(count), (*chain, edge), target)
                heapq.heappush(heap, entry)


def _distances(edges: Edges, key: str) -> dict[Place, int]:
    """Return how far it is to `key` from the places that lead there."""
    sources: dict[Place, list[Place]] = {}
    for place, needed in edges.items():
        for _, target in needed:
            sources.setdefault(target, []).append(place)
    found = {place: 0 for place in sources if place.key == key}
    queue = deque(found)
    while queue:
        place = queue.popleft()
        for source in sources.get(place, ()):
            if source not in found:
                found[source] = found[place] + 1
                queue.append(source)
    return found


def ask(graph: DependencyGraph, name: str, limit: int) -> list[Answer]:
    """Return an answer for each version of a name that the lock holds, with at most `limit` chains (0: all)."""
    return [_answer(graph, key, limit) for key in graph.find(name)]


def _answer(graph: DependencyGraph, key: str, limit: int) -> Answer:
    # The same chain may be found in several environments.
    found = dict.fromkeys(itertools.islice(chains(graph, key), COUNTED + 1))
    ordered = sorted(found, key=lambda chain: (any(edge.kind != "runtime" for edge in chain), len(chain)))
    shown = ordered[: limit or COUNTED]
    return Answer(key=key, chains=tuple(shown), more=len(ordered) - len(shown), many=len(found) > COUNTED)


def text(everything: Sequence[DependencyGraph], name: str, limit: int) -> str:
    """Return the chains to a name from every service, as a person reads them.

    Raises `UserError` for a name that no lock holds.
    """
    answers = [(graph, answer) for graph in everything for answer in ask(graph, name, limit)]
    if not answers:
        raise _unknown(everything, name)
    lines = [line for graph, answer in answers for line in _lines(graph, answer)]
    kinds = {edge.kind for _, answer in answers for chain in answer.chains for edge in chain}
    if kinds - {"runtime"}:
        lines.append("-> needs, => is built with, ~> is tested or developed with")
    return "".join(f"{line}\n" for line in lines)


def _lines(graph: DependencyGraph, answer: Answer) -> Iterator[str]:
    yield _head(graph.lock, answer.key) + _needed_by(graph, answer.key)
    yield from (f"  {_line(chain)}" for chain in answer.chains)
    if not answer.chains:
        yield f"  {_unasked(graph, answer.key)}"
    if answer.more:
        number = f"{'more than ' if answer.many else ''}{answer.more}"
        yield f"  and {number} more chain{'s' if answer.more > 1 else ''}: CHAINS=all prints all"


def _head(lock: Lock, key: str) -> str:
    locked = {item.key: item for item in lock.distributions()}.get(key)
    if locked is None:
        path = next(item.path for item in lock.local if item.name == key)
        return f"{key}, a package of this project ({path}/), in {lock.service}"
    shipped = any(item.key == key for item in lock.packages)
    besides = {"for tests": lock.test_requires, "for developers": lock.dev_requires}
    parts = [part for part, references in besides.items() if any(reference.key == key for reference in references)]
    part = "shipped" if shipped else " and ".join(parts) or "only for builds"
    marker = f", only if {locked.marker}" if locked.marker else ""
    return f"{locked.name} {locked.version} in {lock.service}: {part}{marker}"


def _needed_by(graph: DependencyGraph, key: str) -> str:
    edges = {edge for needed in graph.edges.values() for edge, _ in needed if edge.target == key}
    names = {name_of(edge.source) for edge in edges if edge.source != graph.root}
    return f"; needed by {', '.join(sorted(names))}" if names else ""


def _line(chain: Chain) -> str:
    origin = chain[0].origin
    words = [f"{origin}:" if origin else chain[0].source.replace("==", " ")]
    for edge in chain:
        if edge.origin and edge is not chain[0]:
            words.append(f"({edge.origin})")
        arrow = [] if origin and edge is chain[0] else [_ARROWS[edge.kind]]
        words += [*arrow, edge.text]
    return " ".join(words)


def _unasked(graph: DependencyGraph, key: str) -> str:
    if key == graph.root:
        return "what the lock is made for"
    return "the lock holds it, but nothing in vendor/ or the requirements says what needs it"


def _unknown(everything: Iterable[DependencyGraph], name: str) -> UserError:
    known = {name_of(item.key) for graph in everything for item in graph.lock.distributions()}
    known |= {item.name for graph in everything for item in graph.lock.local}
    near = difflib.get_close_matches(normalize(name), sorted(known), n=3, cutoff=0.6)
    near += [other for other in sorted(known) if normalize(name) in other and other not in near][:3]
    hint = f"did you mean {' or '.join(near)}?" if near else "`make info` and vendor/pylock.*.toml say what is locked"
    return UserError(f"nothing locked is called {name}", hint)
