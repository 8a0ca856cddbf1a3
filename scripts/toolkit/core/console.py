"""Messages, progress and errors: all that the toolkit says to a person."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import TextIO

from toolkit.core import events, foreign_text, interrupts, system_errors, terminal
from toolkit.core.errors import UserError, combined

#: 0 says nothing but errors, 1 what is done, 2 also every command and its output.
verbosity = 1


_UNTOUCHED = "interrupted: what was there before is untouched"
#: What stands before each line that others have said: no such line can be taken for one of ours.
_BAR = "  | "


def step(tag: str, text: str) -> None:
    """Say what is being done: a short tag in capitals (`VENDOR`, `BUILD`) and its object."""
    events.send("step", tag=tag, text=text)
    print_step(tag, text)


def print_step(tag: str, text: str) -> None:
    """Print a step, but do not send it: whoever runs this verb knows of it by other events."""
    if verbosity >= 1:
        terminal.write(sys.stdout, f"  {tag:<8}{_indented(text)}")


def note(text: str) -> None:
    """Say something that the user did not ask for but wants to know."""
    events.send("note", text=text)
    if verbosity >= 1:
        terminal.write(sys.stdout, text)


def report(text: str) -> None:
    """Print the answer that a verb was asked for."""
    terminal.write(sys.stdout, text.removesuffix("\n"))


def debug(text: str) -> None:
    """Say something that only `V=2` shows."""
    if verbosity >= 2:
        terminal.write(sys.stderr, text)


def foreign(line: str) -> None:
    """Print a line of what another program says."""
    terminal.write(sys.stdout, "\n".join(_barred(sys.stdout, line)))


def quoted(text: str) -> str:
    """Return what others have said, as it stands in our messages."""
    return "".join(f"{row}\n" for line in text.rstrip().splitlines() for row in _barred(sys.stderr, line))


def _barred(stream: TextIO, line: str) -> list[str]:
    # A terminal that broke a long line would begin a row with any of its words: "error: ".
    return [f"{_BAR}{row}" for row in terminal.rows(stream, foreign_text.plain(line), len(_BAR))]


def warn(text: str) -> None:
    """Say what may be wrong but does not stop the work."""
    events.send("warning", text=text)
    terminal.write(sys.stderr, f"warning: {_indented(text)}")


def run_main(function: Callable[[], int | None]) -> int:
    """Run a verb and return its exit status: 0, 1 after a `UserError` or a system fault, 130 when interrupted.

    The words of a `KeyboardInterrupt` say what is not as it was before.
    """
    _open_closed()
    interrupts.catch()
    events.join()
    try:
        return function() or 0
    except UserError as error:
        _print_error(combined(map(system_errors.corrected, error.parts)))
    except KeyboardInterrupt as error:
        terminal.write(sys.stderr, f"interrupted: {error}" if error.args else _UNTOUCHED)
        return 130
    except BrokenPipeError:
        return 1
    except OSError as error:
        _print_error(system_errors.explain(error))
    except RuntimeError as error:
        if not (known := system_errors.known(error)):
            raise
        _print_error(known)
    return 1


def _open_closed() -> None:
    """Open standard streams that are closed (`make <&- >&-`): other files would get their numbers, and what is printed.

    Python has none where they were closed when it started.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)


def _print_error(error: UserError) -> None:
    for part in error.parts:
        # The conclusion last, where it stays in view.
        hint = f"\n hint: {_indented(part.hint)}" if part.hint else ""
        terminal.write(sys.stderr, f"{quoted(part.details)}error: {_indented(part.what)}{hint}")
    events.send("error", what=error.what, hint=error.hint, details=error.details)


def _indented(text: str) -> str:
    """Return a text whose further lines cannot be taken for lines of another kind."""
    return re.sub(r"\n *", "\n       ", text)
