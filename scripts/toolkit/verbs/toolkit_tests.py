"""Run the toolkit's own tests: tox on every interpreter there is, and beside it end to end on this script's own."""

from __future__ import annotations

import argparse
import compileall
import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from toolkit.core import console, files, process, threads
from toolkit.core.errors import UserError
from toolkit.project.settings import Settings
from toolkit.sandbox import limits
from toolkit.verbs.running import Run

REQUIREMENTS = Path("tests/requirements.txt")
_END_TO_END = "tests/e2e"
#: What builds in chroots of its own, half of the time of all: a session of its own, beside that of the rest.
_IN_CHROOTS = "check_deb fresh_machine rust sbuild user_builds"
#: Where temporary files are in memory, and what memory there has to be for it.
_TEMPORARY, _MEMORY = Path("/var/tmp"), 12 << 30
_IN_MEMORY = ("unshare", "--mount", "sh", "-euc", 'mount -t tmpfs -o mode=1777,size=75% tmpfs "$0"; exec "$@"')
PYTHONS = {"py311": "python3.11", "py312": "python3.12", "py313": "python3.13"}


def prepare(chosen: Settings) -> Path:
    """Return the interpreter of an environment with the test tools, made or brought up to date in build/."""
    prefix, requirements = chosen.build / "test-environment", chosen.project / REQUIREMENTS
    stamp, expected = prefix / ".requirements", f"{sys.version} {files.sha256(requirements)}\n"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != expected:
        console.step("SETUP", f"{prefix.name}, from {REQUIREMENTS}")
        files.remove(prefix)
        process.run([sys.executable, "-m", "venv", prefix])
        process.run(
            [
                prefix / "bin" / "python",
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--require-hashes",
                "--requirement",
                requirements,
            ]
        )
        files.write_atomic(stamp, expected)
    return prefix / "bin" / "python"


def enter_memory(chosen: Settings) -> None:
    """Go on with temporary files in memory, where root may have that: tests make and remove more than a million.

    On a disk that is half of their time: ext4 without a journal looks for an inode that was not in use a moment ago.
    """
    if os.geteuid() != 0 or os.environ.get("TMPDIR") or chosen.project.is_relative_to(_TEMPORARY):
        return
    try:
        if limits.machine_memory()[b"MemAvailable"] < _MEMORY:
            return
    except FileNotFoundError:  # macOS
        return
    try:
        process.read([*_IN_MEMORY, _TEMPORARY, "true"])
    except UserError as error:
        console.note(f"temporary files are on the disk: {error.what}")
        return
    os.environ["TMPDIR"] = str(_TEMPORARY)
    os.execvp(_IN_MEMORY[0], [*_IN_MEMORY, str(_TEMPORARY), sys.executable, *sys.argv])


def search_path(environment: Mapping[str, str]) -> str:
    """Return a PATH that also has the interpreters of pyenv: themselves, as its shims obey .python-version."""
    own = Path(environment.get("PYENV_ROOT") or "~/.pyenv").expanduser()
    listed = [name for name in environment.get("PATH", os.defpath).split(os.pathsep) if not name.startswith(str(own))]
    return os.pathsep.join([*listed, *map(str, sorted(own.glob("versions/*/bin")))])


def run_tox(python: Path, chosen: Settings, environments: Sequence[str]) -> None:
    """Run tox, after saying which interpreters there are not."""
    environment = {**process.without_make(), "PATH": search_path(os.environ)}
    for name in environments:
        if name in PYTHONS and not shutil.which(PYTHONS[name], path=environment["PATH"]):
            console.warn(f"{name}: NOT RUN, there is no {PYTHONS[name]} on PATH or in pyenv")
    # The interpreters of tox environments are looked for on PATH; `python` itself is not one of them.
    # Side by side, each one's output is shown when it is done; alone, as it comes.
    how = ["run-parallel", "--parallel-no-spinner"] if len(environments) > 1 else ["run"]
    process.run(
        [python, "-m", "tox", *how, "--conf", chosen.project / "tox.ini", "-e", ",".join(environments)],
        cwd=chosen.project,
        env=environment,
        stream=True,
    )


def run_pytest(python: Path, chosen: Settings, words: Sequence[str]) -> None:
    """Run pytest with the interpreter of this script."""
    try:
        process.run([python, "-m", "pytest", *words], cwd=chosen.project, env=process.without_make(), stream=True)
    except process.CommandError as error:
        # pytest's summary stays the last thing printed.
        sys.exit(error.status)


def gather_pytest(python: Path, chosen: Settings, words: Sequence[str]) -> tuple[int, list[str]]:
    """Run pytest as `run_pytest` does, and return its status and the lines it printed; with `V=2` they are shown."""
    lines: list[str] = []
    try:
        variables = process.without_make()
        process.run([python, "-m", "pytest", *words], cwd=chosen.project, env=variables, watch=lines.append)
    except process.CommandError as error:
        return error.status, lines
    return 0, lines


def attempt(name: str, function: Callable[[], None]) -> bool:
    """Run one part of the tests, say how long it took, and return whether it passed."""
    console.step("TEST", name)
    start, verdict = time.monotonic(), "passed"
    try:
        function()
    except process.CommandError:
        verdict = "FAILED"
    console.step("TEST", f"{name}: {verdict} in {time.monotonic() - start:.0f} s")
    return verdict == "passed"


def run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `toolkit-tests`."""
    parser.add_argument("--tests", default="", metavar="WORDS", help="arguments of pytest: run only these tests")
    parser.add_argument("--environments", default="", metavar="NAMES", help="run only these environments of tox")


def run(run: Run) -> int:
    """Run the tests; the last thing printed is pytest's own summary."""
    arguments, chosen = run.arguments, run.settings
    enter_memory(chosen)
    python = prepare(chosen)
    # Tests make projects with copies of it.
    compileall.compile_dir(chosen.toolkit / "scripts", quiet=1)
    if arguments.tests:
        run_pytest(python, chosen, ["-m", "", *shlex.split(arguments.tests)])
        return 0
    environments = arguments.environments.split() or ["lint", *PYTHONS]
    tox = f"tox {' '.join(environments)}", lambda: run_tox(python, chosen, environments)
    if arguments.environments:
        return 0 if attempt(*tox) else 1
    # End to end waits a good deal: for disks, for the network, for machines to boot.
    with threads.pool(2, process.end_children) as pool:
        words, paths = ("-m", "e2e", "--durations=10"), [f"{_END_TO_END}/test_{n}.py" for n in _IN_CHROOTS.split()]
        sessions = (paths, [_END_TO_END, *(f"--ignore={path}" for path in paths)])
        futures = [pool.submit(gather_pytest, python, chosen, [*words, *each]) for each in sessions]
        passed = attempt(*tox)
        console.step("TEST", "end to end, begun beside tox" + ("" if passed else " (something above FAILED)"))
    outcomes = [future.result() for future in futures]
    for _, lines in outcomes:
        # pytest's summary stays the last thing printed.
        print(*lines, sep="\n", flush=True)
    # One that was ended by a signal has its number, negative.
    return 0 if passed and not any(status for status, _ in outcomes) else 1
