"""The dependency graph of one lock as an SVG picture: what is shipped on the left, what only builds it on the right."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape

from toolkit.core.sizes import human
from toolkit.explain import layout, picture_style
from toolkit.explain.layout import Box, Layout, Link
from toolkit.model.lock import Crate
from toolkit.vendored.dependency_graph import DependencyGraph, Edge, name_of

_LARGEST, _SMALLEST = 24.0, 2.5
_MARGIN, _HEAD = 28.0, 104.0
#: Crates that a tip names: those with the largest files.
_NAMED_CRATES = 12


@dataclass(frozen=True, kw_only=True)
class Node:
    """One distribution or local package: its key, `part` (local, shipped, tests or build) and size in bytes.

    `crates` are those in vendor/ that it is compiled with. They are no nodes of their own, as there may be hundreds and
    who of them needs whom is nobody's choice: they make the distribution what it is, so they are a ring around it.
    """

    key: str
    part: str
    size: int
    note: str = ""
    crates: tuple[Crate, ...] = ()

    @property
    def label(self) -> tuple[str, str]:
        """Return the two lines beside the circle."""
        version = self.key.partition("==")[2]
        more = f" + {_counted(self.crates)}" if self.crates else ""
        return name_of(self.key), f"{version} · {human(self.size)}{self.note}{more}" if version else self.note

    @property
    def whole(self) -> int:
        """Return the size of all that it is made from."""
        return self.size + sum(map(_size, self.crates))


def draw(graph: DependencyGraph) -> str:
    """Return the picture as the text of an SVG file."""
    nodes = {node.key: node for node in _nodes(graph)}
    edges = {edge for outgoing in graph.edges.values() for edge, _ in outgoing if edge.source != edge.target}
    kinds = _kinds(edge for edge in edges if {edge.source, edge.target} <= nodes.keys())
    implied = _implied(kinds)
    # A build edge that follows from others has little meaning, and there are very many.
    links = {pair: kind for pair, kind in kinds.items() if pair not in implied or kind != "build"}
    largest = max((node.whole for node in nodes.values()), default=1)
    boxes = {key: _box(node, largest) for key, node in nodes.items()}
    placed = layout.arrange(
        boxes,
        [Link(source=s, target=t, kind=kind) for (s, t), kind in sorted(links.items())],
        late=[key for key, node in nodes.items() if node.part == "build"],
    )
    return "\n".join(_document(graph, nodes, kinds, implied, placed, largest)) + "\n"


def _nodes(graph: DependencyGraph) -> Iterator[Node]:
    lock = graph.lock
    shipped = {item.key for item in lock.packages}
    tests = {reference.key for reference in (*lock.test_requires, *lock.dev_requires)}
    for package in lock.local:
        yield Node(key=package.name, part="local", size=0, note=f"{package.path}/")
    for item in lock.distributions():
        part = "shipped" if item.key in shipped else "tests" if item.key in tests else "build"
        note = " wheel" if item.kind == "wheels" else ""
        size = max(file.size for file in item.files)
        yield Node(key=item.key, part=part, size=size, note=note, crates=lock.crates_of([item]))


def _kinds(edges: Iterable[Edge]) -> dict[tuple[str, str], str]:
    """Return the kind of each pair that has an edge; of several, runtime before tests before build."""
    order = {"runtime": 0, "tests": 1, "build": 2}
    found: dict[tuple[str, str], str] = {}
    for edge in sorted(edges, key=lambda edge: -order[edge.kind]):
        found[edge.source, edge.target] = edge.kind
    return found


def _implied(pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the pairs that follow from others: those that a transitive reduction leaves out."""
    following: dict[str, set[str]] = defaultdict(set)
    for left, right in pairs:
        following[left].add(right)
    reached = {name: _reachable(following, name) for name in list(following)}
    return {
        (left, right)
        for left, others in following.items()
        for right in others
        # Not along a circle through `left` itself.
        if any(right in reached.get(other, ()) and left not in reached.get(other, ()) for other in others - {right})
    }


def _reachable(following: Mapping[str, set[str]], name: str) -> set[str]:
    found: set[str] = set()
    stack = [name]
    while stack:
        new = following.get(stack.pop(), set()) - found
        found |= new
        stack += new
    return found


def _radius(node: Node, largest: int) -> float:
    return 5.0 if node.part == "local" else radius(node.whole, largest)


def radius(size: int, largest: int) -> float:
    """Return the radius of a circle whose area is in proportion to a size; very small ones can still be seen."""
    return max(_SMALLEST, _LARGEST * math.sqrt(size / max(largest, 1)))


def _box(node: Node, largest: int) -> Box:
    name, below = node.label
    text = max(picture_style.text_width(name, 12, bold=True), picture_style.text_width(below, 9))
    circle = 2 * _radius(node, largest)
    return Box(width=circle + 5 + text, height=max(circle, 25))


def _size(crate: Crate) -> int:
    return crate.file.size if crate.file else 0


def _counted(crates: Collection[Crate]) -> str:
    return f"{len(crates)} crate{'s' if len(crates) > 1 else ''} {human(sum(map(_size, crates)))}"


def _document(
    graph: DependencyGraph,
    nodes: Mapping[str, Node],
    kinds: Mapping[tuple[str, str], str],
    implied: set[tuple[str, str]],
    placed: Layout,
    largest: int,
) -> Iterator[str]:
    width, height = max(placed.width, 760) + 2 * _MARGIN, placed.height + _HEAD + _MARGIN
    numbers = {key: number for number, key in enumerate(nodes)}
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" font-family="{picture_style.FONT}">'
    )
    yield f"<title>{escape(f'{graph.lock.service}: {_summary(nodes)}')}</title>"
    yield f"<style>{picture_style.css(numbers.values())}</style>"
    yield '<rect class="paper" width="100%" height="100%"/>'
    yield from picture_style.heading(graph.lock.service, _summary(nodes), _MARGIN)
    used = {*(node.part for node in nodes.values()), *kinds.values()}
    used |= {"crates"} if any(node.crates for node in nodes.values()) else set()
    scale = [(human(size).replace(".0 ", " "), radius(size, largest)) for size in _scale(largest)]
    yield from picture_style.legend(_MARGIN, 78, used, scale)
    yield f'<g transform="translate({_MARGIN:.0f} {_HEAD:.0f})">'
    yield from _lines(placed, numbers, implied)
    for key, node in nodes.items():
        yield _drawn(node, placed.boxes[key], numbers[key], _tip(key, node, kinds), largest)
    yield "</g></svg>"


def _summary(nodes: Mapping[str, Node]) -> str:
    words = {"shipped": "shipped", "tests": "more for tests and developers", "build": "more that only build"}
    parts = {part: [node.size for node in nodes.values() if node.part == part] for part in words}
    told = [
        f"{len(sizes)} {'distributions ' if part == 'shipped' else ''}{words[part]} ({human(sum(sizes))})"
        for part, sizes in parts.items()
        if sizes
    ]
    # Several may be compiled with the same one.
    crates = {crate.key: crate for node in nodes.values() for crate in node.crates}
    told += [f"{len(crates)} crates ({human(sum(map(_size, crates.values())))})"] if crates else []
    return ", ".join(told)


def _scale(largest: int) -> list[int]:
    """Return the sizes that the legend shows: the largest, and the powers of ten below it."""
    powers = [10**exponent for exponent in range(4, 10) if 10**exponent < largest * 0.7]
    return [*powers[-2:], largest]


def _lines(placed: Layout, numbers: Mapping[str, int], implied: set[tuple[str, str]]) -> Iterator[str]:
    """Yield each stretch of line once, though links share many, then every link whole, to be seen on hover."""
    drawn: set[tuple[str, str, str]] = set()
    whole = []
    for link, steps in placed.routes.items():
        faint = " faint" if (link.source, link.target) in implied else ""
        parts = list(_curves(steps, link in placed.reversed, placed.boxes[link.source], placed.boxes[link.target]))
        for part in parts:
            entry = (part, link.kind, faint)
            if entry not in drawn and (part, link.kind, "") not in drawn:
                drawn.add(entry)
                yield f'<path class="line {link.kind}{faint}" d="{part}"/>'
        ends = f"s{numbers[link.source]} t{numbers[link.target]}"
        whole.append(f'<path class="whole {link.kind} {ends}" d="{" ".join(parts)}"/>')
    yield from whole


def _curves(steps: Iterable[layout.Step], is_reversed: bool, source: Box, target: Box) -> Iterator[str]:
    """Yield the stretches of a link: across gaps in curves, through columns in straight lines."""
    left = target if is_reversed else source
    x, y = left.x + left.width + 3, left.middle
    for start, start_y, end, end_y in steps:
        if start > x:
            yield f"M{x:.1f} {y:.1f}H{start:.1f}"
        middle = (start + end) / 2
        yield f"M{start:.1f} {start_y:.1f}C{middle:.1f} {start_y:.1f} {middle:.1f} {end_y:.1f} {end:.1f} {end_y:.1f}"
        x, y = end, end_y
    if is_reversed:
        yield f"M{left.x + left.width + 10:.1f} {left.middle - 3.5:.1f}l-6 3.5l6 3.5"


def _drawn(node: Node, box: Box, number: int, tip: str, largest: int) -> str:
    size = _radius(node, largest)
    x, text = box.x + size, box.x + 2 * size + 5
    name, below = node.label
    circle = f'<circle cx="{x:.1f}" cy="{box.middle:.1f}" '
    shape = f'{circle}r="{radius(node.size, largest):.1f}"/>'
    if node.crates:
        shape = f'{circle}r="{size:.1f}" class="crates"/>{shape}'
    if node.part == "local":
        shape = picture_style.square(x, box.middle)
    return (
        f'<g id="n{number}" class="node {node.part}"><title>{escape(tip)}</title>'
        f'<rect class="area" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"/>{shape}'
        f'<text class="name" x="{text:.1f}" y="{box.middle - 1:.1f}">{escape(name)}</text>'
        f'<text class="below" x="{text:.1f}" y="{box.middle + 9.5:.1f}">{escape(below)}</text></g>'
    )


def _tip(key: str, node: Node, kinds: Mapping[tuple[str, str], str]) -> str:
    """Return what is shown while the pointer rests on a node: all its links, those that are not drawn too."""
    words = {"runtime": "needs", "build": "is built with", "tests": "is tested or developed with"}
    lines = [" ".join((*node.label,))]
    for kind, verb in words.items():
        targets = sorted(name_of(t) for (s, t), found in kinds.items() if s == key and found == kind)
        lines += [f"{verb}: {', '.join(targets)}"] if targets else []
    if node.crates:
        first = sorted(node.crates, key=_size, reverse=True)[:_NAMED_CRATES]
        more = len(node.crates) - len(first)
        names = ", ".join(f"{crate.name} {crate.version}" for crate in first)
        lines.append(f"compiles: {names}{f' and {more} more crates' if more else ''}")
    sources = sorted(name_of(s) for s, t in kinds if t == key)
    return "\n".join([*lines, *([f"needed by: {', '.join(sources)}"] if sources else [])])
