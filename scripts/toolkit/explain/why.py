"""The verb `why`: every chain of requirements that brings a distribution in."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from toolkit.explain import tree, unlocked
from toolkit.model.build_settings import BuildSettings
from toolkit.model.lock import Lock, Patch
from toolkit.model.names import normalize
from toolkit.vendored.dependency_graph import RUNTIME, DependencyGraph, Edge, Node, name_of

Chain = tuple[Edge, ...]
Edges = Mapping[Node, Sequence[tuple[Edge, Node]]]
#: How many chains are counted at most: in a large lock there are millions.
COUNTED = 10_000


def chains(graph: DependencyGraph, key: str) -> Iterator[Chain]:
    """Yield every chain from the root to `key`, the shortest first; none goes through a distribution twice."""
    distances = _distances(graph.edges, key)
    count = itertools.count()
    # By the least length that a chain can still have, and of equal ones the longest: the first is soon complete.
    heap: list[tuple[int, int, int, Chain, Node]] = [(0, 0, 0, (), Node(RUNTIME, graph.root))]
    while heap:
        _, _, _, chain, node = heapq.heappop(heap)
        if node.key == key:
            if chain:
                yield chain
            continue
        passed = {graph.root, *(edge.target for edge in chain)}
        for edge, target in graph.edges.get(node, ()):
            if target in distances and edge.target not in passed:
                length = len(chain) + 1
                entry = (length + distances[target], -length, next(count), (*chain, edge), target)
                heapq.heappush(heap, entry)


def _distances(edges: Edges, key: str) -> dict[Node, int]:
    """Return the length of the shortest chain to `key` from each node that leads there."""
    sources: dict[Node, list[Node]] = {}
    for node, outgoing in edges.items():
        for _, target in outgoing:
            sources.setdefault(target, []).append(node)
    found = {node: 0 for node in sources if node.key == key}
    queue = deque(found)
    while queue:
        node = queue.popleft()
        for source in sources.get(node, ()):
            if source not in found:
                found[source] = found[node] + 1
                queue.append(source)
    return found


def text(graphs: Sequence[DependencyGraph], name: str, limit: int) -> str:
    """Return the chains to a name from every service, as a person reads them (0: all of each).

    Where one has more than `limit`, one stands for all that end in the same way. Of a crate the distributions that are
    built from it. Raises `UserError` for a name that no lock holds.
    """
    # A lock may hold several versions of a name.
    found = [(graph, key, _sorted_chains(graph, key)) for graph in graphs for key in graph.find(name)]
    crates = [line for graph in graphs for line in _crate_lines(graph.lock, name)]
    if not found and not crates:
        raise unlocked.error(graphs, name)
    shown = limit or COUNTED
    lines = [line for graph, key, all_chains in found for line in _lines(graph, key, all_chains, shown)]
    kinds = {edge.kind for _, _, all_chains in found for chain in all_chains[:shown] for edge in chain}
    if kinds - {"runtime"}:
        lines.append(tree.LEGEND)
    return "".join(f"{line}\n" for line in (*lines, *crates))


def _crate_lines(lock: Lock, name: str) -> Iterator[str]:
    for crate in lock.crates:
        if normalize(crate.name) == normalize(name):
            owners = sorted(item.label for item in lock.built() if crate.key in item.crates)
            use = "a crate of" if crate.file else "a crate that no machine which is built for compiles, of"
            yield f"{crate.name} {crate.version} in {lock.service}: {use} {', '.join(owners)}"


def _sorted_chains(graph: DependencyGraph, key: str) -> list[Chain]:
    """Return the chains to `key`, at most one more than are counted: those of run time first, then the shortest."""
    # The same chain may be found in several environments.
    found = dict.fromkeys(itertools.islice(chains(graph, key), COUNTED + 1))
    return sorted(found, key=lambda chain: (any(edge.kind != "runtime" for edge in chain), len(chain)))


def _lines(graph: DependencyGraph, key: str, found: Sequence[Chain], shown: int) -> Iterator[str]:
    yield _head(graph.lock, key) + _needed_by(graph, key)
    yield from (f"  is built with {text}" for text in _settings(graph.lock, key).described())
    yield from (f"  is patched by {patch.path}" for patch in _patches(graph.lock, key))
    if not found:
        yield f"  {_reason_without_chain(graph, key)}"
    if len(found) <= shown:
        yield from (f"  {_line(chain)}" for chain in found)
        return
    # Of those that end in one way, the shortest stands for all.
    ends: dict[Edge, list[Chain]] = {}
    for chain in found:
        ends.setdefault(chain[-1], []).append(chain)
    for first, *others in ends.values():
        yield f"  {_line(first)}{f' (and {len(others)} more that end so)' if others else ''}"
    number = f"more than {COUNTED}" if len(found) > COUNTED else str(len(found))
    yield f"  {number} chains: CHAINS=all prints each, `make tree NAME={name_of(key)} INVERT=1` a tree"


def _head(lock: Lock, key: str) -> str:
    locked = {item.key: item for item in lock.distributions()}.get(key)
    if locked is None:
        path = next(item.path for item in lock.local if item.name == key)
        return f"{key}, a package of this project ({path}/), in {lock.service}"
    shipped = any(item.key == key for item in lock.packages)
    others = {"for tests": lock.test_requires, "for developers": lock.dev_requires}
    parts = [part for part, references in others.items() if any(reference.key == key for reference in references)]
    part = "shipped" if shipped else " and ".join(parts) or "only for builds"
    marker = f", only if {locked.marker}" if locked.marker else ""
    return f"{locked.name} {locked.version} in {lock.service}: {part}{marker}"


def _settings(lock: Lock, key: str) -> BuildSettings:
    everything = {
        **{item.name: item.settings for item in lock.local},
        **{d.key: d.settings for d in lock.distributions()},
    }
    return everything[key]


def _patches(lock: Lock, key: str) -> tuple[Patch, ...]:
    return next((item.patches for item in lock.distributions() if item.key == key), ())


def _needed_by(graph: DependencyGraph, key: str) -> str:
    edges = {edge for outgoing in graph.edges.values() for edge, _ in outgoing if edge.target == key}
    names = {name_of(edge.source) for edge in edges if edge.source != graph.root}
    return f"; needed by {', '.join(sorted(names))}" if names else ""


def _line(chain: Chain) -> str:
    origin = chain[0].origin
    words = [f"{origin}:" if origin else chain[0].source.replace("==", " ")]
    for edge in chain:
        if edge.origin and edge is not chain[0]:
            words.append(f"({edge.origin})")
        arrow = [] if origin and edge is chain[0] else [tree.ARROWS[edge.kind]]
        words += [*arrow, edge.text]
    return " ".join(words)


def _reason_without_chain(graph: DependencyGraph, key: str) -> str:
    if key == graph.root:
        return "what the lock is made for"
    return "the lock holds it, but nothing in vendor/ or the requirements says what needs it"
