"""Of what distributions ask for, the lock keeps what counts on its targets."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.locks import distribution, line, lock_of
from toolkit.vendoring import direct_requirements


def kept(*requires: str, asked: str = "web", builds: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return what is kept of the requirements of `web`; `fast`, `slow` and `small` are locked too."""
    web = replace(distribution("web"), requires=requires)
    others = (replace(distribution("small"), build_dependencies=builds), distribution("fast"), distribution("slow"))
    direct = (line("app", "web", asked, "r.txt:1"),)
    lock = lock_of(web, *others, direct=direct)
    return direct_requirements.in_force(lock).packages[0].requires


def test_a_requirement_whose_marker_holds_nowhere_or_that_is_not_locked_is_left_out() -> None:
    assert kept("Small>1", "slow ; python_version < '3'", "gone") == ("Small>1",)


def test_an_extra_counts_only_where_it_is_asked_for() -> None:
    requires = ("fast ; extra == 'quick'", "slow ; extra == 'lazy'", "web[lazy] ; extra == 'x'")
    assert kept(*requires) == ()
    assert kept(*requires, asked="web[quick]") == ("fast ; extra == 'quick'",)
    assert kept(*requires, asked="web[x]")[:1] == ("slow ; extra == 'lazy'",)
    assert kept(*requires, builds=("web[quick]",)) == ("fast ; extra == 'quick'",)


def test_of_what_builds_a_distribution_that_counts_which_holds_and_is_locked() -> None:
    web = replace(distribution("web"), build_dependencies=("small", "small ; python_version < '3'", "gone"))
    lock = lock_of(web, distribution("small"), direct=())
    assert direct_requirements.in_force(lock).packages[0].build_dependencies == ("small",)


def test_what_is_not_a_requirement_is_passed_over() -> None:
    assert kept("what (is) this?", "small") == ("small",)
