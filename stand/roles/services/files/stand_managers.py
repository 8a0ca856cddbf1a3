"""What runs the services of a stand: windows of one tmux session, or units of systemd."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SESSION = "services"
LAST_LINES = 30
#: For how many seconds a service may go on when it is asked to end.
STOPPING = 15


class ServiceError(Exception):
    """What is wrong, in a line or more."""


@dataclass(frozen=True)
class Service:
    """A service: where its code is, the environment and the command it runs with, and what tells that it is up."""

    name: str
    directory: str
    environment: str
    script: str
    unit: str
    check: str
    made_of: str

    @property
    def command(self) -> str:
        """Return the command of its window. Byte code does not go to the project, which may be the host's."""
        path = f"PATH={self.environment}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        return "exec " + shlex.join(
            [
                "env",
                path,
                f"VIRTUAL_ENV={self.environment}",
                "PYTHONDONTWRITEBYTECODE=1",
                "PYTHONUNBUFFERED=1",
                f"{self.environment}/bin/{self.script}",
            ]
        )

    @property
    def definition(self) -> str:
        """Return what changes when it has to be started again."""
        return hashlib.sha256(f"{self.directory} {self.command} {self.made_of}".encode()).hexdigest()


@dataclass(frozen=True)
class State:
    """How a service fares: the process it runs as (0: none), or how it ended."""

    pid: int = 0
    ended: str = ""

    @property
    def age(self) -> float:
        """Return for how many seconds its process has lived."""
        try:
            started = int(Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[19])
        except OSError:
            return 0.0
        return float(Path("/proc/uptime").read_text().split()[0]) - started / os.sysconf("SC_CLK_TCK")


def run(words: Sequence[str], check: bool = True) -> str:
    """Run a command and return what it printed."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise ServiceError(f"{shlex.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Windows:
    """Services as windows of a tmux session, of the user who runs this."""

    def start(self, service: Service) -> bool:
        """Start a service that does not run, or has another definition by now; return whether that was so."""
        target, definition = f"{SESSION}:={service.name}", self._windows().get(service.name)
        if definition is None:
            # The window is there before the service, so that it stays if the service ends at once.
            run(["tmux", "new-window", "-d", "-t", f"{SESSION}:", "-n", service.name, "cat"])
            run(["tmux", "set-option", "-w", "-t", target, "remain-on-exit", "on"])
        elif definition == service.definition and self.state(service).pid:
            return False
        self._end(service.name)
        run(["tmux", "respawn-window", "-k", "-c", service.directory, "-t", target, service.command])
        run(["tmux", "set-option", "-w", "-t", target, "@definition", service.definition])
        return True

    def prepare(self, services: Sequence[Service], project: str) -> list[str]:
        """Make the session, with a shell in its first window; return the names of windows that it took away."""
        if SESSION not in run(["tmux", "list-sessions", "-F", "#{session_name}"], check=False).split():
            run(["tmux", "new-session", "-d", "-s", SESSION, "-n", "shell", "-c", project])
            run(["tmux", "set-option", "-t", SESSION, "history-limit", "20000"])
        # Prefix R restarts the service of a window; other windows do not know the key.
        run(
            [
                "tmux",
                "bind-key",
                "R",
                "if-shell",
                "-F",
                "#{@definition}",
                "run-shell -b 'stand-services restart #{window_name}'",
            ]
        )
        gone = [
            name
            for name, definition in self._windows().items()
            if definition and name not in {service.name for service in services}
        ]
        for name in gone:
            self._end(name)
            run(["tmux", "kill-window", "-t", f"{SESSION}:={name}"])
        return gone

    def restart(self, service: Service) -> None:
        """Start the service again in its window."""
        if not self.start(service):
            self._end(service.name)
            run(["tmux", "respawn-window", "-k", "-t", f"{SESSION}:={service.name}"])

    def state(self, service: Service) -> State:
        """Tell how a service fares."""
        return self._state(service.name)

    def _state(self, name: str) -> State:
        shown = run(
            ["tmux", "list-panes", "-t", f"{SESSION}:={name}", "-F", "#{pane_dead} #{pane_pid} #{pane_dead_status}"],
            check=False,
        ).splitlines()
        if not shown:
            return State(ended="has no window")
        dead, pid, status = (*shown[0].split(), "")[:3]
        # There is no status for one that a signal has ended, nor before tmux knows of its end.
        ended = f"ended with status {status}" if status else "has ended"
        return State(ended=ended) if dead == "1" else State(pid=int(pid))

    def log(self, service: Service) -> str:
        """Return the last lines that a service wrote."""
        text = run(["tmux", "capture-pane", "-p", "-J", "-S", "-200", "-t", f"{SESSION}:={service.name}"], check=False)
        # A window is as high as it is, whatever is in it.
        return "\n".join(re.sub(r"\n{3,}", "\n\n", text.strip()).splitlines()[-LAST_LINES:])

    def _end(self, name: str) -> None:
        """End what runs in a window, and wait until it has: it may hold a port, and heed nothing that tmux does."""
        for number, seconds in ((signal.SIGTERM, STOPPING), (signal.SIGKILL, 1)):
            deadline, pid = time.monotonic() + seconds, self._state(name).pid
            if pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            while self._state(name).pid and time.monotonic() < deadline:
                time.sleep(0.05)

    def _windows(self) -> dict[str, str]:
        """Return the windows by name, each with the definition of its service (empty: it is not a service's)."""
        text = run(["tmux", "list-windows", "-t", f"{SESSION}:", "-F", "#{window_name} #{@definition}"])
        return {name: definition for name, _, definition in (line.partition(" ") for line in text.splitlines())}


class Units:
    """Services as units of systemd."""

    def prepare(self, services: Sequence[Service], project: str) -> list[str]:
        """Do nothing: packages bring their units."""
        return []

    def start(self, service: Service) -> bool:
        """Start a service that does not run; return whether that was so."""
        if self.state(service).pid:
            return False
        self.restart(service)
        return True

    def restart(self, service: Service) -> None:
        """Start the service again."""
        run(["systemctl", "restart", service.unit])

    def state(self, service: Service) -> State:
        """Tell how a service fares."""
        shown = run(["systemctl", "show", "--property=MainPID,ActiveState,SubState,Result", service.unit])
        values = dict(line.split("=", 1) for line in shown.splitlines())
        if values["ActiveState"] in ("active", "activating", "reloading") and values["MainPID"] != "0":
            return State(pid=int(values["MainPID"]))
        return State(ended=f"is {values['ActiveState']} ({values['SubState']}, {values['Result']})")

    def log(self, service: Service) -> str:
        """Return the last lines that a service wrote."""
        lines = ["--no-pager", "--output=cat", f"--lines={LAST_LINES}"]
        return run(["journalctl", *lines, "--unit", service.unit], check=False).rstrip()
