"""What `git fetch --depth` gets of a history."""

from __future__ import annotations

from toolkit.vendor_repository import trimming
from toolkit.vendor_repository.trimming import Revision


def graph(**parents: str) -> dict[str, Revision]:
    return {name: Revision(parents=tuple(text.split()), day="2026-01-01") for name, text in parents.items()}


LINE = graph(a="", b="a", c="b", d="c")


def test_a_depth_of_one_is_the_tips_alone() -> None:
    assert trimming.window(LINE, ["d", "b"], 1) == {"d", "b"}


def test_a_depth_counts_from_each_tip() -> None:
    assert trimming.window(LINE, ["d"], 3) == {"d", "c", "b"}


def test_a_history_that_is_shorter_is_all_kept() -> None:
    assert trimming.window(LINE, ["d"], 10) == LINE.keys()


def test_both_sides_of_a_merge_count() -> None:
    assert trimming.window(graph(a="", b="a", c="a", m="b c"), ["m"], 2) == {"m", "b", "c"}


def test_parents_that_are_not_there_end_it() -> None:
    assert trimming.window(graph(b="a", c="b"), ["c"], 5) == {"c", "b"}


def test_a_tip_that_is_near_to_another_gets_its_own_depth() -> None:
    assert trimming.window(LINE, ["d", "c"], 2) == {"d", "c", "b"}
