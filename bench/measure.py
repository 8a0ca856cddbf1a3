"""Time a command as a whole: seconds on the clock, seconds of processor, and the peak memory of its largest process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Timing:
    """One run: `seconds` on the clock, `cpu` seconds of it and its children, `memory` in MB (the largest process)."""

    seconds: float
    cpu: float
    memory: float


class CommandError(Exception):
    """A measured command that failed: nothing it took is worth a figure."""


def run(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path) -> Timing:
    """Run a command with its output in `log` and return what it took. Raises `CommandError` with the log's tail."""
    start = time.monotonic()
    with log.open("ab") as output:
        output.write(f"$ {' '.join(argv)}\n".encode())
        output.flush()
        child = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - start
    if status:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise CommandError(f"{' '.join(argv)} failed with status {child.returncode}:\n{tail}")
    # ru_maxrss is in kilobytes on Linux, in bytes on macOS.
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return Timing(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


def median(timings: Sequence[Timing]) -> Timing:
    """Return the run whose time on the clock is in the middle."""
    return sorted(timings, key=lambda timing: timing.seconds)[len(timings) // 2]


def processor(timings: Sequence[Timing]) -> Timing:
    """Return the median by processor time, with that as its seconds: others on the machine disturb it less."""
    used = sorted(timings, key=lambda timing: timing.cpu)[len(timings) // 2]
    return Timing(used.cpu, used.cpu, used.memory)
