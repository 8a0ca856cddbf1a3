"""The picture of a dependency graph: all that the lock holds is on it, and can be read."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tests.unit.locks import distribution, lock_of, needs
from toolkit.explain import picture
from toolkit.model.crates import CRATES_IO
from toolkit.model.lock import Crate, VendoredFile
from toolkit.vendored.dependency_graph import DependencyGraph

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


def with_crates(*sizes: int) -> DependencyGraph:
    """Return a service of two distributions that are compiled with the same crates, one of which has no file."""
    crates = [
        Crate(name=f"c{number}", version="1.0.0", sha256="0" * 64, source=CRATES_IO, file=file)
        for number, size in enumerate(sizes)
        for file in [VendoredFile(name=f"c{number}-1.0.0.crate", size=size, sha256="0" * 64) if size else None]
    ]
    keys = tuple(crate.key for crate in crates)
    rusty, other = (replace(distribution(name, size=1_000_000), rust=True, crates=keys) for name in ("rusty", "other"))
    return DependencyGraph(lock=lock_of(rusty, other, crates=tuple(crates)))


def test_crates_are_a_ring_around_what_is_compiled_with_them() -> None:
    root = ElementTree.fromstring(picture.draw(with_crates(0, 2_000_000, 1_000_000)))
    node = nodes(root)["rusty"]
    assert [text.text for text in node.iter(f"{SVG}text")] == ["rusty", "1 · 1.0 MB + 2 crates 3.0 MB"]
    outer, inner = node.iter(f"{SVG}circle")
    # The area of the ring and the circle in it is that of all files.
    assert outer.get("class") == "crates" and not inner.get("class")
    assert math.isclose(float(str(outer.get("r"))), 2 * float(str(inner.get("r"))), rel_tol=0.01)
    assert str(node.findtext(f"{SVG}title")).splitlines()[1] == "compiles: c1 1.0.0, c2 1.0.0"
    # What both are compiled with is there once.
    assert str(root.findtext(f"{SVG}title")).endswith("(2.0 MB), 2 crates (3.0 MB)")
    assert "crates of Rust" in "".join(root.itertext())


def test_of_hundreds_of_crates_the_largest_are_named() -> None:
    root = ElementTree.fromstring(picture.draw(with_crates(*range(1, 381))))
    tip = str(nodes(root)["rusty"].findtext(f"{SVG}title"))
    assert "380 crates" in tip and "compiles: c379 1.0.0, c378" in tip and tip.endswith("and 368 more crates")


def test_where_nothing_is_compiled_no_crates_are_explained(root: ElementTree.Element) -> None:
    assert "crates" not in "".join(root.itertext()).replace("circle.crates", "")
