"""Where a process listens, and how it answers there."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path


def processes(first: int) -> Iterator[int]:
    """Yield a process and all that it started."""
    yield first
    try:
        for task in Path(f"/proc/{first}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from processes(int(child))
    except OSError:
        return


def listening(pid: int) -> list[tuple[str, int]]:
    """Return the addresses and ports of TCP that a process, or what it started, listens on."""
    sockets = set()
    for process in processes(pid):
        try:
            with os.scandir(f"/proc/{process}/fd") as links:
                sockets |= {os.readlink(link.path) for link in links}
        except OSError:
            continue
    tables = (_table(Path(f"/proc/{pid}/net/{name}")) for name in ("tcp", "tcp6"))
    return sorted(
        {
            _address(fields[1])
            for table in tables
            for fields in table
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets
        }
    )


def _table(path: Path) -> list[list[str]]:
    """Return the fields of each socket; none where the process has just ended, or there is no IPv6."""
    try:
        return [line.split() for line in path.read_text().splitlines()[1:]]
    except OSError:
        return []


def _address(text: str) -> tuple[str, int]:
    """Return an address of /proc/net/tcp, proc(5): 32-bit words in the order of this machine, then the port."""
    words, port = text.split(":")
    packed = b"".join(int(words[i : i + 8], 16).to_bytes(4, sys.byteorder) for i in range(0, len(words), 8))
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed), int(port, 16)


def answer(address: str, port: int) -> str:
    """Return how a port answers to a request for `/`: `HTTP 200`; empty for what is not HTTP."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    try:
        with socket.create_connection((here, port), timeout=2) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
            first = connection.makefile("rb").readline(200).decode("latin-1").split()
    except OSError:
        return ""
    return f"HTTP {first[1]}" if len(first) > 1 and first[0].startswith("HTTP/") else ""
