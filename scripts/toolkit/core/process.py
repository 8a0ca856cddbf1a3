"""The one place that starts processes."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from toolkit.core import console, debian_packages, events
from toolkit.core.errors import UserError

StrPath = str | os.PathLike[str]

#: What the make that runs us leaves in the environment, where a make that we run would find it (GNU make manual, 5.7).
_OF_MAKE = frozenset({"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEFILES", "MAKEOVERRIDES"})
#: Live children, so that an interrupt in the main thread also ends what worker threads started.
_children: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()


class CommandError(UserError):
    """A command that ended with a status other than 0; `output` is all that it printed."""

    def __init__(self, argv: Sequence[str], status: int, output: str) -> None:
        reason = f"was ended by signal {-status}" if status < 0 else f"failed with status {status}"
        super().__init__(f"{Path(argv[0]).name} {reason}", f"the command was: {shlex.join(argv)}", output)
        self.status = status
        self.output = output


def run(
    argv: Sequence[StrPath],
    *,
    cwd: StrPath | None = None,
    env: Mapping[str, str] | None = None,
    stream: bool = False,
    watch: Callable[[str], None] | None = None,
    receive: Callable[[events.Event], object] | None = None,
) -> str:
    """Run a command with no standard input and return what it printed (standard output and error together).

    `env` replaces the environment (default: this process's own, in a C.UTF-8 locale). With `stream`, or `V=2`,
    output goes to the terminal as it comes and the returned text is empty; else `watch` is called with each line as it
    comes. `receive` is called, in a thread, with each event of the verbs inside the command. Raises `CommandError`, and
    `UserError` when the program does not exist.
    """
    shown = stream or console.verbosity >= 2
    with events.listening(receive) if receive else nullcontext() as channel:
        with _starting(argv, cwd) as words:
            # A session of its own: ending it ends the compilers below it too.
            child = subprocess.Popen(
                words,
                cwd=cwd,
                env=_environment(env) | (channel.environment if channel else {}),
                pass_fds=(channel.descriptor,) if channel else (),
                stdin=subprocess.DEVNULL,
                stdout=None if shown else subprocess.PIPE,
                stderr=None if shown else subprocess.STDOUT,
                start_new_session=True,
            )
        with _lock:
            _children.add(child)
        try:
            captured = b"".join(_lines(child, watch)) if watch and not shown else child.communicate()[0]
        except BaseException:
            _end(child)
            raise
        finally:
            with _lock:
                _children.discard(child)
    output = (captured or b"").decode("utf-8", "replace")
    if child.returncode:
        raise CommandError(words, child.returncode, output)
    return output


@contextmanager
def _starting(argv: Sequence[StrPath], cwd: StrPath | None = None, note: str = "") -> Iterator[list[str]]:
    """Show a command with `V=2` and give its words to the block, which starts it: without its program, `UserError`."""
    words = [os.fspath(word) for word in argv]
    note = note or (f"in {cwd}" if cwd else "")
    console.debug(f"+ {shlex.join(words)}" + (f"   ({note})" if note else ""))
    try:
        yield words
    except FileNotFoundError as error:
        raise debian_packages.no_program(words[0]) from error


def _lines(child: subprocess.Popen[bytes], watch: Callable[[str], None]) -> Iterator[bytes]:
    assert child.stdout  # noqa: S101  -- for the type alone
    with child.stdout as output:
        for line in output:
            watch(line.decode("utf-8", "replace").rstrip("\n"))
            yield line
    child.wait()


def read(argv: Sequence[StrPath], *, cwd: StrPath | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a short command and return its standard output alone, as text; errors as for `run`."""
    return read_bytes(argv, cwd=cwd, env=env).decode("utf-8", "replace")


def read_bytes(argv: Sequence[StrPath], *, cwd: StrPath | None = None, env: Mapping[str, str] | None = None) -> bytes:
    """Run a short command and return its standard output alone; errors as for `run`."""
    with _starting(argv, cwd) as words:
        done = subprocess.run(
            words, cwd=cwd, env=_environment(env), stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    if done.returncode:
        raise CommandError(words, done.returncode, (done.stderr + done.stdout).decode("utf-8", "replace"))
    return done.stdout


def run_at_terminal(argv: Sequence[StrPath]) -> int:
    """Run a command that may ask its user something, with this terminal as its own, and return its status."""
    with _starting(argv) as words:
        return subprocess.run(words, check=False).returncode


def start(argv: Sequence[StrPath], log: Path) -> int:
    """Start a command that outlives this process, its output in a file, and return its process id."""
    with _starting(argv, note=f"output in {log}") as words, log.open("wb") as output:
        child = subprocess.Popen(
            words,
            env=_environment(None),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # Nobody waits for it here.
    child.returncode = 0
    return child.pid


def end_children() -> None:
    """End every process that is still running, with all that it started."""
    with _lock:
        children = list(_children)
    for child in children:
        _end(child)


def without_make() -> dict[str, str]:
    """Return this process's environment without what belongs to the make that runs it.

    Settings given on that make's command line stay: make exports them under their own names.
    """
    return {name: value for name, value in os.environ.items() if name not in _OF_MAKE}


def _environment(env: Mapping[str, str] | None) -> dict[str, str]:
    return {**(os.environ if env is None else env), "LC_ALL": "C.UTF-8"}


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a child and its whole group: a verb in it first removes what it has begun. After ten seconds it is killed."""
    limit = time.monotonic() + 10
    number = int(signal.SIGTERM)
    with suppress(ProcessLookupError):
        while True:
            os.killpg(child.pid, number)
            child.poll()
            # 0 is no signal, and asks whether anybody is left in the group.
            number = 0 if time.monotonic() < limit else int(signal.SIGKILL)
            time.sleep(0.02)
    child.wait()
