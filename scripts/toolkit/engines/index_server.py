"""The only index that an engine knows: on the loopback interface, with one file a release that nobody can install.

https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol
from urllib.parse import unquote

_JSON = "application/vnd.pypi.simple.v1+json"
_POLL = 0.01


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A release as an engine sees it: `requires_python` is a specifier, or empty."""

    version: str
    requires_python: str = ""
    yanked: bool = False


class Shelf(Protocol):
    """What is served. Its methods are called by many threads, and raise nothing."""

    def offers(self, name: str) -> Sequence[Offer]:
        """Return the releases of a distribution, by its name in normal form; none where it is not known."""
        ...

    def metadata(self, name: str, version: str) -> str:
        """Return the core metadata of a release, or nothing where it is not known."""
        ...


class _Server(ThreadingHTTPServer):
    """A server whose threads do not outlive the program, and that can be asked for many things at once."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Pass over a connection that broke: an engine that was ended leaves its requests alone."""


class _Handler(BaseHTTPRequestHandler):
    """Answers for one shelf, below a path that nobody else knows: other users of the machine can connect, too."""

    protocol_version = "HTTP/1.1"
    # The body must not wait for the acknowledgement of the headers (RFC 896).
    disable_nagle_algorithm = True
    shelf: Shelf
    hashes: bool
    token: str

    def do_GET(self) -> None:
        match unquote(self.path).strip("/").split("/"):
            case [token, "simple", name] if secrets.compare_digest(token.encode(), self.token.encode()):
                self._answer(self._page(name), _JSON)
            case [token, "files", name, version, file] if secrets.compare_digest(token.encode(), self.token.encode()):
                found = self.shelf.metadata(name, version)
                if file.endswith(".metadata"):
                    self._answer(found.encode(), "text/plain; charset=utf-8")
                else:
                    self._answer(_wheel(_stem(name, version), found) if found else b"", "application/octet-stream")
            case _:
                self._answer(b"", "")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what an engine asks for is no news."""

    def _page(self, name: str) -> bytes:
        offers = self.shelf.offers(name)
        entries = [
            {
                "filename": (file := f"{_stem(name, offer.version)}-py3-none-any.whl"),
                "url": f"/{self.token}/files/{name}/{offer.version}/{file}",
                # uv would fetch a file without a hash to compute one.
                "hashes": {"sha256": hashlib.sha256(file.encode()).hexdigest()} if self.hashes else {},
                "requires-python": offer.requires_python or None,
                "yanked": offer.yanked,
                "core-metadata": True,
            }
            for offer in offers
        ]
        page = {"meta": {"api-version": "1.0"}, "name": name, "files": entries}
        return json.dumps(page).encode() if offers else b""

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK if body else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", kind or "text/plain")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(shelf: Shelf, *, hashes: bool) -> Iterator[str]:
    """Serve a shelf for as long as the block runs, which gets the index's URL. It is a secret.

    With `hashes`, each file has a made-up one; without, it can be fetched, as a wheel of its metadata alone.
    """
    token = secrets.token_hex(16)
    handler = type("_Bound", (_Handler,), {"shelf": shelf, "hashes": hashes, "token": token})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(_POLL,), name="index", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/{token}/simple"
        finally:
            server.shutdown()
            thread.join()


def _stem(name: str, version: str) -> str:
    return f"{name.replace('-', '_')}-{version}"


def _wheel(stem: str, metadata: str) -> bytes:
    """Return a wheel with what is read to resolve, and without a RECORD: nobody installs it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as wheel:
        wheel.writestr(f"{stem}.dist-info/METADATA", metadata)
        wheel.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    return stream.getvalue()
