"""Circles of build requirements."""

from __future__ import annotations

import pytest

from toolkit.core import cycles


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        ({}, []),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, []),
        ({"a": ["a"]}, ["a", "a"]),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, ["b", "c", "b"]),
        ({"a": ["absent"]}, []),
    ],
)
def test_a_circle_is_told_without_the_way_to_it(requires: dict[str, list[str]], expected: list[str]) -> None:
    assert cycles.find(requires) == expected


@pytest.mark.parametrize(
    ("requires", "lines"),
    [
        ({"a==1": ["a==1"]}, "the line a to"),
        # Either would end it, but for one of them another circle is left.
        ({"s==1": ["w==1"], "w==1": ["s==1", "w==1"]}, "the line w to"),
        ({"a==1": ["b==1"], "b==1": ["a==1"], "c==1": ["c==1"]}, "the lines a and c to"),
        ({}, "the line x to"),
    ],
)
def test_the_hint_ends_all_circles(requires: dict[str, list[str]], lines: str) -> None:
    keys = cycles.find(requires) or ["x==1", "y==1", "x==1"]
    assert f"add {lines} vendor.txt" in cycles.error(keys, requires).hint


def test_only_what_has_wheels_is_named() -> None:
    requires = {"a==1": ["b==1"], "b==1": ["c==1"], "c==1": ["a==1"]}
    circle = cycles.find(requires)
    assert "add the line b to vendor.txt" in cycles.error(circle, requires, {"b==1"}.__contains__).hint
    assert "no index has wheels" in cycles.error(circle, requires, lambda _: False).hint
