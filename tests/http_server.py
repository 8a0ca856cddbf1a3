"""HTTP servers on the loopback interface, each for as long as a test needs it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """A server on a free port, whose threads do not outlive the program."""

    request_queue_size = 64
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no event: its traceback would stand in what a test reads."""


class Handler(BaseHTTPRequestHandler):
    """Keeps connections open, and prints nothing."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.get()

    def do_HEAD(self) -> None:
        self.get()

    def get(self) -> None:
        """Answer a request for `path`."""
        raise NotImplementedError

    def log_message(self, format: str, *args: object) -> None:
        """Tests have their own records."""

    def answer(self, status: int, headers: Mapping[str, str], body: bytes, *, length: int | None = None) -> None:
        """Send an answer, or the beginning of one with this `length`."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def serving(handler: type[Handler], **attributes: object) -> Iterator[Server]:
    """Run a server for the block, whose handlers have these attributes."""
    with Server(("127.0.0.1", 0), type("Bound", (handler,), attributes)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
