"""A root that is booted: systemd runs in it, in a container of its own with no network but a loopback."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.machine import run

_ASK = """\
import sys, urllib.request
url, body = sys.argv[1:]
request = urllib.request.Request(url, data=body.encode() or None, headers={"Content-Type": "application/json"})
print(urllib.request.urlopen(request, timeout=10).read().decode())
"""


@dataclass(frozen=True)
class Booted:
    """A running system, by the process id of its init."""

    leader: int

    def run(self, *words: str) -> str:
        """Run a command in it and return what it printed."""
        paths = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        return run(["nsenter", f"--target={self.leader}", "--all", "--", *words], env=paths)

    def ask(self, url: str, body: object = None) -> Any:
        """Ask a service in it over HTTP and return its answer, JSON as it has to be."""
        return json.loads(self.run("python3", "-c", _ASK, url, json.dumps(body) if body else ""))

    def property(self, unit: str, name: str) -> str:
        """Return a property of a unit, systemctl(1)."""
        return self.run("systemctl", "show", "--property", name, "--value", unit).strip()


@contextmanager
def boot(root: Path) -> Iterator[Booted]:
    """Boot a root that has systemd, wait until all its units have started, and shut it down at the end."""
    words = [
        "systemd-nspawn",
        f"--directory={root}",
        "--boot",
        "--register=no",
        "--keep-unit",
        "--private-network",
        "--console=pipe",
    ]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as nspawn:
        try:
            booted = Booted(_leader(nspawn))
            # It fails where a unit has failed: which one, a test says better.
            subprocess.run(
                ["nsenter", f"--target={booted.leader}", "--all", "--", "systemctl", "is-system-running", "--wait"],
                check=False,
                capture_output=True,
                timeout=120,
            )
            yield booted
            booted.run("systemctl", "poweroff")
            nspawn.communicate(timeout=60)
        finally:
            nspawn.kill()


def _leader(nspawn: subprocess.Popen[bytes]) -> int:
    """Return the process id of the init, once there is a bus to reach it by."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert nspawn.poll() is None, nspawn.stdout.read().decode() if nspawn.stdout else ""
        children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children").read_text().split()
        if children and Path(f"/proc/{children[0]}/root/run/systemd/private").exists():
            return int(children[0])
        time.sleep(0.1)
    raise AssertionError("the system did not boot")
