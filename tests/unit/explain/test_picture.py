"""The picture of a dependency graph: all that the lock holds is on it, and can be read."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from tests.unit.locks import needs
from toolkit.explain import picture

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def root() -> ElementTree.Element:
    return ElementTree.fromstring(picture.draw(needs()))


def nodes(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    return {
        str(group.findtext(f"{SVG}text")): group
        for group in root.iter(f"{SVG}g")
        if str(group.get("class")).startswith("node")
    }


def test_every_distribution_and_local_package_is_a_node_that_tells_what_it_is(root: ElementTree.Element) -> None:
    assert {name: str(group.get("class")).split()[1] for name, group in nodes(root).items()} == {
        "app": "local",
        "lib": "local",
        "web": "shipped",
        "wire": "shipped",
        "small": "shipped",
        "check": "tests",
        "maker": "build",
        "tool": "build",
    }


def test_the_tip_of_a_node_names_all_its_links_those_not_drawn_too(root: ElementTree.Element) -> None:
    tip = str(nodes(root)["wire"].findtext(f"{SVG}title"))
    assert tip.splitlines() == ["wire 1 · 1 kB", "needs: small", "is built with: maker", "needed by: web"]


def test_areas_are_in_proportion_to_sizes_and_the_smallest_is_seen() -> None:
    assert math.isclose(picture.radius(1_000_000, 4_000_000) ** 2 * 4, picture.radius(4_000_000, 4_000_000) ** 2)
    assert picture.radius(1, 4_000_000) > 2


def test_links_are_drawn_by_kind_and_what_follows_from_others_is_faint(root: ElementTree.Element) -> None:
    drawn = [str(path.get("class")) for path in root.iter(f"{SVG}path")]
    assert {"line runtime", "line build", "line tests", "line runtime faint"} <= set(drawn)


def test_the_head_counts_what_is_there(root: ElementTree.Element) -> None:
    assert root.findtext(f"{SVG}title") == (
        "app: 3 distributions shipped (4.0 MB), 1 more for tests and developers (1 kB), 2 more that only build (2 kB)"
    )


def test_no_text_lies_on_another_or_on_a_circle(root: ElementTree.Element) -> None:
    areas = [
        tuple(float(str(area.get(name))) for name in ("x", "y", "width", "height"))
        for area in root.iter(f"{SVG}rect")
        if area.get("class") == "area"
    ]
    for number, (x, y, width, height) in enumerate(areas):
        for other_x, other_y, other_width, other_height in areas[number + 1 :]:
            beside = x + width <= other_x or other_x + other_width <= x
            assert beside or y + height <= other_y or other_y + other_height <= y


def test_pointing_at_a_node_shows_its_links(root: ElementTree.Element) -> None:
    style = str(root.findtext(f"{SVG}style"))
    ends = {end for path in root.iter(f"{SVG}path") for end in re.findall(r"\b[st](\d+)", str(path.get("class")))}
    assert ends
    assert all(f"svg:has(#n{number}:hover) :is(.s{number},.t{number})" in style for number in ends)
