"""An interactive bash on a pseudo-terminal, as a developer has it."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_LIMIT = 120.0


@dataclass(frozen=True)
class Terminal:
    """A shell that waits for commands at the other end of `descriptor`."""

    descriptor: int

    def ask(self, command: str) -> tuple[int, str]:
        """Type a command; return its status and what appeared on the terminal, once it has ended."""
        # One line, for a prompt may appear before each.
        os.write(self.descriptor, f"printf 'begun:\\n'; {command}; printf 'ended:%d:\\n' $?\n".encode())
        status, shown = self._read_until(r"ended:(\d+):\r?\n")
        return int(status), shown.replace("\r\n", "\n").partition("begun:\n")[2].strip()

    def read(self, command: str) -> str:
        """Type a command that has to succeed, and return what it printed."""
        status, shown = self.ask(command)
        assert status == 0, f"{command}: status {status}\n{shown}"
        return shown

    def _read_until(self, pattern: str) -> tuple[str, str]:
        seen, limit = b"", time.monotonic() + _LIMIT
        while not (found := re.search(pattern, seen.decode("utf-8", "replace"))):
            ready, _, _ = select.select([self.descriptor], [], [], max(limit - time.monotonic(), 0))
            if not ready:
                raise TimeoutError(seen.decode("utf-8", "replace"))
            seen += os.read(self.descriptor, 65536)
        return found[1], seen.decode("utf-8", "replace")[: found.start()]


@contextmanager
def bash(rc: Path, environment: Mapping[str, str], directory: Path) -> Iterator[Terminal]:
    """Start an interactive bash in a directory, with `rc` as its ~/.bashrc; it ends with the block."""
    # Without an echo, a prompt and bracketed paste, what is read is what commands print.
    quiet = f"bind 'set enable-bracketed-paste off'\nstty -echo\nPS1= PS2= PROMPT_COMMAND=\n. '{rc}'\n"
    start = rc.with_name(f"{rc.name}.start")
    start.write_text(quiet, encoding="utf-8")
    child, descriptor = pty.fork()
    if not child:
        os.chdir(directory)
        os.execve("/bin/bash", ["bash", "--noprofile", "--rcfile", str(start), "-i"], {**environment, "TERM": "xterm"})
    try:
        terminal = Terminal(descriptor)
        terminal.read("PS1=")
        yield terminal
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(descriptor)
