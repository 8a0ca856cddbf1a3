"""Ends what this process has started when it is killed itself (SIGKILL), which no handler of its own can see to.

A shell in a session of its own, which no kill of our process group reaches, is told through a pipe which groups of
processes live; the kernel closes that pipe when we are gone, whatever the reason. The parent-death signal of prctl(2)
would reach the child alone, not what the child has started, and comes when the *thread* that started it ends.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

_SCRIPT = """
cd /
groups=' '
while read -r sign group; do
    case $sign in
    +) groups="$groups$group " ;;
    -) groups="${groups%% $group *} ${groups#* $group }" ;;
    esac
done
for group in $groups; do kill -KILL "-$group"; done
"""


class Watchdog:
    """Kills the process groups that it guards when this process ends without having said that they are over.

    `start` starts a command of these words with a descriptor as its standard input, and leaves it running.
    """

    def __init__(self, start: Callable[[Sequence[str], int], object]) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._pipe = -1

    @contextmanager
    def guarding(self, group: int) -> Iterator[None]:
        """Guard a process group while the block runs."""
        self._tell(f"+ {group}\n")
        try:
            yield
        finally:
            self._tell(f"- {group}\n")

    def _tell(self, line: str) -> None:
        with self._lock:
            if self._pipe < 0:
                # No child inherits them (PEP 446), and the shell has but the reading end.
                reading, self._pipe = os.pipe()
                self._start(["/bin/sh", "-c", _SCRIPT, "watchdog"], reading)
                os.close(reading)
            # A watchdog that somebody has killed guards nothing any more; that is no reason to stop the work.
            with suppress(BrokenPipeError):
                os.write(self._pipe, line.encode())
