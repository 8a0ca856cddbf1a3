"""What a service says of itself on the ports that it listens on."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from toolkit.debian.proof import readiness


@contextmanager
def serving(answers: dict[str, int]) -> Iterator[int]:
    """Serve paths with these statuses, others with 404, and yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answers.get(self.path, 404))
            self.end_headers()

        def log_message(self, *_unused: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"/readyz": 200, "/healthz": 200}, ""),
        ({"/readyz": 503}, "GET /readyz on port {} is answered with 503"),
        ({"/healthz": 500}, "GET /healthz on port {} is answered with 500"),
        ({"/": 500}, ""),
        ({"/readyz": 401, "/healthz": 302}, ""),
    ],
)
def test_an_answer_says_that_a_service_is_not_ready(answers: dict[str, int], said: str) -> None:
    with serving(answers) as port:
        assert port in readiness.ports([str(os.getpid())])
        assert readiness.wrong(port) == said.format(port)


def test_what_is_no_http_is_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def answer() -> None:
            for _ in readiness.PATHS:
                connection, _ = listening.accept()
                with connection:
                    connection.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert readiness.wrong(port) == ""
        thread.join()


def test_only_ports_of_the_processes_asked_for_are_found() -> None:
    with serving({"/readyz": 503}) as port:
        program = [sys.executable, "-I", "-S", "-B", readiness.__file__]
        own = subprocess.run([*program, str(os.getpid())], capture_output=True, text=True, check=True)
        assert own.stdout == f"GET /readyz on port {port} is answered with 503\n"
        with subprocess.Popen(["sleep", "60"]) as other:
            done = subprocess.run([*program, str(other.pid), "99999999"], capture_output=True, text=True, check=True)
            other.kill()
        assert done.stdout == "\n"
