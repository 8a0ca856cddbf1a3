"""Signs of life in a log."""

from __future__ import annotations

import itertools
import time

import pytest

from toolkit.core import console, progress


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a minute pass whenever the time is asked for."""
    clock = itertools.count(0, 60)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))


def test_a_loop_that_is_quick_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.counting("FETCH", 2) as bar:
        bar.advance("a")
        bar.advance("b")
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("minutes")
def test_a_loop_that_takes_long_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.counting("FETCH", 2) as bar:
        bar.arrived(6_000_000)
        bar.advance("a.tar.gz")
    assert capsys.readouterr().out == "  FETCH   1/2 files, 6.0 MB at 0.1 MB/s  a.tar.gz\n"


def test_what_is_being_done_is_said_once_when_it_begins(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.counting("BUILD", 1) as bar, bar.running("numpy 2.0"):
        assert capsys.readouterr().out == "  BUILD   numpy 2.0\n"
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("minutes")
def test_a_log_says_each_thing_once(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.watching("PACKAGE", "dpkg-buildpackage") as watch, progress.counting("BUILD", 2, "wheels") as bar:
        with bar.running("numpy 2.0"):
            watch("  BUILD   numpy 2.0\n")
        bar.advance("numpy 2.0")
        watch("  BUILD   1/2 wheels\n")
    assert capsys.readouterr().out == "  BUILD   numpy 2.0\n  BUILD   1/2 wheels\n"


@pytest.mark.usefixtures("minutes")
def test_a_command_that_takes_long_is_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    also: list[str] = []
    with progress.watching("SBUILD", "bookworm", also.append) as watch:
        watch("Unpacking gcc\n")
    assert capsys.readouterr().out == "  SBUILD  bookworm, 1 min 00 s: Unpacking gcc\n"
    assert also == ["Unpacking gcc\n"]


@pytest.mark.usefixtures("minutes")
def test_nothing_is_said_at_verbosity_0(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "verbosity", 0)
    with progress.counting("BUILD", 1) as bar, bar.running("x"), progress.watching("SBUILD", "y") as watch:
        watch("line")
        bar.advance("x")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("done", "total", "shown"), [(0, 3, "-" * 20), (3, 3, "#" * 20), (0, 0, "#" * 20), (1, 2, "#" * 10 + "-" * 10)]
)
def test_a_bar_is_of_fixed_width(done: int, total: int, shown: str) -> None:
    assert progress.bar(done, total) == f"[{shown}]"


def test_a_loop_of_unknown_length_is_shown_once_there_is_something_to_do() -> None:
    with progress.counting("FETCH") as bar:
        assert bar.lines() == []
        bar.expect(2)
        bar.advance("a.tar.gz")
        assert bar.lines() == ["  FETCH   [##########----------] 1/2 files  a.tar.gz"]
