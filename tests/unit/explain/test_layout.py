"""Layered drawings: nothing overlaps, everything flows to the right, and circles do no harm."""

from __future__ import annotations

import itertools
import random

import pytest

from toolkit.explain import layout
from toolkit.explain.layout import Box, Layout, Link


def graph(seed: int, count: int = 50) -> tuple[dict[str, Box], list[Link], list[str]]:
    """Return boxes of many sizes, links in any direction, and those boxes that come last."""
    chance = random.Random(seed)
    names = [f"n{number}" for number in range(count)]
    boxes = {name: Box(width=chance.randint(20, 180), height=chance.randint(10, 60)) for name in names}
    links = [
        Link(source=chance.choice(names), target=chance.choice(names), kind=chance.choice("ab"))
        for _ in range(count * 3)
    ]
    return boxes, links, names[count * 2 // 3 :]


def overlap(one: Box, two: Box) -> bool:
    return (
        one.x < two.x + two.width
        and two.x < one.x + one.width
        and one.y < two.y + two.height
        and two.y < one.y + one.height
    )


@pytest.mark.parametrize("seed", range(8))
def test_no_two_boxes_overlap_and_all_are_on_the_paper(seed: int) -> None:
    boxes, links, late = graph(seed)
    placed = layout.arrange(boxes, links, late)
    assert placed.boxes.keys() == boxes.keys()
    assert not [pair for pair in itertools.combinations(placed.boxes.values(), 2) if overlap(*pair)]
    for box in placed.boxes.values():
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= placed.width + 0.01
        assert box.y + box.height <= placed.height + 0.01


def crossed(placed: Layout, link: Link) -> list[str]:
    """Return the boxes that the straight stretches of a link run through, its own ends aside."""
    steps = placed.routes[link]
    lanes = [(one[2], two[0], one[3]) for one, two in itertools.pairwise(steps)]
    return [
        name
        for name, box in placed.boxes.items()
        for start, end, y in lanes
        if start < box.x + box.width and end > box.x and box.y < y < box.y + box.height
    ]


@pytest.mark.parametrize("seed", range(4))
def test_no_link_runs_through_a_box(seed: int) -> None:
    placed = layout.arrange(*graph(seed))
    assert [link for link in placed.routes if crossed(placed, link)] == []


@pytest.mark.parametrize("seed", range(4))
def test_links_run_from_left_to_right_but_for_those_that_are_said_to_be_reversed(seed: int) -> None:
    boxes, links, late = graph(seed)
    placed = layout.arrange(boxes, links, late)
    assert placed.routes.keys() == {link for link in links if link.source != link.target}
    for link in placed.routes:
        ends = (link.target, link.source) if link in placed.reversed else (link.source, link.target)
        assert placed.layers[ends[0]] < placed.layers[ends[1]]
    last = max(placed.layers[name] for name in boxes if name not in late)
    assert all(placed.layers[name] > last for name in late)


def test_a_chain_is_a_straight_line() -> None:
    boxes = {name: Box(width=10, height=10) for name in "abc"}
    placed = layout.arrange(boxes, [Link(source="a", target="b"), Link(source="b", target="c")])
    assert len({round(box.middle, 3) for box in placed.boxes.values()}) == 1


def test_crossings_that_need_not_be_are_not_there() -> None:
    names = ["root", *"abcd", *"ABCD"]
    links = [Link(source="root", target=name) for name in "abcd"]
    links += [Link(source=name, target=name.upper()) for name in "dbca"]
    placed = layout.arrange({name: Box(width=10, height=10) for name in names}, links)
    assert sorted("abcd", key=lambda name: placed.boxes[name].y) == [
        name.lower() for name in sorted("ABCD", key=lambda name: placed.boxes[name].y)
    ]


def test_the_same_graph_is_drawn_the_same() -> None:
    boxes, links, late = graph(3)
    assert layout.arrange(boxes, links, late) == layout.arrange(boxes, list(links), late)


def test_nothing_is_drawn_as_nothing() -> None:
    assert layout.arrange({}, []).width == 0
