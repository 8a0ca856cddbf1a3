"""One place starts processes, and what fails can be pasted into a shell."""

import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.core import console, process
from toolkit.core.errors import UserError

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


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


def _wait_until(condition: Callable[[], object]) -> None:
    limit = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def _is_running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


#: Runs, in a thread, a command that starts another one; and tells their ids.
_RUNNER = """
import sys
from toolkit.core import process, threads

def work(name):
    process.run(["/bin/sh", "-c", 'sleep 300 & echo $$ $! > "$0"; wait', name])

threads.each(work, sys.argv[1:])
"""


def test_nothing_that_a_killed_process_has_started_goes_on(tmp_path: Path) -> None:
    notes = [tmp_path / "one", tmp_path / "two"]
    with subprocess.Popen([sys.executable, "-c", _RUNNER, *notes], cwd=SCRIPTS, start_new_session=True) as running:
        _wait_until(lambda: all(note.exists() and note.read_text().endswith("\n") for note in notes))
        started = [pid for note in notes for pid in note.read_text().split()]
        assert all(map(_is_running, started))
        os.killpg(running.pid, signal.SIGKILL)
    _wait_until(lambda: not any(map(_is_running, started)))


def test_what_must_not_be_broken_off_goes_on_to_its_end(tmp_path: Path) -> None:
    script = f"touch {tmp_path}/begun; sleep 0.5; touch {tmp_path}/done"
    code = f"from toolkit.core import process\nprocess.run(['/bin/sh', '-c', {script!r}], completes=True)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=SCRIPTS, start_new_session=True) as running:
        _wait_until((tmp_path / "begun").exists)
        os.killpg(running.pid, signal.SIGKILL)
    _wait_until((tmp_path / "done").exists)


def test_a_child_that_nobody_guards_yet_does_not_begin(tmp_path: Path) -> None:
    """Killed between the start of a child and the word to the watchdog."""
    code = "import os, signal\nfrom toolkit.core import process\n"
    code += "process._watchdog.guarding = lambda group: os.kill(os.getpid(), signal.SIGKILL)\n"
    code += f"process.run(['touch', {str(tmp_path / 'begun')!r}])\n"
    killed = subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, check=False)
    assert killed.returncode == -signal.SIGKILL
    time.sleep(0.3)
    assert not (tmp_path / "begun").exists()


def test_what_a_command_leaves_running_neither_stalls_us_nor_goes_on() -> None:
    pid = process.run(["/bin/sh", "-c", "sleep 300 & echo $!"]).strip()
    _wait_until(lambda: not _is_running(pid))


@pytest.mark.parametrize("more", ["sleep 300", "yes; sleep 300"])
def test_what_leaves_the_group_of_a_command_does_not_stall_us(tmp_path: Path, more: str) -> None:
    """It keeps the pipe, silent or not."""
    note = tmp_path / "pid"
    daemon = f"setsid --fork /bin/sh -c 'echo $$ > {note}; {more}'"
    process.run(["/bin/sh", "-c", f"{daemon}; until [ -s {note} ]; do sleep 0.01; done"])
    pid = note.read_text().strip()
    assert _is_running(pid)
    os.killpg(int(pid), signal.SIGKILL)


def test_of_a_long_output_the_beginning_and_the_end_are_kept() -> None:
    code = "print('first'); [print('x' * 999) for _ in range(100_000)]; print('last'); raise SystemExit(1)"
    tracemalloc.start()
    try:
        with pytest.raises(process.CommandError) as caught:
            process.run([sys.executable, "-c", code])
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    assert caught.value.output.startswith("first\n")
    assert caught.value.output.endswith("last\n")
    assert "bytes are left out here" in caught.value.output


def test_more_than_a_program_may_answer_is_an_error_and_ends_it() -> None:
    with pytest.raises(UserError, match="yes prints more than 1 MiB"):
        process.read_bytes(["yes"], limit=1 << 20)


def test_a_very_long_line_is_told_in_pieces() -> None:
    lines: list[str] = []
    process.run([sys.executable, "-c", "print('x' * 1_000_000)"], watch=lines.append)
    assert "".join(lines) == "x" * 1_000_000
    assert max(map(len, lines)) < 200_000


def test_a_child_has_the_variables_it_is_given_and_no_more() -> None:
    expected = ["A=b c", "LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin"]
    assert sorted(process.read(["env"], env={"PATH": "/usr/bin:/bin", "A": "b c"}).splitlines()) == expected


def test_with_all_shown_nothing_can_be_taken_for_our_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "verbosity", 2)
    process.run(["printf", r"error: forged\n\033[2Jgone\r\nend"])
    assert capsys.readouterr().out == "  | error: forged\n  | \\x1b[2Jgone\n  | end\n"


@pytest.mark.parametrize("script", ["exec >&- 2>&-; sleep 300", "sleep 300", "yes"])
def test_a_command_that_nobody_trusts_is_looked_at_whatever_it_does(script: str) -> None:
    looked: list[int] = []

    def look(pid: int) -> None:
        looked.append(pid)
        if len(looked) == 3:
            raise UserError("too much")

    with pytest.raises(UserError, match="too much"):
        process.supervise(["/bin/sh", "-c", script], len, look, env={})
    assert not _is_running(str(looked[0]))


def test_a_command_is_shown_without_passwords(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "verbosity", 2)
    with pytest.raises(process.CommandError) as caught:
        process.run(["false", "https://me:s3cret@host.example/x.git"])
    assert "s3cret" not in str(caught.value) + capsys.readouterr().err
    assert caught.value.hint == "the command was: false 'https://***@host.example/x.git'"


def test_the_dead_that_nobody_has_reaped_are_not_waited_for() -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as child:
        assert process._is_anybody_alive(child.pid)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        os.killpg(child.pid, 0)
        assert not process._is_anybody_alive(child.pid)
