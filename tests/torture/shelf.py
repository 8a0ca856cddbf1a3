"""A package index on the loopback interface that says what it is told to, page by page."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import unquote

from tests import http_server

JSON = "application/vnd.pypi.simple.v1+json"
BINARY = "application/octet-stream"


@dataclass(frozen=True)
class Answer:
    """An answer: `length` is the Content-Length that it has (None: the true one), `pause` seconds between its parts.

    With status 0 the connection is closed instead.
    """

    body: bytes = b""
    status: int = 200
    kind: str = BINARY
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    pause: float = 0.0


#: What is answered to the nth request for a path, beginning with 0.
Page = Callable[[int], Answer]


@dataclass
class Shelf:
    """What an index holds: `add` files by project; `pages` has answers by path, which replace what would be told."""

    url: str = ""
    pages: dict[str, Page] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    entries: dict[str, dict[str, object]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self, filename: str, content: bytes, project: str = "", entry: Mapping[str, object] = MappingProxyType({})
    ) -> None:
        """Publish a file; `entry` replaces keys of its entry in the page (PEP 691); a value of None takes one out."""
        name = project or filename.split("-")[0].replace("_", "-").lower()
        self.files.setdefault(name, {})[filename] = content
        described: dict[str, object] = {
            "filename": filename,
            "url": f"/files/{filename}",
            "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
            "size": len(content),
            "upload-time": "2026-01-01T00:00:00Z",
        }
        self.entries[filename] = {key: value for key, value in (described | dict(entry)).items() if value is not None}

    def says(self, path: str, *answers: Answer) -> None:
        """Give these answers to requests for a path, one after the other; the last one from then on."""
        self.pages[path] = lambda number: answers[min(number, len(answers) - 1)]

    def answer(self, path: str) -> Answer:
        """Return the answer to a request, and count it."""
        with self._lock:
            number = self.requests[path]
            self.requests[path] += 1
        if path in self.pages:
            return self.pages[path](number)
        return self.plain(path)

    def plain(self, path: str) -> Answer:
        """Return what an index in order would say."""
        parts = path.strip("/").split("/")
        if len(parts) == 2 and parts[0] == "simple" and parts[1] in self.files:
            return Answer(self.page(parts[1]), kind=JSON)
        if len(parts) == 2 and parts[0] == "files":
            for listed in self.files.values():
                if parts[1] in listed:
                    return Answer(listed[parts[1]])
        return Answer(b"not found", status=404)

    def page(self, project: str, **changes: object) -> bytes:
        """Return a project's page, with changes."""
        entries = [self.entries[filename] for filename in self.files[project]]
        versions = sorted({str(name).removesuffix(".tar.gz").split("-")[1] for name in self.files[project]})
        page = {"meta": {"api-version": "1.1"}, "name": project, "versions": versions, "files": entries}
        return json.dumps(page | changes).encode()


@contextmanager
def serving() -> Iterator[Shelf]:
    """Run an index for as long as the block runs."""
    shelf = Shelf()
    with http_server.serving(_Handler, shelf=shelf) as server:
        shelf.url = f"http://127.0.0.1:{server.server_port}/simple"
        yield shelf


class _Handler(http_server.Handler):
    shelf: Shelf

    def get(self) -> None:
        answer = self.shelf.answer(unquote(self.path.partition("?")[0]))
        if not answer.status:
            self.close_connection = True
        elif answer.pause or answer.length is not None:
            self.close_connection = True
            length = len(answer.body) if answer.length is None else answer.length
            self.answer(answer.status, {"Content-Type": answer.kind, **answer.headers}, b"", length=length)
            for start in range(0, len(answer.body), 1 + len(answer.body) // 8):
                time.sleep(answer.pause)
                self.wfile.write(answer.body[start : start + 1 + len(answer.body) // 8])
        else:
            self.answer(answer.status, {"Content-Type": answer.kind, **answer.headers}, answer.body)
