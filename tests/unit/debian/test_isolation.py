"""Builds are kept from the network."""

from __future__ import annotations

import subprocess
import sys

import pytest

from toolkit.debian import isolation

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
