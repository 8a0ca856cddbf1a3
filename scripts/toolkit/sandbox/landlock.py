"""Walls without namespaces, where a system bars those: Landlock, and a filter that leaves no sockets and no sessions.

A program finds its files where they are, and no others; it sees no /proc but what tells of the machine. The kernel lets
it signal and trace nobody outside, and a supervisor changes modes, owners and times of its own files for it, and of no
others. Where there is a network it has no sockets at all, so no loopback either. What it starts stays in its process
group, by which it is ended: setsid(2) and setpgid(2) do nothing, successfully, as ninja calls them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from toolkit.sandbox import landlock_runner, system_calls
from toolkit.sandbox.limits import Limits
from toolkit.sandbox.view import MERGED, View, in_memory, system, without

_RUNNER = Path(landlock_runner.__file__)
_MACHINE = ("cpuinfo", "meminfo", "stat", "loadavg", "version", "filesystems", "sys/kernel/osrelease")
_DEVICES = ("null", "zero", "full", "random", "urandom")


def is_there() -> bool:
    """Tell whether this kernel's Landlock confines all that it has to."""
    return sys.platform == "linux" and landlock_runner.version() >= landlock_runner.ABI


@contextmanager
def command(
    words: Sequence[str], view: View, limits: Limits, hidden: Sequence[Path], *, sockets: bool
) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """Give the block the command that runs another one confined, and the descriptors that it inherits.

    `hidden` are left out of the system's directories; `sockets` are for where there is no network.
    """
    shown = [path for path in ("/usr", *MERGED) if os.path.isdir(path)] + system()
    readable = [part for path in shown for part in without(path, hidden)]
    readable += [f"/proc/{name}" for name in _MACHINE if os.path.exists(f"/proc/{name}")]
    filter_ = in_memory(system_calls.program(sockets=sockets, namespaces=False))
    request = {
        "readable": [*readable, *map(str, view.readable.values())],
        "writable": [*map(str, view.own), *(f"/dev/{name}" for name in _DEVICES)],
        "filter": filter_,
        "seccomp": system_calls.number("seccomp"),
        "supervised": system_calls.supervised(),
        "sockets": sockets,
        # The kernel would count all processes of the user as this run's.
        "limits": {name: value for name, value in limits.of_a_process().items() if name != "nproc"},
    }
    # No file, which would stay where this process is killed.
    descriptors = filter_, in_memory(json.dumps(request).encode())
    try:
        yield [sys.executable, "-I", "-S", str(_RUNNER), str(descriptors[1]), *words], descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
