"""What the user reads, and the exit status."""

import errno
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.core import console, terminal
from toolkit.core.errors import UserError


def fail(error: BaseException) -> int:
    def function() -> int:
        raise error

    return console.run_main(function)


def test_an_error_is_two_lines_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(UserError("requirements.txt:3: odd", "mend it")) == 1
    assert capsys.readouterr().err == "error: requirements.txt:3: odd\n hint: mend it\n"


def test_details_come_before_the_conclusion(capsys: pytest.CaptureFixture[str]) -> None:
    fail(UserError("it failed", details="compiler says\nno\n"))
    assert capsys.readouterr().err == "  | compiler says\n  | no\nerror: it failed\n"


def test_a_full_disk_is_an_error_with_a_hint_not_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/x/file")) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: /x/file: No space left on device\n hint: free some space")


@pytest.mark.parametrize(
    ("text", "hint"),
    [("can't start new thread", "ulimit -u"), ("Could not determine home directory.", "HOME=/a/directory")],
)
def test_a_fault_that_python_has_no_error_for_is_one_too(
    text: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fail(RuntimeError(text)) == 1
    assert hint in capsys.readouterr().err
    with pytest.raises(RuntimeError, match="another"):
        fail(RuntimeError("another"))


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "<&- >&-", "2>&-", "<&- >&- 2>&-"])
def test_standard_streams_may_be_closed(redirection: str, tmp_path: Path) -> None:
    code = (
        "import sys, os; from toolkit.core import console, process\n"
        "def main():\n"
        "    console.step('TAG', 'text'); console.warn('text')\n"
        f"    with open({str(tmp_path / 'file')!r}, 'w') as file:\n"
        "        print(file.fileno() > 2, process.run(['echo', 'printed']).strip(), file=file)\n"
        "sys.exit(console.run_main(main))"
    )
    command = f"{shlex.join([sys.executable, '-c', code])} {redirection}"
    subprocess.run(["/bin/sh", "-c", command], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert (tmp_path / "file").read_text() == "True printed\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_unwinds_and_gives_status_130(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    cleaned = []

    def function() -> int:
        try:
            os.kill(os.getpid(), number)
            signal.pause()
        finally:
            cleaned.append(True)
        return 0

    # Whoever runs the tests may have it ignored, as nohup does.
    before = signal.signal(number, signal.SIG_DFL)
    try:
        assert console.run_main(function) == 130
    finally:
        signal.signal(number, before)
    assert cleaned == [True]
    assert "interrupted" in capsys.readouterr().err


def test_no_status_means_success() -> None:
    assert console.run_main(lambda: None) == 0


def test_what_others_say_can_neither_act_on_the_terminal_nor_pass_for_our_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    forged = "all well\x1b[2J\u202e\nerror: forged\r hint: rm -rf /\n\x9b31m"
    fail(UserError("x\nerror: forged", "y\n hint: forged", details=forged))
    assert capsys.readouterr().err.splitlines() == [
        r"  | all well\x1b[2J\u202e",
        "  | error: forged",
        "  |  hint: rm -rf /",
        r"  | \x9b31m",
        "error: x",
        "       error: forged",
        " hint: y",
        "       hint: forged",
    ]
    console.step("BUILD", "six\nerror: forged\x07")
    console.warn("six\nerror: forged")
    said = capsys.readouterr()
    assert said.out == "  BUILD   six\n       error: forged\\x07\n"
    assert said.err == "warning: six\n       error: forged\n"


def test_a_terminal_begins_no_row_with_what_others_say(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "size", lambda: (24, 24))
    padded = f"{' ' * 20}error: forged\t\u4e2d" + "x" * 30
    console.foreign(padded)
    assert capsys.readouterr().out == f"  | {padded}\n"
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    console.foreign(padded)
    fail(UserError("failed", details=padded))
    said = capsys.readouterr()
    for text in (said.out, said.err):
        rows = text.splitlines()
        assert rows[:2] == [f"  | {' ' * 20}", "  | error: forged       "[:24]]
        assert all(len(row) <= 24 for row in rows)
        assert all(row.startswith(("  | ", "error: failed")) for row in rows)


def test_letters_of_every_script_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    console.note("Grüße\t二 ”\u00a0—” ✓")
    assert capsys.readouterr().out == "Grüße\t二 ”\u00a0—” ✓\n"
