"""`/healthz`, `/readyz` and `/metrics`, on an address of their own, apart from what the service serves.

Answers from the service's event loop: when that is stuck, so is `/healthz`, and whoever watches it sees so.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import socket
from types import TracebackType
from typing import Any, Self

import msgspec

from yc_common import logging
from yc_common.config import Address
from yc_common.listen import listen, release
from yc_common.service._service import Check, Service

__all__ = ["Report", "Server"]

#: Seconds for one request, for one check, and for which the outcome of all checks is given again.
_REQUEST, _CHECK, _FRESH = 5.0, 2.0, 0.5
_CONNECTIONS = 64
_LARGEST_HEAD = 16 << 10
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}

_log = logging.get(__name__)


class Report(msgspec.Struct, frozen=True):
    """What `/healthz` and `/readyz` answer: `status` ("ok" or what is amiss) and each check ("ok" or its message)."""

    status: str
    checks: dict[str, str] = {}

    @property
    def well(self) -> bool:
        """Whether nothing is amiss."""
        return self.status == "ok" and all(result == "ok" for result in self.checks.values())


class Server:
    """Serves health and metrics while the block runs: `await service.enter(health.Server(service, address))`."""

    def __init__(self, service: Service[Any], address: Address) -> None:
        self._service, self._address = service, address
        self._socket: socket.socket | None = None
        self._server: asyncio.AbstractServer | None = None
        self._open = 0
        self._known: tuple[float, Report] | None = None
        self._lock = asyncio.Lock()

    @property
    def address(self) -> Address:
        """Where it listens, with the port that the system chose when the configured one is 0."""
        if self._socket is None or self._address.path:
            return self._address
        host, port = self._socket.getsockname()[:2]
        return Address(host, port)

    async def __aenter__(self) -> Self:
        self._socket = listen(self._address)
        self._server = await asyncio.start_server(self._handle, sock=self._socket.dup(), limit=_LARGEST_HEAD)
        _log.info("health and metrics", address=str(self.address))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server and self._socket
        self._server.close()
        release(self._socket)

    def alive(self) -> Report:
        """Report whether the process works at all; when not, it should be restarted."""
        overdue = self._service.overdue()
        return Report("stuck" if overdue else "ok", dict.fromkeys(overdue, "no heartbeat"))

    async def ready(self) -> Report:
        """Report whether requests should come here now."""
        if self._service.phase != "ready":
            return Report(self._service.phase)
        now = self._service.loop.time()
        async with self._lock:
            if self._known is None or now - self._known[0] > _FRESH:
                self._known = now, await self._check()
            return self._known[1]

    async def _check(self) -> Report:
        checks = self._service.checks
        results = await asyncio.gather(*(_outcome(check) for check in checks.values()))
        outcome = dict(zip(checks, results, strict=True))
        return Report("ok" if all(result == "ok" for result in results) else "failing", outcome)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= _CONNECTIONS:
                async with asyncio.timeout(_REQUEST):
                    writer.write(await self._answer(reader))
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked went away, or never asked properly
        except Exception:
            _log.exception("cannot answer")
        finally:
            self._open -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return _response(400, "text/plain", b"not HTTP\n", False)
        method, path = words[0], words[1].partition("?")[0]
        if method not in ("GET", "HEAD"):
            return _response(405, "text/plain", b"GET or HEAD\n", False)
        status, kind, body = await self._page(path, head)
        return _response(status, kind, body, method == "HEAD")

    async def _page(self, path: str, head: bytes) -> tuple[int, str, bytes]:
        if path == "/healthz":
            return _reported(self.alive())
        if path == "/readyz":
            return _reported(await self.ready())
        if path == "/metrics":
            try:
                from yc_common import metrics
            except ModuleNotFoundError:
                return 404, "text/plain", b"this service has no metrics: it needs yc_common[metrics]\n"
            body, kind = metrics.render(_header(head, b"accept"))
            return 200, kind, body
        return 404, "text/plain", b"/healthz, /readyz, /metrics\n"


async def _outcome(check: Check) -> str:
    try:
        async with asyncio.timeout(_CHECK):
            result = check() if inspect.iscoroutinefunction(check) else await asyncio.to_thread(check)
            if inspect.isawaitable(result):
                await result
    except TimeoutError as error:
        return str(error) or f"no answer in {_CHECK:g} s"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "ok"


def _reported(report: Report) -> tuple[int, str, bytes]:
    return 200 if report.well else 503, "application/json", msgspec.json.encode(report) + b"\n"


def _header(head: bytes, name: bytes) -> str:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip().decode("latin-1")
    return ""


def _response(status: int, kind: str, body: bytes, head_only: bool) -> bytes:
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    ).encode("latin-1")
    return head if head_only else head + body
