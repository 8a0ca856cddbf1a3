"""One place starts processes, and what fails can be pasted into a shell."""

import sys
import threading
import time

import pytest

from toolkit.core import process
from toolkit.core.errors import UserError


def test_both_streams_are_returned() -> None:
    script = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
    assert process.run([sys.executable, "-c", script]) == "out\nerr\n"


def test_read_returns_standard_output_alone() -> None:
    script = "import sys; print('out'); print('err', file=sys.stderr)"
    assert process.read([sys.executable, "-c", script]) == "out\n"


@pytest.mark.parametrize("run", [process.run, process.read])
def test_a_failure_has_the_output_the_status_and_the_command(run: object) -> None:
    with pytest.raises(process.CommandError) as caught:
        run([sys.executable, "-c", "print('why'); raise SystemExit(3)"])  # type: ignore[operator]
    assert caught.value.status == 3
    assert "why" in str(caught.value)
    assert "status 3" in caught.value.what
    assert "-c 'print('\"'\"'why'\"'\"')" in caught.value.hint


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(UserError, match="no-such-program: no such program"):
        process.run(["no-such-program"])


def test_there_is_no_standard_input_and_the_locale_is_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "POSIX")
    script = "import os, sys; print(repr(sys.stdin.read()), os.environ['LC_ALL'])"
    assert process.read([sys.executable, "-c", script]) == "'' C.UTF-8\n"


def test_ending_children_ends_what_they_started_too() -> None:
    caught: list[BaseException] = []

    def work() -> None:
        try:
            process.run(["/bin/sh", "-c", "sleep 60 & wait"])
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    start = time.monotonic()
    thread.start()
    while not process._children and time.monotonic() - start < 10:
        time.sleep(0.01)
    process.end_children()
    thread.join(10)
    # communicate() returns only when the last process that holds the pipe has ended.
    assert not thread.is_alive()
    assert isinstance(caught[0], process.CommandError)


def test_a_watched_command_tells_each_line_and_returns_all() -> None:
    lines: list[str] = []
    code = "import sys; print('one'); print('two', file=sys.stderr, flush=True); sys.stdout.write('three')"
    output = process.run([sys.executable, "-u", "-c", code], watch=lines.append)
    assert lines == ["one", "two", "three"]
    assert output == "one\ntwo\nthree"
