"""Ask a service whether it is ready: `readiness.py PID...`, run in its machine by the service's own interpreter.

Each TCP port that one of these processes listens on is asked for the paths of readiness and liveness that Kubernetes
has made usual. Prints what is wrong: an answer with a status of 500 or more. What answers otherwise, or is no HTTP, is
left alone. The standard library alone, as this is started by its path.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

#: https://kubernetes.io/docs/reference/using-api/health-checks/
PATHS = ("/readyz", "/healthz")
_SECONDS = 10
_LISTENING = "0A"  # TCP_LISTEN of linux/include/net/tcp_states.h
_SOCKET = re.compile(r"socket:\[([0-9]+)\]")


def ports(pids: list[str], proc: Path = Path("/proc")) -> list[int]:
    """Return the TCP ports that these processes listen on, proc_pid_net(5)."""
    inodes = {inode for pid in pids for inode in _sockets(proc / pid / "fd")}
    found = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text(encoding="ascii").splitlines()[1:]
        except FileNotFoundError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == _LISTENING and fields[9] in inodes:
                found.add(int(fields[1].rpartition(":")[2], 16))
    return sorted(found)


def _sockets(directory: Path) -> Iterator[str]:
    # Of a process that may end at any time, and files that may be closed.
    with suppress(OSError):
        for name in os.listdir(directory):
            with suppress(OSError):
                if match := _SOCKET.fullmatch(os.readlink(directory / name)):
                    yield match[1]


def wrong(port: int) -> str:
    """Return what a port answers that says that its service is not ready; nothing where it says no such thing."""
    for path in PATHS:
        for host in ("127.0.0.1", "::1"):
            connection = HTTPConnection(host, port, timeout=_SECONDS)
            try:
                connection.request("GET", path)
                status = connection.getresponse().status
            except (OSError, HTTPException, ValueError):
                continue
            finally:
                connection.close()
            if status >= 500:
                return f"GET {path} on port {port} is answered with {status}"
            break
    return ""


if __name__ == "__main__":
    print("; ".join(filter(None, map(wrong, ports(sys.argv[1:])))))
