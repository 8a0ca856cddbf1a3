"""`make vendor` builds what may download, and with TRIAL=1 everything, before vendor/ is changed."""

from __future__ import annotations

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from tests.integration.workshop import Workshop

_PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "hook"\nbackend-path = ["."]\n'
_HOOK = """\
import urllib.request
import tiny_backend
from tiny_backend import *

def build_wheel(*arguments, **named):
{}
    return tiny_backend.build_wheel(*arguments, **named)
"""
_FETCH = "urllib.request.urlopen('http://files.example/a.tar.gz', timeout=5)"
_FETCHES = f"    {_FETCH}"
_NEED_NOT = f"    try:\n        {_FETCH}\n    except OSError:\n        pass"
_FAILS = f"    raise SystemExit('no thing.h')\n    {_FETCH}"


def publish(index: LocalIndex, name: str, body: str) -> None:
    files = {"hook.py": _HOOK.format(body), "pyproject.toml": _PYPROJECT}
    sdists.publish(index, name, "1.0", files=files)


def tried(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.split()[:1] == ["TRIAL"]]


def test_a_build_that_downloads_is_told_with_the_line_that_mends_it(shop: Workshop, index: LocalIndex) -> None:
    publish(index, "fetching", _FETCHES)
    sdists.publish_wheel(index, "fetching", "1.0")
    sdists.publish(index, "outer", "1.0", requires=["fetching"])
    done = shop.service("app", "outer").vendor()
    what, hint = done.error
    assert what.startswith("fetching 1.0: its build downloads (hook.py:6: urllib.request.urlopen(")
    assert what.endswith("it is there for app/requirements.txt:1: outer -> fetching 1.0")
    assert hint.endswith(", or add the line fetching to app/vendor.txt to take its wheels")
    assert "Name or service not known" in done.err or "Temporary failure in name resolution" in done.err
    assert not (shop.root / "vendor").exists()
    assert shop.leftovers() == []
    # The hint holds.
    assert shop.write({"app/vendor.txt": "fetching\n"}).vendor().status == 0
    assert shop.build().status == 0


def test_without_a_wheel_no_wheel_is_offered(shop: Workshop, index: LocalIndex) -> None:
    publish(index, "fetching", _FETCHES)
    [hint] = [hint for _, hint in shop.service("app", "fetching").vendor().errors]
    assert "vendor.txt" not in hint
    assert "build-settings.toml" in hint


def test_all_that_downloads_is_told_at_once(shop: Workshop, index: LocalIndex) -> None:
    for name in ("first", "second"):
        publish(index, name, _FETCHES)
    done = shop.service("app", "first", "second").vendor()
    assert [what.partition(":")[0] for what, _ in done.errors] == ["first 1.0", "second 1.0"]


def test_what_a_build_can_do_without_is_no_error(shop: Workshop, index: LocalIndex) -> None:
    publish(index, "fetching", _NEED_NOT)
    done = shop.service("app", "fetching").vendor()
    assert done.status == 0, done.err
    assert len(tried(done.out)) == 1
    # It is in the lock now; and once it is not, the answer is still known.
    sdists.publish(index, "more", "1.0")
    assert tried(shop.service("app", "fetching", "more").vendor().out) == []
    assert shop.build().status == 0


def test_a_build_that_fails_for_another_reason_is_not_judged(shop: Workshop, index: LocalIndex) -> None:
    publish(index, "headless", _FAILS)
    done = shop.service("app", "headless").vendor()
    assert done.status == 0, done.err
    assert "headless 1.0 may download while it is built (hook.py:7: " in done.out
    assert "`make vendor TRIAL=1` finds out" in done.out


def test_a_trial_of_everything_tells_all_that_does_not_build(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "good", "1.0")
    assert shop.service("app", "good").vendor().status == 0
    before = shop.vendored()
    for name in ("bad", "worse"):
        sdists.publish(index, name, "1.0", needs_at_build=[f"no_{name}"])
    # What is built with one of them cannot be tried; its hook is asked with the wheel.
    sdists.publish_wheel(index, "bad", "1.0")
    sdists.publish(index, "after", "1.0", build_requires=["bad"])
    shop.service("app", "good", "bad", "worse", "after")
    done = shop.vendor("--trial")
    assert sorted(what for what, _ in done.errors) == [
        "bad 1.0: its wheel could not be built; it is there for app/requirements.txt:2: bad",
        "worse 1.0: its wheel could not be built; it is there for app/requirements.txt:3: worse",
    ]
    # Only one of them has a wheel to take instead.
    assert [
        hint.endswith("add the line bad to app/vendor.txt to take its wheels") for _, hint in sorted(done.errors)
    ] == [True, False]
    assert shop.vendored() == before
    assert shop.leftovers() == []


@pytest.mark.parametrize("options", [("--trial",), ("--trial", "--dry-run")])
def test_what_a_trial_has_built_is_not_built_again(shop: Workshop, index: LocalIndex, options: tuple[str, ...]) -> None:
    sdists.publish(index, "good", "1.0")
    shop.service("app", "good")
    done = shop.vendor(*options)
    assert done.status == 0, done.err
    assert " BUILD   good 1.0" in done.out
    assert (shop.root / "vendor").exists() == ("--dry-run" not in options)
    assert shop.vendor().status == 0
    assert " BUILD " not in shop.build().out


def test_a_trial_is_made_of_what_is_locked_already(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "bad", "1.0", needs_at_build=["no_bad"])
    assert shop.service("app", "bad").vendor().status == 0
    [(what, _)] = shop.vendor("--trial").errors
    assert what == "bad 1.0: its wheel could not be built; it is there for app/requirements.txt:1: bad"


def test_a_trial_of_everything_is_made_for_each_service(shop: Workshop, index: LocalIndex) -> None:
    for name in ("bad", "worse"):
        sdists.publish(index, name, "1.0", needs_at_build=[f"no_{name}"])
    shop.service("app", "bad").service("other", "bad", "worse", needs_at_build=["no_other"])
    chains = "app/requirements.txt:1: bad and other/requirements.txt:1: bad"
    assert sorted(what for what, _ in shop.vendor("--trial").errors) == [
        f"bad 1.0: its wheel could not be built; it is there for {chains}",
        "other: its wheel could not be built",
        "worse 1.0: its wheel could not be built; it is there for other/requirements.txt:2: worse",
    ]
