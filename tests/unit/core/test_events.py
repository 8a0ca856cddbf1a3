"""What verbs inside a command say arrives at the verb that runs it, whatever is between them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from toolkit.core import console, events, process, progress, terminal
from toolkit.core.errors import UserError
from toolkit.core.events import Event

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"
#: A verb that says something of each kind, and fails.
VERB = """
import sys
from toolkit.core import console, progress
from toolkit.core.errors import UserError

def work():
    console.step("VENDOR", "x")
    console.note("by the way")
    console.warn("odd")
    with progress.counting("BUILD", 2, "wheels") as bar, bar.running("numpy 2.0"):
        bar.advance("numpy 2.0")
    raise UserError("it failed", "mend it", "line 1\\nline 2 " + "x" * 100_000)

sys.exit(console.run_main(work))
"""
#: What that sends, without progress.
SAID = [
    {"event": "step", "tag": "VENDOR", "text": "x"},
    {"event": "note", "text": "by the way"},
    {"event": "warning", "text": "odd"},
    {"event": "error", "what": "it failed", "hint": "mend it", "details": "line 1\nline 2 " + "x" * 100_000},
]


def run(*words: str) -> tuple[list[Event], str]:
    """Run a command with a channel, and return what came and what was printed."""
    received: list[Event] = []
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    try:
        return received, process.run(words, env=environment, receive=received.append)
    except process.CommandError as error:
        return received, error.output


def test_events_come_through_programs_that_know_nothing_of_them() -> None:
    received, printed = run(
        "sh", "-c", 'echo "  TAG     of a stranger"; "$@"; echo "error: x"', "sh", sys.executable, "-c", VERB
    )
    assert [event for event in received if "count" not in event] == SAID
    assert "  VENDOR  x\n" in printed
    assert "error: it failed\n hint: mend it\n" in printed


def test_progress_comes_as_what_changes() -> None:
    received, _ = run(sys.executable, "-c", VERB)
    changes = [{key: event[key] for key in event if key != "count"} for event in received if "count" in event]
    assert changes == [
        {"event": "counting", "tag": "BUILD", "total": 2, "unit": "wheels"},
        {"event": "begin", "name": "numpy 2.0"},
        {"event": "advance", "name": "numpy 2.0"},
        {"event": "finish", "name": "numpy 2.0", "well": True},
        {"event": "counted"},
    ]


def test_a_verb_passes_on_what_it_receives() -> None:
    middle = (
        "import sys\nfrom toolkit.core import console, process, progress\n"
        "def work():\n    with progress.relaying() as relay:\n"
        "        process.run([sys.executable, '-c', sys.argv[1]], receive=relay.receive)\n"
        "sys.exit(console.run_main(work))\n"
    )
    received, _ = run(sys.executable, "-c", middle, VERB)
    assert [event["event"] for event in received] == [
        *("step", "note", "warning", "counting", "begin", "advance", "finish", "counted"),
        "error",
    ]


def test_another_file_in_the_place_of_a_descriptor_that_was_closed_is_left_alone(tmp_path: Path) -> None:
    script = f'n=${{{events.VARIABLE}%%:*}}; eval "exec $n>&- $n>$1"; "$2" -c "$3"'
    received, printed = run("bash", "-c", script, "bash", str(tmp_path / "file"), sys.executable, VERB)
    assert received == []
    assert "error: it failed" in printed
    assert (tmp_path / "file").read_bytes() == b""


def test_what_stays_in_the_background_with_a_descriptor_is_not_waited_for() -> None:
    received, _ = run("sh", "-c", 'sleep 60 >/dev/null 2>&1 & "$@"; kill $!', "sh", sys.executable, "-c", VERB)
    assert received[-1]["event"] == "error"


def test_what_is_no_event_is_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    script = f'n=${{{events.VARIABLE}%%:*}}; eval "printf \'%s\\n\' nonsense [] 3 \\"$1\\" >&$n"; "$2" -c "$3"'
    with progress.relaying() as relay, pytest.raises(process.CommandError):
        environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
        words = ["bash", "-c", script, "bash", '{"event":"step","tag":3}', sys.executable, VERB]
        process.run(words, env=environment, receive=relay.receive)
    assert str(relay.error).endswith("error: it failed\n hint: mend it")
    assert capsys.readouterr() == ("  VENDOR  x\nby the way\n  BUILD   numpy 2.0\n", "warning: odd\n")


def test_with_all_output_at_the_terminal_only_the_error_is_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "verbosity", 2)
    relay = progress.Relay()
    for event in SAID:
        relay.receive(event)
    assert capsys.readouterr() == ("", "")
    assert isinstance(relay.error, UserError)


def test_a_count_that_a_killed_verb_left_is_taken_off_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr(progress, "is_live", lambda: True)
    monkeypatch.setattr(terminal, "show", shown.append)
    monkeypatch.setattr(terminal, "hide", shown.remove)
    with progress.relaying() as relay:
        relay.receive({"event": "counting", "count": "1.0", "tag": "BUILD", "total": 2, "unit": "wheels"})
        relay.receive({"event": "finish", "count": "1.0", "name": "never begun", "well": False})
        assert len(shown) == 1
    assert shown == []


#: Says something on each descriptor that there may be.
_FORGER = """
import contextlib, os
for number in range(3, 100):
    with contextlib.suppress(OSError):
        os.write(number, b'{"event": "forged"}\\n')
"""
#: A verb that runs this, and lets it inherit what can be inherited.
_OUTER = """
import subprocess, sys
from toolkit.core import console
console.run_main(lambda: subprocess.run([sys.executable, "-c", sys.argv[1]], close_fds=False).returncode)
"""


def test_what_a_verb_runs_cannot_speak_in_its_name() -> None:
    assert run(sys.executable, "-c", _FORGER) == ([{"event": "forged"}], "")
    assert run(sys.executable, "-c", _OUTER, _FORGER) == ([], "")
