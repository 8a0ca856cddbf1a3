"""A host that runs virtual machines, in namespaces of this one: libvirt started by hand, and a way out for packages."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.machine import run

_SCRIPT = Path(__file__).with_name("host.sh")
_NAME = "stand-test"
#: Of RFC 5737's networks for documentation: one that nobody is in.
_OUTSIDE, _INSIDE, _LINK = "198.51.100.1", "198.51.100.2", "198.51.100.0/30"
_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")


@dataclass(frozen=True)
class Host:
    """The host, by the process id of its libvirt."""

    libvirtd: int

    def run(self, *words: str, cwd: Path, env: Mapping[str, str]) -> str:
        """Run a command there and return what it printed, which is shown when it fails."""
        entered = ["nsenter", f"--target={self.libvirtd}", "--mount", "--net", f"--wd={cwd}", "--", *words]
        started = time.monotonic()
        try:
            return run(entered, env=env)
        finally:
            print(f"{time.monotonic() - started:6.0f} s  {' '.join(words)}", flush=True)


@contextmanager
def start(directory: Path) -> Iterator[Host]:
    """Start a host whose libvirt keeps its state in a directory; of all that, nothing is left."""
    with ExitStack() as undone:
        _connect(undone)
        words = ["ip", "netns", "exec", _NAME, "sh", str(_SCRIPT), str(directory)]
        libvirtd = undone.enter_context(subprocess.Popen(words, stdin=subprocess.DEVNULL))
        # Whatever happens, it is told to end before it is waited for; its networks' servers outlive it and come later.
        undone.callback(libvirtd.terminate)
        _wait_for(directory / "run" / "libvirt-sock", libvirtd)
        yield Host(libvirtd.pid)


def _connect(undone: ExitStack) -> None:
    """Make the network namespace, with a way out: to this host, which translates its address."""
    translated = ["POSTROUTING", "-s", _LINK, "-j", "MASQUERADE"]
    forwarding = _FORWARD.read_text()
    run(["ip", "netns", "add", _NAME])
    undone.callback(lambda: run(["ip", "netns", "del", _NAME]))
    undone.callback(_end_processes)
    run(["ip", "link", "add", "stand-test-out", "type", "veth", "peer", "name", "stand-test-in", "netns", _NAME])
    run(["ip", "address", "add", f"{_OUTSIDE}/30", "dev", "stand-test-out"])
    # With the namespace it would go only when the last process in it has.
    undone.callback(lambda: run(["ip", "link", "delete", "stand-test-out"]))
    run(["ip", "link", "set", "stand-test-out", "up"])
    for words in (
        ["address", "add", f"{_INSIDE}/30", "dev", "stand-test-in"],
        ["link", "set", "stand-test-in", "up"],
        ["link", "set", "lo", "up"],
        ["route", "add", "default", "via", _OUTSIDE],
    ):
        run(["ip", "-netns", _NAME, *words])
    run(["iptables", "-t", "nat", "-A", *translated])
    undone.callback(lambda: run(["iptables", "-t", "nat", "-D", *translated]))
    _FORWARD.write_text("1")
    undone.callback(lambda: _FORWARD.write_text(forwarding))


def _end_processes() -> None:
    """End what still runs in the network namespace, which is all ours."""
    for pid in run(["ip", "netns", "pids", _NAME]).split():
        os.kill(int(pid), 15)


def _wait_for(socket: Path, libvirtd: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not socket.exists():
        assert libvirtd.poll() is None, "libvirtd ended"
        assert time.monotonic() < deadline, "libvirtd does not listen"
        time.sleep(0.1)
