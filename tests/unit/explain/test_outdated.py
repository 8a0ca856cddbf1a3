"""`make outdated`: what the rows say, and how they read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from packaging.version import Version

from tests.unit.locks import distribution, needs
from toolkit.explain import outdated, releases
from toolkit.explain.outdated import Row
from toolkit.explain.releases import Release
from toolkit.model.lock import Distribution, Lock
from toolkit.model.pins import RemoteFile
from toolkit.network import index_pages
from toolkit.vendored.dependency_graph import DependencyGraph


def release(version: str, *, has_source: bool = True, requires_python: str = "") -> Release:
    return Release(version=Version(version), has_source=has_source, requires_python=requires_python)


NEWEST = {name: release("1") for name in ("web", "wire", "small", "maker", "tool", "check")}


def moved(item: Lock, name: str, version: str) -> Lock:
    def one(found: Distribution) -> Distribution:
        return replace(found, version=version) if found.name == name else found

    return replace(item, packages=tuple(map(one, item.packages)), build_packages=tuple(map(one, item.build_packages)))


def shown(found: Iterable[Row]) -> list[tuple[str, str, str]]:
    return [(row.name, ", ".join(map(str, row.allowed or ())), str(row.newest)) for row in found]


def test_what_is_the_newest_is_no_row() -> None:
    item = needs()
    assert outdated.rows([item], [item.lock], NEWEST) == []
    assert outdated.text([], [item]) == "all 6 distributions are the newest there are\n"


def test_within_and_beyond_the_requirements_are_told_apart_with_what_holds_a_release() -> None:
    item = needs()
    newest = NEWEST | {"web": release("2"), "maker": release("3", has_source=False)}
    found = outdated.rows([item], [moved(item.lock, "maker", "3")], newest)
    assert outdated.text(found, [item]).splitlines() == [
        "shipped          locked  allowed  newest",
        "  web            1       1        2       held by lib/requirements.txt:3: web<2",
        "only for builds  locked  allowed  newest",
        "  maker          1       3        3       the newest has no sdist",
        "2 of 6 have newer releases; `make vendor UPGRADE=all` moves 1",
    ]


def test_an_interpreter_that_a_release_is_not_for_is_what_holds_it() -> None:
    item = needs()
    found = outdated.rows([item], [item.lock], NEWEST | {"small": release("2", requires_python=">=3.12")})
    assert found[0].held == ("needs Python >=3.12",)
    assert release("2", requires_python=">=3.11.4,<4").fits(["3.11", "3.12"])


def test_what_an_upgrade_adds_and_drops_is_shown() -> None:
    item = needs()
    new = replace(item.lock, packages=(*item.lock.packages[:2], distribution("extra")))
    found = outdated.rows([item], [new], NEWEST | {"small": release("2")})
    assert shown(found) == [("extra", "1", "None"), ("small", "", "2")]
    assert outdated.text(found, [item]).splitlines()[-1].endswith("UPGRADE=all` adds 1, drops 1")


def test_equal_rows_of_services_are_one_and_others_name_their_service() -> None:
    first = needs()
    second = DependencyGraph(lock=replace(first.lock, service="api"))
    newest = NEWEST | {"web": release("1.5"), "small": release("2")}
    new = [moved(first.lock, "web", "1.5"), second.lock]
    found = outdated.rows([first, second], new, newest)
    assert [(row.name, row.services) for row in found] == [
        ("small", ("app", "api")),
        ("web", ("api",)),
        ("web", ("app",)),
    ]
    text = outdated.text(found, [first, second])
    assert "in api\n" in text
    assert "in app\n" in text


def test_without_an_upgrade_nothing_is_said_to_be_allowed() -> None:
    item = needs()
    found = outdated.rows([item], None, NEWEST | {"web": release("2")})
    assert [row.allowed for row in found] == [None]
    assert outdated.text(found, [item]).splitlines()[1].split()[:4] == ["web", "1", "?", "2"]
    assert json.loads(outdated.to_json(found))[0]["allowed"] is None


def test_what_comes_from_a_url_has_no_releases() -> None:
    lock = replace(needs().lock, packages=(replace(distribution("web"), kind="archive"),))
    assert ("shipped", "web") not in outdated.versions(lock)


def file(name: str, *, yanked: bool = False, uploaded: str = "2026-01-01T00:00:00Z") -> RemoteFile:
    return RemoteFile(name=name, url="", yanked=yanked, upload_time=uploaded)


FILES = [
    file("a-1.0.tar.gz"),
    file("a-1.1-py3-none-any.whl", uploaded="2026-02-01T10:00:00.5Z"),
    file("a-1.2.tar.gz", uploaded="2026-03-01T00:00:00Z", yanked=True),
    file("a-2.0rc1.tar.gz"),
    file("a-1.0.9.zip"),
    file("readme.txt"),
]


def test_what_was_yanked_and_pre_releases_are_left_out() -> None:
    found = releases.choose("a", FILES, None, prereleases=False)
    assert found == release("1.1", has_source=False)


def test_a_pre_release_counts_where_one_is_locked() -> None:
    found = releases.choose("a", FILES, None, prereleases=True)
    assert found
    assert str(found.version) == "2.0rc1"


def test_what_is_younger_or_of_unknown_age_is_left_out_when_there_is_a_limit() -> None:
    files = [*FILES, file("a-3.tar.gz", uploaded="")]
    found = releases.choose("a", files, datetime(2026, 1, 31, tzinfo=UTC), prereleases=False)
    assert found == release("1.0.9")


def test_nothing_is_the_newest_of_nothing() -> None:
    assert releases.choose("a", [], None, prereleases=False) is None


@pytest.mark.parametrize(("text", "is_known"), [("2026-02-01", True), ("2026-02-01T09:00:00Z", False), ("", True)])
def test_a_day_counts_to_its_end(text: str, is_known: bool) -> None:
    found = releases.choose("a", FILES, index_pages.cutoff(text), prereleases=False)
    assert (found == release("1.1", has_source=False)) is is_known
