"""Messages, progress and errors: all that the toolkit says to a person."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

#: 0 says nothing but errors, 1 what is done, 2 also every command and its output.
verbosity = 1

_output = threading.Lock()


class UserError(Exception):
    """A mistake or a fault that the user can mend: what is wrong and where, then what to do.

    `what` is one line (a longer text, such as a compiler's, goes to `details`); `hint` is one line.
    """

    def __init__(self, what: str, hint: str = "", details: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        """Return the message as it is printed: details first, so that the conclusion is what stays in view."""
        details = f"{self.details.rstrip()}\n" if self.details.strip() else ""
        return f"{details}error: {self.what}" + (f"\n hint: {self.hint}" if self.hint else "")


def step(tag: str, text: str) -> None:
    """Say what is being done: a short tag in capitals (`VENDOR`, `BUILD`) and its object."""
    if verbosity >= 1:
        _write(sys.stdout, f"  {tag:<8}{text}")


def note(text: str) -> None:
    """Say something that the user did not ask for but wants to know."""
    if verbosity >= 1:
        _write(sys.stdout, text)


def debug(text: str) -> None:
    """Say something that only `V=2` shows."""
    if verbosity >= 2:
        _write(sys.stderr, text)


def warn(text: str) -> None:
    """Say what may be wrong but does not stop the work."""
    _write(sys.stderr, f"warning: {text}")


def _write(stream: object, text: str) -> None:
    with _output:
        print(text, file=stream, flush=True)  # type: ignore[call-overload]


class Progress:
    """A count of things done out of `total`: a bar on a terminal, a plain line every ten seconds elsewhere."""

    def __init__(self, tag: str, total: int, unit: str = "files") -> None:
        self._tag, self._total, self._unit = tag, total, unit
        self._done, self._bytes, self._last = 0, 0, time.monotonic()
        self._start = self._last
        self._terminal = sys.stdout.isatty() and verbosity == 1
        self._lock = threading.Lock()

    def advance(self, name: str, size: int = 0) -> None:
        """Count one more thing (`size` in bytes) as done."""
        with self._lock:
            self._done += 1
            self._bytes += size
            self._show(name)

    def _show(self, name: str) -> None:
        now = time.monotonic()
        rate = (
            f", {self._bytes / 1e6:.1f} MB at {self._bytes / 1e6 / max(now - self._start, 0.01):.1f} MB/s"
            if self._bytes
            else ""
        )
        text = f"{self._done}/{self._total} {self._unit}{rate}"
        if self._terminal:
            width = os.get_terminal_size(sys.stdout.fileno()).columns
            with _output:
                sys.stdout.write(f"\r\x1b[K{f'  {self._tag:<8}{text}  {name}'[: width - 1]}")
                sys.stdout.flush()
        elif verbosity >= 1 and now - self._last > 10:
            self._last = now
            step(self._tag, f"{text}  {name}")

    def close(self) -> None:
        """Take the bar off the terminal."""
        if self._terminal:
            with _output:
                sys.stdout.write("\r\x1b[K")
                sys.stdout.flush()


@contextmanager
def progress(tag: str, total: int, unit: str = "files") -> Iterator[Progress]:
    """Show the progress of a loop over `total` things for as long as the block runs."""
    bar = Progress(tag, total, unit)
    try:
        yield bar
    finally:
        bar.close()


def run_main(function: Callable[[], int | None]) -> int:
    """Run a verb and return its exit status: 0, 1 after a `UserError` or a system fault, 130 when interrupted.

    SIGTERM and SIGHUP end the verb as Ctrl-C does, so that temporary files are removed on every way out.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return function() or 0
    except UserError as error:
        _write(sys.stderr, str(error))
    except KeyboardInterrupt:
        _write(sys.stderr, "interrupted: what was there before is untouched")
        return 130
    except BrokenPipeError:
        return 1
    except OSError as error:
        _write(sys.stderr, str(_system_error(error)))
    return 1


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _system_error(error: OSError) -> UserError:
    """Turn a fault of the machine into the same two lines as any other error."""
    where = f"{error.filename}: " if error.filename else ""
    hints = {
        errno.ENOSPC: "free some space (`make clean` removes build/ and dist/) and run it again; nothing was replaced",
        errno.EACCES: "see who owns the file; run as the user who may write there",
        errno.EROFS: "the file system is read-only; move the project, or set the variable that names this directory",
    }
    hint = hints.get(error.errno or 0, "see `V=2` for the commands that were run")
    return UserError(f"{where}{error.strerror or error}", hint)
