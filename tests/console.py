"""What documents show as a session at a terminal: ```` ```console ```` blocks, run as they stand and compared.

A line that starts with `$ ` is typed, and so are the lines after it that start with `> `. The lines that follow have to
be in what it prints, in this order; `…` stands for anything. A command has to succeed, unless what is shown of it has
a line that starts with `error: `: then it has to fail.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "\x1e"


@dataclass(frozen=True)
class Command:
    """What is typed, what is shown of its output, and where it stands (`file:line`)."""

    typed: str
    shown: tuple[str, ...]
    place: str

    @property
    def fails(self) -> bool:
        """Tell whether it is shown to fail."""
        return any(line.startswith("error: ") for line in self.shown)


def read(document: Path) -> Iterator[Command]:
    """Yield the commands of a document, in their order."""
    text = document.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        number = text.count("\n", 0, block.start(1)) + 1
        yield from _commands(block[1].splitlines(), f"{document.name}:", number)


def _commands(lines: list[str], name: str, number: int) -> Iterator[Command]:
    starts = [index for index, line in enumerate(lines) if line.startswith("$ ")]
    assert starts[:1] == [0], f"{name}{number}: a block starts with a command"
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        more = next((i for i in range(start + 1, end) if not lines[i].startswith("> ")), end)
        typed = "\n".join(line[2:] for line in lines[start:more])
        yield Command(typed, tuple(line for line in lines[more:end] if line.strip()), f"{name}{number + start}")


def missing(shown: tuple[str, ...], printed: str) -> str:
    """Return the first line that is shown and was not printed after those before it; empty when all were."""
    lines = iter([line.rstrip() for line in printed.splitlines()])
    for wanted in shown:
        pattern = re.compile(".*".join(map(re.escape, wanted.rstrip().split("…"))))
        if not any(pattern.fullmatch(line) for line in lines):
            return wanted
    return ""


class Session:
    """A shell that keeps its directory and its variables from command to command."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=directory,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def type(self, command: str) -> tuple[int, str]:
        """Run a command and return its status and what it printed."""
        assert self._shell.stdin and self._shell.stdout
        # Programs must not read the rest of the session as their input.
        self._shell.stdin.write(f"{{ {command}\n}} < /dev/null; printf '{_END}%s\\n' $?\n")
        self._shell.stdin.flush()
        printed = ""
        for line in self._shell.stdout:
            before, mark, status = line.partition(_END)
            printed += before
            if mark:
                return int(status), printed
        raise AssertionError(f"the shell ended: {command}\n{printed}")

    def check(self, command: Command) -> None:
        """Run a command and compare what it does with what is shown of it."""
        status, printed = self.type(command.typed)
        told = f"{command.place}: $ {command.typed}\n{printed}\n(status {status})"
        assert (status != 0) is command.fails, told
        lacking = missing(command.shown, printed)
        assert not lacking, f"{told}\nnot printed: {lacking}"

    def close(self) -> None:
        """End the shell."""
        assert self._shell.stdin and self._shell.stdout
        self._shell.stdin.close()
        self._shell.wait(timeout=60)
        self._shell.stdout.close()
