"""`make vendor` when the newest release of something is there as a wheel only."""

from __future__ import annotations

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from tests.integration.workshop import Workshop


@pytest.fixture
def index(index: LocalIndex) -> LocalIndex:
    """Return an index with `thing` as source in 1.0 and 2.0 and as a wheel in 2.0.post1, 2.1 and 3.0 as well."""
    for version in ("1.0", "2.0"):
        sdists.publish(index, "thing", version)
    for version in ("2.0", "2.0.post1", "2.1", "3.0"):
        sdists.publish_wheel(index, "thing", version)
    return index


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_the_newest_release_with_a_source_is_taken_and_said(shop: Workshop, resolver: str) -> None:
    done = shop.service("app", "thing").vendor("--resolver", resolver)
    assert shop.keys() == ["thing==2.0"]
    assert "  OLDER   thing 2.0, as 3.0 has no sdist\n" in done.out
    assert "OLDER" not in shop.vendor("--resolver", resolver).out


def test_so_is_that_of_what_builds_others(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "built", "1.0", build_requires=["thing"])
    done = shop.service("app", "built").vendor()
    assert shop.build_keys() == ["thing==2.0"]
    assert done.out.count("OLDER") == 1


def test_one_that_vendor_txt_names_stays_a_wheel(shop: Workshop) -> None:
    shop.service("app", "thing").write({"app/vendor.txt": "thing\n"}).vendor()
    assert shop.keys() == ["thing==3.0"]


def test_a_requirement_that_no_source_satisfies_is_an_error(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "other", "1.0")
    sdists.publish_wheel(index, "other", "2.0")
    done = shop.service("app", "thing>=2.1", "other").vendor()
    what, hint = done.error
    assert what == "thing 3.0 has no sdist; it is there for app/requirements.txt:1: thing>=2.1"
    assert hint == (
        "add the line thing to app/vendor.txt to take its wheels, "
        "or allow thing 2.0, which can be built, in app/requirements.txt:1: thing>=2.1"
    )
    assert "  OLDER   other 1.0, as 2.0 has no sdist\n" in done.out


def test_one_service_may_not_spoil_another(shop: Workshop) -> None:
    shop.service("app", "thing")
    shop.service("other", "thing==2.1")
    what, _ = shop.vendor().error
    assert what == "thing 2.1 has no sdist; it is there for other/requirements.txt:1: thing==2.1"
