"""Lines that are drawn again in place: what a terminal gets, and what stays on it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from toolkit.core import terminal

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"

#: A verb that shows two things being done, then does as its argument says.
VERB = """
import sys, time
from toolkit.core import console, progress

def work():
    with progress.counting("BUILD", 3, "wheels") as bar:
        with bar.running("first 1.0"):
            with bar.running("zweite-ß-二 2.0"):
                console.note("ready")
                if sys.argv[1] == "wait":
                    time.sleep(60)
                time.sleep(0.5)
        bar.advance("first 1.0")
    console.note("end")

console.verbosity = int(sys.argv[2])
sys.exit(console.run_main(work))
"""

#: A verb that runs that one and captures what it prints.
OUTER = """
import sys
from toolkit.core import console, process, progress

def work():
    with progress.relaying() as relay:
        process.run(["sh", "-c", '"$@"', "sh", sys.executable, "-c", *sys.argv[1:]], receive=relay.receive)

sys.exit(console.run_main(work))
"""


class Screen:
    """A program in a pseudo-terminal of its own session, and all that it printed there."""

    def __init__(self, *words: str, columns: int = 80, term: str = "xterm", **environment: str) -> None:
        pid, self._master = pty.fork()
        if pid == 0:
            os.environ.update({"TERM": term, "PYTHONPATH": str(SCRIPTS), "LC_ALL": "C.UTF-8", **environment})
            subprocess.run(["stty", "cols", str(columns), "rows", "24"], check=True)
            os.execvp(words[0], words)
        self._pid, self.printed = pid, ""

    def read_until(self, pattern: str) -> None:
        while not re.search(pattern, self.printed):
            assert self._read(), f"it ended without {pattern}: {self.printed[-300:]!r}"

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def end(self) -> int:
        while self._read():
            pass
        os.close(self._master)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _read(self) -> bool:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the other end is closed
            return False
        self.printed += data.decode("utf-8", "replace")
        return bool(data)

    def resize(self, columns: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def rendered(printed: str) -> list[str]:
    """Return what stays on the screen, for the few sequences that are in use."""
    lines, row, column = [""], 0, 0
    for token in re.findall(r"\x1b\[\d*[AJ]|.", printed, re.DOTALL):
        if token == "\r":
            column = 0
        elif token == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif token == "\x1b[J":
            lines = [*lines[:row], lines[row][:column]]
        elif token.startswith("\x1b"):
            row -= int(token[2:-1])
        else:
            lines[row] = lines[row][:column].ljust(column) + token + lines[row][column + 1 :]
            column += 1
    return lines


def run(how: str, verbosity: int = 1, **options: object) -> Screen:
    return Screen(sys.executable, "-c", VERB, how, str(verbosity), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("words", [["-c", VERB], ["-c", OUTER, VERB]], ids=["direct", "inside another verb"])
def test_what_is_being_done_is_drawn_and_each_thing_that_is_done_stays_as_a_line(words: list[str]) -> None:
    screen = Screen(sys.executable, *words, "end", "1")
    assert screen.end() == 0
    drawn = r"BUILD   \[-{20}\] 0/3 wheels\r\n {10}first 1.0  \d s\r\n {10}zweite-ß-二 2.0  \d s"
    assert re.search(drawn, screen.printed)
    stays = rendered(screen.printed)
    assert re.fullmatch(r"  BUILD   zweite-ß-二 2.0 \(\d.\d s\)", stays[1])
    assert re.fullmatch(r"  BUILD   first 1.0 \(\d.\d s\)", stays[2])
    assert [stays[0], *stays[3:]] == ["ready", "end", ""]


@pytest.mark.parametrize("columns", [1, 10, 24])
def test_a_narrow_terminal_gets_no_line_that_it_would_break(columns: int) -> None:
    screen = run("end", columns=columns)
    screen.end()
    frames = re.findall(r"\r\x1b\[J([^\x1b]*)\r\x1b\[2A", screen.printed)
    assert frames
    assert max(len(line) for frame in frames for line in frame.split("\r\n")) < columns


def test_a_terminal_that_becomes_narrower_is_drawn_for_its_new_width() -> None:
    screen = run("wait")
    screen.read_until(r"first 1.0  \d s")
    screen.resize(12)
    screen.read_until(r"\x1b\[J  BUILD   \[\r\n")
    screen.type(b"\x03")
    assert screen.end() == 130


@pytest.mark.parametrize("options", [{"term": "dumb"}, {"verbosity": 2}, {"verbosity": 0}])
def test_nothing_is_drawn_where_it_would_disturb(options: dict[str, object]) -> None:
    screen = run("end", **options)  # type: ignore[arg-type]
    assert screen.end() == 0
    assert "\x1b" not in screen.printed
    assert ("  BUILD   first 1.0\r\n" in screen.printed) is (options.get("verbosity") != 0)


def test_no_colour_is_used_at_all() -> None:
    screen = run("end")
    screen.end()
    assert not re.search(r"\x1b\[[0-9;]*m", screen.printed)


@pytest.mark.parametrize("start", [[], ["make", "--no-print-directory", "-f"]])
def test_an_interrupt_leaves_a_clean_terminal_also_when_make_gets_it_too(start: list[str], tmp_path: Path) -> None:
    words = [sys.executable, str(tmp_path / "verb.py"), "wait", "1"]
    (tmp_path / "verb.py").write_text(VERB)
    (tmp_path / "makefile").write_text(f"all:\n\t@{' '.join(words)}\n")
    screen = Screen(*([*start, str(tmp_path / "makefile")] if start else words))
    screen.read_until(r"zweite-ß-二 2.0  \d s")
    screen.type(b"\x03")
    assert screen.end() in ({-signal.SIGINT, 2} if start else {130})
    stays = rendered(screen.printed)
    assert stays[1] == "interrupted: what was there before is untouched"
    assert not [line for line in stays if "BUILD" in line or "first" in line]
    assert stays[-1] == ""


def test_there_is_no_more_than_the_terminal_has_rows() -> None:
    lines = [f"line {number}" for number in range(40)]
    assert "and 36 more" in terminal.frame(lines, 80, 6)
    assert terminal.frame(lines, 80, 6).count("\n") == 4
    assert terminal.frame(lines, 80, 1) == "\r\x1b[Jline 0\r"


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("二二二", 5, "二二"), ("e\u0301e\u0301e", 2, "e\u0301e\u0301"), ("a\x1b[31mb\n", 9, "a [31mb "), ("abc", 0, "")],
)
def test_a_text_is_cut_by_cells_and_cannot_move_the_cursor(text: str, width: int, shown: str) -> None:
    assert terminal.cut(text, width) == shown
