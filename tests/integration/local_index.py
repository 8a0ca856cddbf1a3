"""A package index on the loopback interface, which can also misbehave."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote

from tests import http_server
from toolkit.model.names import normalize

_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = "text/html; charset=utf-8"
How = Literal[
    "status", "hang", "truncate", "corrupt", "longer", "shorter", "garbage", "login", "circle", "slow", "reset"
]


@dataclass
class Fault:
    """How a path misbehaves, `times` times (then it is fine; -1: for ever).

    status: answers `status` and nothing else; hang: answers nothing for `seconds`; truncate: sends half of the body and
    closes; corrupt: a body of the right size with one byte changed; longer, shorter: a body of another size; garbage:
    what no index says; login: a page for people; circle: a redirect to itself; slow: the body in ten pieces, `seconds`
    in all; reset: closes before any answer.
    """

    how: How
    status: int = 500
    times: int = -1
    seconds: float = 5.0


@dataclass
class _File:
    content: bytes
    metadata: bytes | None
    requires_python: str
    upload_time: str
    yanked: bool | str
    listed_sha256: str


@dataclass
class LocalIndex:
    """What the index holds: `add` files, set `faults` by path (`/simple/name/`, `/files/name-1.0.tar.gz`).

    `requests` counts what was asked for. `as_html` makes it speak PEP 503 instead of PEP 691. `credentials`
    (`user:password`) are demanded when set. For `max_age` seconds a page need not be asked for again. `url` is the
    index's URL, without credentials.
    """

    url: str = ""
    as_html: bool = False
    credentials: str = ""
    max_age: int = 0
    faults: dict[str, Fault] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    _projects: dict[str, dict[str, _File]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self,
        filename: str,
        content: bytes,
        *,
        name: str = "",
        metadata: bytes | None = None,
        requires_python: str = "",
        upload_time: str = "2026-01-01T00:00:00Z",
        yanked: bool | str = False,
        listed_sha256: str = "",
    ) -> str:
        """Publish a file; returns its URL. `metadata` (PEP 658) is for wheels; `listed_sha256` may be a lie."""
        project = normalize(name or filename.split("-")[0])
        digest = listed_sha256 or hashlib.sha256(content).hexdigest()
        entry = _File(content, metadata, requires_python, upload_time, yanked, digest)
        self._projects.setdefault(project, {})[filename] = entry
        return f"{self.url.removesuffix('/simple')}/files/{filename}"

    def remove(self, filename: str) -> None:
        """Take a file away."""
        for listed in self._projects.values():
            listed.pop(filename, None)

    def fails(self, path: str, how: How, *, status: int = 500, times: int = -1, seconds: float = 5.0) -> None:
        """Let a path misbehave."""
        self.faults[path] = Fault(how, status, times, seconds)

    def with_credentials(self) -> str:
        """Return the URL with user name and password."""
        return self.url.replace("://", f"://{self.credentials}@")

    def file(self, filename: str) -> _File | None:
        """Return a published file."""
        return next((listed[filename] for listed in self._projects.values() if filename in listed), None)

    def take_fault(self, path: str) -> Fault | None:
        """Return how this request is to fail, and count it."""
        with self._lock:
            fault = self.faults.get(path)
            if fault is None or fault.times == 0:
                return None
            fault.times -= fault.times > 0
            return fault

    def page(self, project: str) -> tuple[str, bytes] | None:
        """Return the content type and body of a project's page."""
        listed = self._projects.get(project)
        if listed is None:
            return None
        return (_HTML, _html_page(listed)) if self.as_html else (_JSON, _json_page(project, listed))

    def count(self, path: str) -> None:
        """Count a request."""
        with self._lock:
            self.requests[path] += 1

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than the server lives."""
        self._stop.wait(seconds)


@contextmanager
def serving(*, as_html: bool = False, credentials: str = "") -> Iterator[LocalIndex]:
    """Run an index on a free port of 127.0.0.1 for as long as the block runs."""
    index = LocalIndex(as_html=as_html, credentials=credentials)
    with http_server.serving(_Handler, shelf=index) as server:
        index.url = f"http://127.0.0.1:{server.server_port}/simple"
        try:
            yield index
        finally:
            index._stop.set()


class _Handler(http_server.Handler):
    shelf: LocalIndex

    def get(self) -> None:
        path = unquote(self.path.partition("?")[0])
        self.shelf.count(path)
        if not self._is_allowed():
            self.answer(401, {"WWW-Authenticate": 'Basic realm="index"'}, b"")
            return
        kind, body = self._content(path)
        fault = self.shelf.take_fault(path)
        if fault:
            self._fail(fault, kind, body)
        else:
            self._send(kind, body)

    def _is_allowed(self) -> bool:
        expected = base64.b64encode(self.shelf.credentials.encode()).decode()
        return not self.shelf.credentials or self.headers.get("Authorization") == f"Basic {expected}"

    def _content(self, path: str) -> tuple[str, bytes]:
        parts = path.strip("/").split("/")
        if parts[0] == "simple" and len(parts) == 2:
            return self.shelf.page(parts[1]) or ("", b"")
        if parts[0] == "files" and len(parts) == 2:
            file = self.shelf.file(parts[1].removesuffix(".metadata"))
            if file and parts[1].endswith(".metadata"):
                return ("text/plain", file.metadata) if file.metadata is not None else ("", b"")
            return ("application/octet-stream", file.content) if file else ("", b"")
        return "", b""

    def _send(self, kind: str, body: bytes) -> None:
        if not kind:
            self.answer(404, {}, b"not found")
        elif self.headers.get("Range") and kind == "application/octet-stream":
            self._send_range(body)
        else:
            age = {"Cache-Control": f"max-age={self.shelf.max_age}"} if self.shelf.max_age else {}
            self.answer(200, {"Content-Type": kind, "Accept-Ranges": "bytes", **age}, body)

    def _send_range(self, body: bytes) -> None:
        first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
        start = int(first) if first else max(len(body) - int(last), 0)
        end = int(last) + 1 if first and last else len(body)
        if start >= len(body):
            self.answer(416, {"Content-Range": f"bytes */{len(body)}"}, b"")
            return
        part = body[start:end]
        self.answer(206, {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(body)}"}, part)

    def _fail(self, fault: Fault, kind: str, body: bytes) -> None:
        if fault.how == "status":
            self.answer(fault.status, {}, b"out of order")
        elif fault.how == "garbage":
            self.answer(200, {"Content-Type": _JSON}, b'{"files": 5, ]')
        elif fault.how == "login":
            self.answer(200, {"Content-Type": _HTML}, b"<!DOCTYPE html><form><input name=user></form>")
        elif fault.how == "circle":
            self.answer(302, {"Location": self.path}, b"")
        elif fault.how in ("longer", "shorter"):
            self._send(kind, body + b"x" if fault.how == "longer" else body[:-1])
        elif fault.how == "corrupt":
            self._send(kind, body[:-1] + bytes([body[-1] ^ 0xFF]))
        else:
            self._break_off(fault, kind, body)

    def _break_off(self, fault: Fault, kind: str, body: bytes) -> None:
        self.close_connection = True
        if fault.how == "hang":
            self.shelf.wait(fault.seconds)
        elif fault.how == "truncate":
            self.answer(200, {"Content-Type": kind}, body[: len(body) // 2], length=len(body))
        elif fault.how == "slow":
            self.answer(200, {"Content-Type": kind}, b"", length=len(body))
            for start in range(0, len(body), max(len(body) // 10, 1)):
                self.shelf.wait(fault.seconds / 10)
                self.wfile.write(body[start : start + max(len(body) // 10, 1)])


def _json_page(project: str, listed: Mapping[str, _File]) -> bytes:
    entries = [
        {
            "filename": filename,
            "url": f"/files/{filename}",
            "hashes": {"sha256": file.listed_sha256} if file.listed_sha256 else {},
            "size": len(file.content),
            "upload-time": file.upload_time,
            "yanked": file.yanked,
            **({"requires-python": file.requires_python} if file.requires_python else {}),
            **({"core-metadata": {"sha256": hashlib.sha256(file.metadata).hexdigest()}} if file.metadata else {}),
        }
        for filename, file in listed.items()
    ]
    versions = sorted({filename.removesuffix(".tar.gz").split("-")[1] for filename in listed if "-" in filename})
    page = {"meta": {"api-version": "1.1"}, "name": project, "versions": versions, "files": entries}
    return json.dumps(page).encode()


def _html_page(listed: Mapping[str, _File]) -> bytes:
    links = []
    for filename, file in listed.items():
        needed = html.escape(file.requires_python)
        attributes = f' data-requires-python="{needed}"' if needed else ""
        why = html.escape(file.yanked) if isinstance(file.yanked, str) else ""
        attributes += f' data-yanked="{why}"' if file.yanked else ""
        fragment = f"#sha256={file.listed_sha256}" if file.listed_sha256 else ""
        links.append(f'<a href="../../files/{filename}{fragment}"{attributes}>{filename}</a><br>')
    return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()


def wait_until(index: LocalIndex, path: str, seconds: float = 10.0) -> None:
    """Return when a path has been asked for; raises `TimeoutError`."""
    limit = time.monotonic() + seconds
    while not index.requests[path]:
        if time.monotonic() > limit:
            raise TimeoutError(path)
        time.sleep(0.01)
