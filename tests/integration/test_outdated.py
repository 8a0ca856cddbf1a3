"""`make outdated`, `make why` and `make graph` on what `make vendor` has made, against the local index."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tests.integration import sdists
from tests.integration.local_index import Fault, LocalIndex, wait_until
from tests.integration.workshop import Workshop, finish
from toolkit.vendoring import lock_writer


@pytest.fixture
def vendored(shop: Workshop, index: LocalIndex) -> Workshop:
    """Return a project with `web` vendored, which needs `wire`, built by `maker`; all were released anew since."""
    index.add("maker-1.0.tar.gz", sdists.make_backend("maker", "1.0"))
    sdists.publish(index, "web", "1.0", requires=["wire<2"])
    index.add("wire-1.0.tar.gz", sdists.make_sdist_with_backend("wire", "1.0", "maker"))
    shop.service("app", "web<2")
    done = shop.vendor()
    assert done.status == 0, done.err
    index.add("maker-1.1.tar.gz", sdists.make_backend("maker", "1.1"))
    sdists.publish(index, "web", "1.1", requires=["wire<2"])
    for version in ("1.1", "2.0"):
        index.add(f"wire-{version}.tar.gz", sdists.make_sdist_with_backend("wire", version, "maker"))
    return shop


def lines(shop: Workshop, *options: str) -> list[str]:
    done = shop.run("outdated", *options)
    assert done.status == 0, done.err
    return [line for line in done.out.splitlines() if not line.startswith(("  RESOLVE", "  SANDBOX", "  BUILD"))]


def test_a_lock_from_before_there_were_direct_requirements_gets_them_and_keeps_its_versions(vendored: Workshop) -> None:
    path = vendored.root / "vendor" / "pylock.app.toml"
    before = path.read_text()
    lock_writer.write(path, replace(vendored.lock(), direct=None))
    done = vendored.run("why", "maker")
    assert "from before locks said who needs whom" in done.error[0]
    assert vendored.vendor().status == 0
    assert path.read_text() == before


def test_what_an_upgrade_gives_and_what_it_cannot_reach(vendored: Workshop) -> None:
    before = vendored.vendored()
    assert lines(vendored) == [
        "shipped          locked  allowed  newest",
        "  web            1.0     1.1      1.1",
        "  wire           1.0     1.1      2.0     held by web: wire<2",
        "only for builds  locked  allowed  newest",
        "  maker          1.0     1.1      1.1",
        "3 of 3 have newer releases; `make vendor UPGRADE=all` moves 3",
    ]
    assert vendored.vendored() == before
    assert vendored.leftovers() == []


def test_no_page_is_asked_for_twice(vendored: Workshop, index: LocalIndex) -> None:
    index.requests.clear()
    index.max_age = 600
    lines(vendored)
    pages = {path: count for path, count in index.requests.items() if path.startswith("/simple/")}
    assert pages == dict.fromkeys(("/simple/web/", "/simple/wire/", "/simple/maker/"), 1)


def test_allowed_is_just_what_an_upgrade_then_gives(vendored: Workshop) -> None:
    told = json.loads(vendored.run("outdated", "--json").out)
    assert vendored.vendor("--upgrade", "all").status == 0
    assert {f"{row['name']}=={version}" for row in told for version in row["allowed"]} == {
        *vendored.keys(),
        *vendored.build_keys(),
    }
    assert [row["name"] for row in json.loads(vendored.run("outdated", "--json").out)] == ["wire"]


def test_strict_ends_with_status_1_only_where_something_is_outdated(vendored: Workshop, index: LocalIndex) -> None:
    assert vendored.run("outdated", "--strict").status == 1
    index.remove("wire-2.0.tar.gz")
    assert vendored.vendor("--upgrade", "all").status == 0
    done = vendored.run("outdated", "--strict")
    assert (done.status, done.out.splitlines()[-1]) == (0, "all 3 distributions are the newest there are")


def test_what_was_yanked_is_younger_or_a_pre_release_does_not_count(vendored: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "web", "1.5b1")
    index.add("web-1.4.tar.gz", sdists.make_sdist("web", "1.4"), yanked=True)
    index.add("web-1.3.tar.gz", sdists.make_sdist("web", "1.3"), upload_time="2026-09-01T00:00:00Z")
    assert lines(vendored, "--exclude-newer", "2026-08-01")[1].split() == ["web", "1.0", "1.1", "1.1"]


def test_a_newest_without_a_source_is_said_to_have_none(vendored: Workshop, index: LocalIndex) -> None:
    index.add("web-1.2-py3-none-any.whl", sdists.make_wheel("web", "1.2"), name="web")
    assert "  web            1.0     1.1      1.2     the newest has no sdist" in lines(vendored)


def test_an_upgrade_that_cannot_be_leaves_the_newest_to_be_seen(vendored: Workshop) -> None:
    vendored.write({"app/requirements.txt": "web>7\n"})
    done = vendored.run("outdated")
    assert done.status == 0
    assert "app/requirements.txt: changed since vendor/pylock.app.toml was made" in done.err
    assert "`make vendor UPGRADE=all` would fail" in done.err
    assert done.out.splitlines()[2].split()[:4] == ["web", "1.0", "?", "1.1"]


def test_an_index_that_is_down_is_named(vendored: Workshop, index: LocalIndex) -> None:
    index.faults["/simple/wire/"] = Fault("status", status=503)
    what, hint = vendored.run("outdated").error
    assert what.endswith("/simple/wire/ answers 503 Service Unavailable, 4 times in a row")
    assert "INDEX_URL=" in hint


@pytest.mark.parametrize("verb", ["outdated", "why", "graph"])
def test_without_a_lock_there_is_nothing_to_tell(shop: Workshop, verb: str) -> None:
    shop.service("app")
    words = ["web"] if verb == "why" else []
    assert shop.run(verb, *words).error == ("vendor/: there is nothing in it", "run `make vendor`")


def test_why_and_graph_read_what_was_vendored_without_a_network(vendored: Workshop, index: LocalIndex) -> None:
    index.requests.clear()
    assert vendored.run("why", "maker").out.splitlines()[:2] == [
        "maker 1.0 in app: only for builds; needed by wire",
        "  app/requirements.txt:1: web<2 -> wire<2 => maker",
    ]
    assert vendored.run("graph").status == 0
    picture = ElementTree.parse(vendored.root / "dist" / "app.svg").getroot()
    assert picture.findtext("{http://www.w3.org/2000/svg}title", "").startswith("app: 2 distributions shipped")
    assert not index.requests


def test_a_damaged_file_of_vendor_is_named_and_does_not_stop_an_explanation(vendored: Workshop) -> None:
    (vendored.root / "vendor" / "wire-1.0.tar.gz").write_bytes(b"broken")
    done = vendored.run("why", "maker")
    assert (done.status, "vendor/wire-1.0.tar.gz: has 6 bytes" in done.err) == (0, True)
    assert "wire<2 => maker" in done.out


def test_an_interrupt_while_the_index_hangs(vendored: Workshop, index: LocalIndex) -> None:
    index.fails("/simple/wire/", "hang", seconds=600)
    index.requests.clear()
    running = vendored.start("outdated")
    wait_until(index, "/simple/wire/", 30)
    done = finish(running, signal.SIGINT)
    assert (done.status, done.err) == (130, "interrupted: what was there before is untouched\n")


def test_a_locked_release_that_was_withdrawn_is_told(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "web", "1.0", yanked="it loses files")
    sdists.publish(index, "wire", "1.0")
    shop.service("app", "web==1.0", "wire")
    assert shop.vendor().status == 0
    assert lines(shop) == [
        "shipped  locked  allowed  newest",
        "  web    1.0     1.0      -       1.0 is withdrawn: it loses files",
        "0 of 2 have newer releases; `make vendor UPGRADE=all` changes nothing",
    ]
    [row] = json.loads(shop.run("outdated", "--json").out)
    assert row["yanked"] == {"1.0": "it loses files"}
    assert shop.run("outdated", "--strict").status == 1
