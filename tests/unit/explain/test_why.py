"""`make why`: every chain, and a useful word where there is none."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from tests.unit.locks import distribution, line, lock_of, needs
from toolkit.core.errors import UserError
from toolkit.explain import why
from toolkit.model.crates import CRATES_IO
from toolkit.model.lock import Crate, LocalPackage, VendoredFile
from toolkit.vendored.dependency_graph import DependencyGraph
from toolkit.verbs import command_line, explaining


def lines(name: str, limit: int = 0, item: DependencyGraph | None = None) -> list[str]:
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


def test_a_crate_is_told_with_what_is_built_from_it() -> None:
    lock = needs().lock
    file = VendoredFile(name="some_crate-1.0.0.crate", size=1, sha256="c" * 64)
    some = Crate(name="some_crate", version="1.0.0", sha256="c" * 64, source=CRATES_IO, file=file)
    web, wire, *others = lock.packages
    both = (replace(item, crates=("far==2.0.0", some.key)) for item in (web, wire))
    far = replace(some, name="far", version="2.0.0", file=None, index_line="{}")
    graph = DependencyGraph(lock=replace(lock, packages=(*both, *others), crates=(far, some)))
    assert lines("some-crate", item=graph) == ["some_crate 1.0.0 in app: a crate of web 1, wire 1"]
    assert lines("far", item=graph) == [
        "far 2.0.0 in app: a crate that no machine which is built for compiles, of web 1, wire 1"
    ]


def test_of_a_long_answer_one_chain_stands_for_all_that_end_in_the_same_way() -> None:
    small = distribution("small")
    web = replace(distribution("web"), requires=("small",))
    direct = (line("app", "web", "web", "r:1"), line("app", "end", "end", "r:2"))
    end = replace(distribution("end"), requires=("web", "small>0"))
    local = (LocalPackage(name="app", path="app"),)
    graph = DependencyGraph(lock=lock_of(small, web, end, local=local, direct=direct))
    assert lines("small", 2, graph) == [
        "small 1 in app: shipped; needed by end, web",
        "  r:1: web -> small (and 1 more that end so)",
        "  r:2: end -> small>0",
        "  3 chains: CHAINS=all prints each, `make tree NAME=small INVERT=1` a tree",
    ]


def crowd(layers: int, width: int) -> DependencyGraph:
    """Return layers of distributions, each of which needs all of the next: `width ** layers` chains."""
    names = [[f"d{layer}-{number}" for number in range(width)] for layer in range(layers)]
    packages = tuple(
        replace(distribution(name), requires=tuple(following))
        for one, following in pairwise([*names, ["end"]])
        for name in one
    )
    written = tuple(line("app", name, name, "app/requirements.txt:1") for name in names[0])
    held = replace(needs().lock, packages=(*packages, distribution("end")), direct=written)
    return DependencyGraph(lock=replace(held, local=held.local[1:], build_packages=(), test_requires=()))


def test_millions_of_chains_are_not_counted_to_the_end() -> None:
    assert lines("end", 5, crowd(7, 8))[-1].startswith(f"  more than {why.COUNTED} chains: CHAINS=all")


def test_distributions_that_need_each_other_come_to_an_end() -> None:
    packages = (replace(distribution("one"), requires=("two",)), replace(distribution("two"), requires=("one",)))
    written = (line("app", "one", "one", "r.txt:1"),)
    lock = replace(needs().lock, packages=packages, build_packages=(), test_requires=(), direct=written)
    assert lines("two", item=DependencyGraph(lock=lock))[1:] == ["  r.txt:1: one -> two"]


def test_what_the_project_asks_for_itself_is_direct_though_others_need_it_too() -> None:
    written = (line("app", "web", "web", "r.txt:1"), line("app", "small", "small", "r.txt:2"))
    lock = replace(needs().lock, direct=written, local=needs().lock.local[1:])
    assert lines("small", item=DependencyGraph(lock=lock))[1] == "  r.txt:2: small"


def test_what_nothing_asks_for_and_the_service_itself_are_explained() -> None:
    lonely = DependencyGraph(lock=replace(needs().lock, direct=()))
    assert lines("web", item=lonely)[1].endswith("nothing in vendor/ or the requirements says what needs it")
    assert lines("app") == ["app, a package of this project (app/), in app", "  what the lock is made for"]


def test_a_name_that_is_not_locked_brings_near_ones() -> None:
    with pytest.raises(UserError, match="nothing locked is called wirre") as caught:
        lines("wirre")
    assert caught.value.hint == "did you mean wire?"


@pytest.mark.parametrize("text", ["0", "-1", "many", ""])
def test_a_number_of_chains_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="CHAINS="):
        explaining.parse_limit(text)


@pytest.mark.parametrize("words", [[], [""], ["a;b"], ["-x"], ["../x"]])
def test_a_name_that_can_be_none_is_refused(words: list[str]) -> None:
    with pytest.raises(UserError, match="NAME"):
        command_line.main(["why", "--", *words])
