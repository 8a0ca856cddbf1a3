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
