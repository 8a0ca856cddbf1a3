"""A layered drawing of a graph, from left to right: where each box goes, and which ways its links take.

The method is that of Sugiyama, Tagawa and Toda (1981): layers by the longest path, an order within each that has few
crossings (barycentres), then coordinates. Links to one target that pass a layer share a lane through it, so that many
links to one box are one line with branches.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SWEEPS = 24
_LANE = 7.0
_ROUNDS = 12
#: A lane that bends is harder to follow than a link to a box.
_STRAIGHT = 6.0
_MARGIN = 6.0


@dataclass(frozen=True, kw_only=True)
class Link:
    """From `source` to `target`; links to one target share lanes when they are of one `kind`."""

    source: str
    target: str
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle: its upper left corner and its size."""

    x: float = 0
    y: float = 0
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Return the height at which links arrive and leave."""
        return self.y + self.height / 2


@dataclass(frozen=True)
class Item:
    """What takes room in a layer: a box (`kind` is None), or the lane of links of a kind to a box."""

    name: str
    layer: int
    kind: str | None = None


#: From one layer to the next: where a link leaves the one (x, y), and where it arrives at the other.
Step = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Boxes at their places, and for each link its steps from left to right, with a straight line between two.

    `reversed` are the links that run from right to left: their steps begin at the target.
    """

    boxes: Mapping[str, Box]
    routes: Mapping[Link, tuple[Step, ...]]
    reversed: frozenset[Link]
    layers: Mapping[str, int]
    width: float
    height: float


def arrange(boxes: Mapping[str, Box], links: Collection[Link], late: Collection[str] = ()) -> Layout:
    """Return where everything goes; boxes of `late` come to the right of all others. Circles are broken somewhere."""
    drawing = _Drawing(boxes, links, late)
    drawing.order()
    return drawing.place()


class _Drawing:
    def __init__(self, boxes: Mapping[str, Box], links: Collection[Link], late: Collection[str]) -> None:
        self.boxes = boxes
        pairs = {link: _pair(link, late) for link in links if link.source != link.target}
        backward = _backward(boxes, pairs.values())
        self.pairs = {link: pair[::-1] if pair in backward else pair for link, pair in pairs.items()}
        self.layers = _layers(boxes, self.pairs.values(), late)
        self.columns: list[list[Item]] = [[] for _ in range(max(self.layers.values(), default=-1) + 1)]
        for name, layer in self.layers.items():
            self.columns[layer].append(Item(name, layer))
        self.ways = {link: self._way(link) for link in self.pairs}
        self.steps = {step for way in self.ways.values() for step in pairwise(way)}

    def _way(self, link: Link) -> list[Item]:
        """Return the items that a link passes, from left to right; its lanes become items of their columns."""
        left, right = self.pairs[link]
        lanes = [Item(right, layer, link.kind) for layer in range(self.layers[left] + 1, self.layers[right])]
        for lane in lanes:
            if lane not in self.columns[lane.layer]:
                self.columns[lane.layer].append(lane)
        return [Item(left, self.layers[left]), *lanes, Item(right, self.layers[right])]

    def order(self) -> None:
        """Order each column so that few links cross: sweeps to and fro, of which the best result is kept."""
        best, least = [list(column) for column in self.columns], self._crossings()
        for sweep in range(_SWEEPS):
            forward = sweep % 2 == 0
            beside = self._beside(forward=forward)
            for column in self.columns if forward else reversed(self.columns):
                place = {item: rank for other in self.columns for rank, item in enumerate(other)}
                centre = {item: _mean([place[n] for n in beside[item]], place[item]) for item in column}
                column.sort(key=centre.__getitem__)
            crossings = self._crossings()
            if crossings < least:
                best, least = [list(column) for column in self.columns], crossings
        self.columns = best

    def _beside(self, *, forward: bool) -> Mapping[Item, list[Item]]:
        found: dict[Item, list[Item]] = defaultdict(list)
        for left, right in sorted(self.steps, key=str):
            if forward:
                found[right].append(left)
            else:
                found[left].append(right)
        return found

    def _crossings(self) -> int:
        rank = {item: number for column in self.columns for number, item in enumerate(column)}
        gaps: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for left, right in self.steps:
            gaps[left.layer].append((rank[left], rank[right]))
        return sum(_inversions(pairs) for pairs in gaps.values())

    def place(self) -> Layout:
        """Give everything its coordinates."""
        height = self._heights()
        tops = {item: y - self._room(item) / 2 for item, y in height.items()}
        top = min(tops.values(), default=0)
        lefts, rights = self._sides()
        boxes = {
            name: Box(
                x=lefts[layer],
                y=height[Item(name, layer)] - self.boxes[name].height / 2 - top,
                width=self.boxes[name].width,
                height=self.boxes[name].height,
            )
            for name, layer in self.layers.items()
        }
        routes = {
            link: tuple(
                (rights[one.layer], height[one] - top, lefts[two.layer], height[two] - top)
                for one, two in pairwise(way)
            )
            for link, way in self.ways.items()
        }
        return Layout(
            boxes=boxes,
            routes=routes,
            layers=self.layers,
            width=max(rights, default=0),
            reversed=frozenset(link for link, pair in self.pairs.items() if pair != (link.source, link.target)),
            height=max((y + self._room(item) / 2 for item, y in height.items()), default=0) - top,
        )

    def _room(self, item: Item) -> float:
        return _LANE if item.kind is not None else self.boxes[item.name].height + _MARGIN

    def _heights(self) -> dict[Item, float]:
        """Return the height of each item's middle: near those it is linked to, in order, and nothing overlapping."""
        height: dict[Item, float] = {}
        for column in self.columns:
            height |= self._apart(column, dict.fromkeys(column, 0.0), {})
        for turn in range(_ROUNDS):
            forward = turn % 2 == 0
            sides = [self._beside(forward=forward), self._beside(forward=not forward)]
            for column in self.columns if forward else reversed(self.columns):
                near = {item: [other for side in sides for other in side[item]] for item in column}
                ideal = {item: _mean([height[other] for other in near[item]], height[item]) for item in column}
                height |= self._apart(column, ideal, near)
        return height

    def _apart(
        self, column: Sequence[Item], ideal: Mapping[Item, float], near: Mapping[Item, Sequence[Item]]
    ) -> dict[Item, float]:
        """Return the heights nearest to the ideal ones that keep the order and the room of each."""
        offsets, used = [], 0.0
        for item in column:
            offsets.append(used + self._room(item) / 2)
            used += self._room(item)
        weights = [_STRAIGHT if item.kind is not None else 1.0 + len(near.get(item, ())) / 4 for item in column]
        free = _isotonic([ideal[item] - offset for item, offset in zip(column, offsets, strict=True)], weights)
        return {item: y + offset for item, y, offset in zip(column, free, offsets, strict=True)}

    def _sides(self) -> tuple[list[float], list[float]]:
        """Return where each column begins and ends; the more links between two, the wider their gap."""
        lefts, rights, x = [], [], 0.0
        for layer, column in enumerate(self.columns):
            lefts.append(x)
            rights.append(x + max((self.boxes[item.name].width for item in column if item.kind is None), default=0))
            links = sum(1 for left, _ in self.steps if left.layer == layer)
            x = rights[-1] + min(36 + 1.2 * links, 100)
        return lefts, rights


def _pair(link: Link, late: Collection[str]) -> tuple[str, str]:
    against = link.source in late and link.target not in late
    return (link.target, link.source) if against else (link.source, link.target)


def _backward(names: Iterable[str], pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the pairs that close a circle, as a search in depth meets them."""
    following: dict[str, list[str]] = defaultdict(list)
    for left, right in sorted(set(pairs)):
        following[left].append(right)
    finished: set[str] = set()
    found: set[tuple[str, str]] = set()
    for name in names:
        path: dict[str, None] = {}
        stack = [(name, False)]
        while stack:
            current, is_done = stack.pop()
            if is_done:
                del path[current]
                finished.add(current)
            elif current not in finished and current not in path:
                path[current] = None
                stack.append((current, True))
                found |= {(current, other) for other in following[current] if other in path}
                stack += [(other, False) for other in following[current] if other not in path]
    return found


def _layers(names: Iterable[str], pairs: Iterable[tuple[str, str]], late: Collection[str]) -> dict[str, int]:
    """Return the layer of each name: one beyond the last of those before it."""
    before: dict[str, set[str]] = {name: set() for name in names}
    for left, right in pairs:
        before[right].add(left)
    layers: dict[str, int] = {}
    for part in ([name for name in before if name not in late], [name for name in before if name in late]):
        first = max(layers.values(), default=-1) + 1
        waiting = part
        while waiting:
            ready = [name for name in waiting if before[name] <= layers.keys()]
            layers |= {name: max([first, *(layers[other] + 1 for other in before[name])]) for name in ready}
            waiting = [name for name in waiting if name not in layers]
    return layers


def _inversions(pairs: Iterable[tuple[int, int]]) -> int:
    seen: list[int] = []
    count = 0
    for _, right in sorted(pairs):
        count += len(seen) - bisect_right(seen, right)
        insort(seen, right)
    return count


def _isotonic(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the nearest values (least squares) that never fall: neighbours that would are pooled (PAVA)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        pools.append((value, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (one, light, few), (two, heavy, many) = pools[-2:]
            pools[-2:] = [((one * light + two * heavy) / (light + heavy), light + heavy, few + many)]
    return [value for value, _, count in pools for _ in range(count)]


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
