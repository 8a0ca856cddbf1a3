"""`make why`: every chain, and a useful word where there is none."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

import why as verb
from tests.unit.locks import distribution, needs
from toolkit.core.errors import UserError
from toolkit.explain import why
from toolkit.vendored.dependency_graph import Edge, Needs
from toolkit.vendored.vendored_metadata import Said


def lines(name: str, limit: int = 0, item: Needs | None = None) -> list[str]:
    return why.text([item or needs()], name, limit).splitlines()


def test_every_chain_is_printed_the_shortest_first_with_the_lines_that_begin_it() -> None:
    assert lines("small") == [
        "small 1 in app: shipped; needed by web, wire",
        "  app/requirements.txt:1: lib[http] (lib/requirements.txt:3) -> web<2 -> Small ; python_version >= '3'",
        "  app/requirements.txt:1: lib[http] (lib/requirements.txt:3) -> web<2 -> wire>=1 -> small",
    ]


def test_builds_and_tests_are_told_apart_and_no_chain_goes_in_a_circle() -> None:
    assert lines("Tool") == [
        "tool 1 in app: only for builds; needed by maker",
        "  app/requirements.txt:1: lib[http] (lib/requirements.txt:3) -> web<2 -> wire>=1 => maker>0 -> tool",
        "-> needs, => is built with, ~> is tested or developed with",
    ]
    assert lines("check")[:2] == ["check 1 in app: for tests", "  app/test-requirements.txt:1: check"]


def test_a_long_answer_says_how_many_chains_it_leaves_out() -> None:
    assert lines("small", 1)[-1] == "  and 1 more chain: CHAINS=all prints all"


def crowd(layers: int, width: int) -> Needs:
    """Return layers of distributions, each of which needs all of the next: `width ** layers` chains."""
    names = [[f"d{layer}-{number}" for number in range(width)] for layer in range(layers)]
    said = {f"{name}==1": Said(requires=tuple(following)) for one, following in pairwise(names) for name in one}
    said |= {f"{name}==1": Said(requires=("end",)) for name in names[-1]}
    packages = tuple(distribution(name) for layer in (*names, ["end"]) for name in layer)
    written = tuple(Edge(source="app", target=name, kind="runtime", text=name) for name in names[0])
    lock = replace(needs().lock, packages=packages, local=needs().lock.local[1:], build_packages=(), test_requires=())
    return Needs(lock=lock, said=said, written=written)


def test_millions_of_chains_are_not_counted_to_the_end() -> None:
    assert lines("end", 5, crowd(7, 8))[-1] == f"  and more than {why.COUNTED - 4} more chains: CHAINS=all prints all"


def test_distributions_that_need_each_other_come_to_an_end() -> None:
    packages = (distribution("one"), distribution("two"))
    said = {"one==1": Said(requires=("two",)), "two==1": Said(requires=("one",))}
    written = (Edge(source="app", target="one", kind="runtime", text="one", origin="r.txt:1"),)
    lock = replace(needs().lock, packages=packages, build_packages=(), test_requires=())
    assert lines("two", item=Needs(lock=lock, said=said, written=written))[1:] == ["  r.txt:1: one -> two"]


def test_what_nothing_asks_for_and_the_service_itself_are_explained() -> None:
    lonely = replace(needs(), written=())
    assert lines("web", item=lonely)[1].endswith("nothing in vendor/ or the requirements says what needs it")
    assert lines("app") == ["app, a package of this project (app/), in app", "  what the lock is made for"]


def test_a_name_that_is_not_locked_brings_near_ones() -> None:
    with pytest.raises(UserError, match="nothing locked is called wirre") as caught:
        lines("wirre")
    assert caught.value.hint == "did you mean wire?"


@pytest.mark.parametrize("text", ["0", "-1", "many", ""])
def test_a_number_of_chains_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="CHAINS="):
        verb.parse_limit(text)


@pytest.mark.parametrize("words", [[], [""], ["a;b"], ["-x"], ["../x"]])
def test_a_name_that_can_be_none_is_refused(words: list[str]) -> None:
    with pytest.raises(UserError, match="NAME"):
        verb.main(["--", *words])
