"""Servers of this machine that no build may reach; they record what they are told."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Listeners:
    """Where they listen, and all that they have `heard`."""

    tcp: int = 0
    udp: int = 0
    abstract: str = ""
    paths: list[str] = field(default_factory=list)
    heard: bytes = b""

    def heard_of(self, case: str) -> bool:
        """Tell whether a case's own name was said to any of them."""
        return case.encode() in self.heard


@contextmanager
def listening(*directories: Path) -> Iterator[Listeners]:
    """Listen for as long as the block runs: by TCP, UDP, vsock, an abstract socket, and one in each directory."""
    listeners, waiting = Listeners(), selectors.DefaultSelector()
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        listeners.tcp, listeners.udp = tcp.getsockname()[1], udp.getsockname()[1]
        listeners.abstract = f"torture-{os.getpid()}"
        found = [tcp, _unix(stack, "\0" + listeners.abstract)]
        for directory in directories:
            path = directory / f"{listeners.abstract}.socket"
            found.append(_unix(stack, str(path)))
            stack.callback(path.unlink, missing_ok=True)
            path.chmod(0o666)
            listeners.paths.append(str(path))
        with contextlib.suppress(OSError, AttributeError):
            vsock = stack.enter_context(socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM))
            vsock.bind((socket.VMADDR_CID_ANY, listeners.tcp))
            vsock.listen()
            found.append(vsock)
        for server in found:
            waiting.register(server, selectors.EVENT_READ, "server")
        waiting.register(udp, selectors.EVENT_READ, "client")
        over = threading.Event()
        thread = threading.Thread(target=_listen, args=(listeners, waiting, over), daemon=True)
        thread.start()
        try:
            yield listeners
        finally:
            over.set()
            thread.join()


def _unix(stack: contextlib.ExitStack, address: str) -> socket.socket:
    server = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    server.bind(address)
    server.listen(64)
    return server


def _listen(listeners: Listeners, waiting: selectors.BaseSelector, over: threading.Event) -> None:
    while not over.is_set():
        for key, _ in waiting.select(0.1):
            ready = key.fileobj
            assert isinstance(ready, socket.socket)
            if key.data == "server":
                with contextlib.suppress(OSError):
                    waiting.register(ready.accept()[0], selectors.EVENT_READ, "client")
                continue
            said = b""
            with contextlib.suppress(OSError):
                said = ready.recv(65536)
            listeners.heard += said
            if not said and ready.type == socket.SOCK_STREAM:
                waiting.unregister(ready)
                ready.close()
