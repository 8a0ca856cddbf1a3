"""Builds are kept from the network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.build import isolation

HEADER = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"
LOOPBACK6 = f"{'0' * 31}1 80 {'0' * 32} 00 {'0' * 32} 00000000 00000002 00000000 80200001       lo\n"
RUNNER = [sys.executable, "-I", str(isolation.RUNNER)]
_ASK = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
    print("loopback")
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
    try:
        handle.connect(("192.0.2.1", 9))
    except OSError as error:
        print(error.strerror)
import os
print(os.getuid(), os.getgid())
"""


@pytest.mark.parametrize(
    ("routes", "routes6", "expected"),
    [
        (HEADER, LOOPBACK6, False),
        (HEADER, None, False),
        (HEADER + "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\n", LOOPBACK6, True),
        (HEADER, LOOPBACK6.replace("      lo", "    eth0"), True),
        (None, None, True),
    ],
)
def test_a_route_that_leaves_the_machine_is_a_network(
    tmp_path: Path, routes: str | None, routes6: str | None, expected: bool
) -> None:
    for name, text in (("route", routes), ("ipv6_route", routes6)):
        if text is not None:
            (tmp_path / name).write_text(text)
    assert isolation.has_network(tmp_path / "route", tmp_path / "ipv6_route") is expected


def _has_namespaces() -> bool:
    return subprocess.run([*RUNNER, "true"], check=False, capture_output=True).returncode == 0


namespaces = pytest.mark.skipif(not _has_namespaces(), reason="this kernel allows no namespaces")


@namespaces
def test_a_program_has_a_loopback_of_its_own_and_nothing_else_and_stays_who_it_is() -> None:
    done = subprocess.run([*RUNNER, sys.executable, "-c", _ASK], check=True, capture_output=True, text=True)
    here = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getuid(), os.getgid())"], check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == ["loopback", "Network is unreachable", here.stdout.strip()]


@namespaces
def test_a_program_sees_no_process_but_those_it_starts() -> None:
    code = "import os; print([name for name in os.listdir('/proc') if name.isdigit()])"
    done = subprocess.run([*RUNNER, sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "['1', '2']\n"


@namespaces
@pytest.mark.parametrize(("script", "status"), [("exit 7", 7), ("kill -9 $$", 137), ("yes | head -1", 0)])
def test_a_program_ends_as_it_would_elsewhere(script: str, status: int) -> None:
    done = subprocess.run([*RUNNER, "/bin/sh", "-c", script], check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (status, b"")


#: Starts a daemon whose end this test sees: that of the pipe it holds.
_DAEMON = "setsid --fork sleep 300; echo ready; {}"


@namespaces
@pytest.mark.parametrize("end", ["the program", "the runner"])
def test_all_that_a_program_has_started_ends_with_it(end: str) -> None:
    script = _DAEMON.format("exit" if end == "the program" else "sleep 300")
    with subprocess.Popen([*RUNNER, "/bin/sh", "-c", script], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert running.stdout.readline() == "ready\n"
        if end == "the runner":
            running.kill()
        assert running.stdout.read() == ""


def test_a_build_that_missed_the_network_is_told_that_there_is_none() -> None:
    assert "no network" in isolation.suggestion("OSError: [Errno 101] Network is unreachable\n")
    assert isolation.suggestion("error: expected ';' before '}' token") == ""
