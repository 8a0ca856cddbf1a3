"""The one place that starts processes."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, NamedTuple

from toolkit.core import console, debian_packages, events, interrupts, output, secrets, system_errors
from toolkit.core.errors import UserError
from toolkit.core.output import Excerpt, Lines, Whole
from toolkit.core.watchdog import Watchdog

StrPath = str | os.PathLike[str]

#: What the make that runs us leaves in the environment, where a make that we run would find it (GNU make manual, 5.7).
_OF_MAKE = frozenset({"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEFILES", "MAKEOVERRIDES"})
#: What a child is until the watchdog knows of it: a shell that waits for a line, and ends if we are killed before.
_GATE = 'read -r _ && exec "$@" </dev/null'
#: Seconds between two looks at a command that nobody trusts: it is looked at more often as it begins.
_SHORTEST_LOOK, _LONGEST_LOOK = 0.05, 0.5
#: Live children, so that an interrupt in the main thread also ends what worker threads started.
_children: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()


class CommandError(UserError):
    """A command that ended with a status other than 0; `output` is what it printed, as far as that is kept."""

    def __init__(self, argv: Sequence[StrPath], status: int, output: str) -> None:
        words = [os.fspath(word) for word in argv]
        reason = f"was ended by signal {-status}" if status < 0 else f"failed with status {status}"
        super().__init__(f"{Path(words[0]).name} {reason}", f"the command was: {_shown(words)}", output)
        self.status = status
        self.output = output
        system_errors.note_room(self, output)


def run(
    argv: Sequence[StrPath],
    *,
    cwd: StrPath | None = None,
    env: Mapping[str, str] | None = None,
    stream: bool = False,
    completes: bool = False,
    watch: Callable[[str], None] | None = None,
    receive: Callable[[events.Event], object] | None = None,
) -> str:
    """Run a command with no standard input and return what it printed (standard output and error together).

    Of a long output its beginning and its end are returned. `env` replaces the environment (default: this process's
    own, in a C.UTF-8 locale). With `stream` output goes to the terminal, with `V=2` each line is shown as it comes, and
    the returned text is empty; else `watch` is called with each line. `receive` is called, in a thread, with each event
    of the verbs inside the command. One that `completes` goes on to its end when this process is killed: git would
    leave its lock. Raises `CommandError`, and `UserError` when the program does not exist.
    """
    shown = console.verbosity >= 2
    kept, lines = Excerpt(), Lines(console.foreign if shown else watch or _nobody)

    def take(chunk: bytes) -> None:
        lines.add(chunk)
        if not shown:
            kept.add(chunk)

    with (
        events.listening(receive) if receive else nullcontext() as channel,
        _child(
            argv,
            cwd,
            _environment(env) | (channel.environment if channel else {}),
            stdout=None if stream else subprocess.PIPE,
            pass_fds=(channel.descriptor,) if channel else (),
            guarded=not completes,
        ) as child,
    ):
        _pump(child, {child.stdout: take})
        lines.close()
    if child.returncode:
        raise CommandError(argv, child.returncode, kept.text())
    return kept.text()


def _nobody(unseen: object) -> None:
    """Let nobody look at it."""


def read(argv: Sequence[StrPath], *, cwd: StrPath | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a short command and return its standard output alone, as text; errors as for `read_bytes`."""
    return read_bytes(argv, cwd=cwd, env=env).decode("utf-8", "replace")


def read_bytes(
    argv: Sequence[StrPath], *, cwd: StrPath | None = None, env: Mapping[str, str] | None = None, limit: int = 1 << 26
) -> bytes:
    """Run a short command and return its standard output alone; errors as for `run`, and one for more than `limit`."""
    whole, errors = Whole(Path(argv[0]).name, limit), Excerpt()
    with _child(argv, cwd, _environment(env), stderr=subprocess.PIPE) as child:
        _pump(child, {child.stdout: whole.add, child.stderr: errors.add})
    if child.returncode:
        errors.add(bytes(whole.data))
        raise CommandError(argv, child.returncode, errors.text())
    return bytes(whole.data)


def supervise(
    argv: Sequence[StrPath],
    consume: Callable[[bytes], object],
    look: Callable[[int], object],
    *,
    cwd: StrPath | None = None,
    env: Mapping[str, str],
    pass_fds: Sequence[int] = (),
) -> int:
    """Run a command that nobody trusts and return its status: less than 0 for a signal.

    `consume` gets its output as it comes, `look` its process id every now and then; what either raises ends it. Output
    that comes after its end, from what it has left behind, is not waited for. `env` is all of its environment.
    """
    with _child(argv, cwd, env, pass_fds=pass_fds) as child:
        _pump(child, {child.stdout: consume}, look)
    return child.returncode


@contextmanager
def _child(
    argv: Sequence[StrPath],
    cwd: StrPath | None,
    variables: Mapping[str, str],
    *,
    stdout: int | None = subprocess.PIPE,
    stderr: int = subprocess.STDOUT,
    pass_fds: Sequence[int] = (),
    guarded: bool = True,
) -> Iterator[subprocess.Popen[bytes]]:
    """Give the block a child that runs a command. When the block is over, so is all that is left of its group."""
    words = _announce(argv, f"in {cwd}" if cwd else "")
    if not _exists(words[0], cwd, variables):
        raise debian_packages.no_program(words[0])
    child: subprocess.Popen[bytes] | None = None
    try:
        with interrupts.held():
            child = subprocess.Popen(
                # The shell would add PWD to an environment that has none.
                ["/bin/sh", "-c", _GATE if "PWD" in variables else f"unset PWD; {_GATE}", "sh", *words],
                cwd=cwd,
                env=variables,
                pass_fds=pass_fds,
                stdin=subprocess.PIPE,
                stdout=stdout,
                stderr=stderr if stdout else None,
                # A session of its own: ending it ends the compilers below it too.
                start_new_session=True,
            )
            with _lock:
                _children.add(child)
        with _watchdog.guarding(child.pid) if guarded else nullcontext():
            _open_gate(child)
            yield child
            _kill_rest(child)
    except BaseException:
        if child:
            _end(child)
        raise
    finally:
        if child:
            _forget(child)


def _announce(argv: Sequence[StrPath], note: str) -> list[str]:
    """Show a command with `V=2` and return its words."""
    words = [os.fspath(word) for word in argv]
    console.debug(f"+ {_shown(words)}" + (f"   ({note})" if note else ""))
    return words


def _shown(words: Sequence[str]) -> str:
    """Return a command as it can be pasted into a shell, but for passwords in URLs."""
    return shlex.join([secrets.masked("", word) for word in words])


def _exists(program: str, cwd: StrPath | None, variables: Mapping[str, str]) -> bool:
    if os.sep in program:
        return Path(cwd or "", program).exists()
    return shutil.which(program, path=variables.get("PATH", os.defpath)) is not None


def _open_gate(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin  # noqa: S101  -- for the type alone
    # One that has been ended meanwhile reads nothing.
    with suppress(BrokenPipeError), child.stdin:
        child.stdin.write(b"\n")


def _pump(
    child: subprocess.Popen[bytes],
    sinks: Mapping[IO[bytes] | None, output.Sink],
    look: Callable[[int], object] = _nobody,
) -> None:
    """Wait for a child's end; a pipe that is None goes elsewhere."""
    pause, seen = _SHORTEST_LOOK, time.monotonic()

    def has_ended(seconds: float) -> bool:
        nonlocal pause, seen
        if time.monotonic() - seen >= pause:
            look(child.pid)
            pause, seen = min(pause * 1.5, _LONGEST_LOOK), time.monotonic()
        try:
            return child.wait(seconds) is not None if seconds else child.poll() is not None
        except subprocess.TimeoutExpired:
            return False

    output.pump({stream.fileno(): sink for stream, sink in sinks.items() if stream}, has_ended)


def _kill_rest(child: subprocess.Popen[bytes]) -> None:
    """End what a command that has ended leaves running in its group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _forget(child: subprocess.Popen[bytes]) -> None:
    with _lock:
        _children.discard(child)
    for stream in filter(None, (child.stdin, child.stdout, child.stderr)):
        stream.close()


def run_at_terminal(argv: Sequence[StrPath]) -> int:
    """Run a command that may ask its user something, with this terminal as its own, and return its status."""
    words = _announce(argv, "")
    try:
        return subprocess.run(words, check=False).returncode
    except FileNotFoundError as error:
        raise debian_packages.no_program(words[0]) from error


def start(argv: Sequence[StrPath], log: Path) -> int:
    """Start a command that outlives this process, its output in a file, and return its process id."""
    words = _announce(argv, f"output in {log}")
    try:
        with log.open("wb") as stream:
            return _start(words, subprocess.DEVNULL, stream.fileno())
    except FileNotFoundError as error:
        raise debian_packages.no_program(words[0]) from error


def _start(words: Sequence[str], stdin: int, output: int = subprocess.DEVNULL) -> int:
    child = subprocess.Popen(
        words, env=_environment(None), stdin=stdin, stdout=output, stderr=output, start_new_session=True
    )
    # Nobody waits for it here.
    child.returncode = 0
    return child.pid


_watchdog = Watchdog(_start)


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
    # What sudo has started is root's.
    with suppress(ProcessLookupError, PermissionError):
        while number or _is_anybody_alive(child.pid):
            # 0 is no signal.
            os.killpg(child.pid, number)
            child.poll()
            number = 0 if time.monotonic() < limit else int(signal.SIGKILL)
            if time.monotonic() > limit + 5:
                break
            time.sleep(0.02)
        # Who forks as fast as it can may have been overlooked.
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _is_anybody_alive(group: int) -> bool:
    """Tell whether anybody in a group may still run, by proc(5).

    The dead stay there until they are reaped, by a process 1 that in a container does so late, or never.
    """
    try:
        return any(found.group == group and found.state not in (b"Z", b"X") for found in every_process())
    except FileNotFoundError:  # macOS
        return True


class Process(NamedTuple):
    """A process of this machine, by proc(5)."""

    id: int
    state: bytes
    parent: int
    group: int


def every_process() -> Iterator[Process]:
    """Yield the processes of this machine that can be seen. Raises `FileNotFoundError` where there is no /proc."""
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError, ValueError), open(f"/proc/{name}/stat", "rb") as stream:
            # The program's name, in parentheses, may hold anything.
            state, parent, group = stream.read().rpartition(b")")[2].split()[:3]
            yield Process(int(name), state, int(parent), int(group))
