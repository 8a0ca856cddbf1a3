"""Health, metrics, the server's middleware, and sockets that are in use."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
from pathlib import Path

import pytest
from aiohttp import web

from yc_common import errors, health, http, listen, logging, metrics
from yc_common.config import Address
from yc_common.http import server
from yc_common.service import BaseConfig, Service, ServiceSettings
from yc_common.testing import captured_logs, running

ANY = Address("127.0.0.1", 0)


async def fetch(address: Address, request: str) -> tuple[int, dict[str, str], bytes]:
    """Make a request without the client under test; return status, headers and body."""
    reader, writer = (
        await asyncio.open_unix_connection(address.path)
        if address.path
        else await asyncio.open_connection(address.host, address.port)
    )
    writer.write(f"{request} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head, _, body = (await asyncio.wait_for(reader.read(), 5)).partition(b"\r\n\r\n")
    writer.close()
    lines = head.decode().split("\r\n")
    return int(lines[0].split()[1]), dict(line.lower().split(": ", 1) for line in lines[1:]), body


async def nothing(service: Service[BaseConfig]) -> None:
    return


def test_health_readiness_and_metrics_follow_the_service() -> None:
    async def main() -> None:
        metrics.counter("test_orders_total", "Orders", ["kind"]).labels(kind="web").inc(3)
        metrics.info("test", "1.2.3")
        async with running(nothing, BaseConfig()) as service:
            observer = await service.enter(health.Server(service, ANY))
            at = observer.address
            assert await fetch(at, "GET /healthz") == (200, *(await fetch(at, "GET /healthz"))[1:])
            status, headers, body = await fetch(at, "GET /readyz")
            assert (status, headers["content-type"], json.loads(body)) == (
                200,
                "application/json",
                {"status": "ok", "checks": {}},
            )
            status, headers, body = await fetch(at, "GET /metrics")
            assert status == 200 and headers["content-type"].startswith("text/plain")
            assert b'test_orders_total{kind="web"} 3.0' in body and b"process_resident_memory_bytes" in body
            assert b'service_info{service="test",version="1.2.3"} 1.0' in body
            assert (await fetch(at, "HEAD /metrics"))[2] == b""
            assert (await fetch(at, "POST /healthz"))[0] == 405
            assert (await fetch(at, "GET /else"))[0] == 404
            service.heartbeat("worker", -1)
            status, _, body = await fetch(at, "GET /healthz")
            assert (status, json.loads(body)["checks"]) == (503, {"worker": "no heartbeat"})
            service.phase = "draining"
            status, _, body = await fetch(at, "GET /readyz")
            assert (status, json.loads(body)["status"]) == (503, "draining")
            service.phase = "ready"

    with captured_logs():
        asyncio.run(main())


def test_readiness_names_the_check_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_CHECK", 1)

    async def main() -> None:
        async with running(nothing, BaseConfig()) as service:

            def broken() -> None:
                raise OSError("no disk")

            service.check("disk", broken)
            service.check("slow", lambda: asyncio.sleep(60))
            service.check("good", lambda: None)
            observer = await service.enter(health.Server(service, ANY))
            status, _, body = await fetch(observer.address, "GET /readyz")
            assert status == 503
            assert json.loads(body) == {
                "status": "failing",
                "checks": {"disk": "OSError: no disk", "slow": "no answer in 1 s", "good": "ok"},
            }

    with captured_logs():
        asyncio.run(main())


def test_garbage_and_silence_do_not_trouble_the_health_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_REQUEST", 0.1)

    async def main() -> None:
        async with running(nothing, BaseConfig()) as service:
            at = (await service.enter(health.Server(service, ANY))).address
            for sent in (b"", b"\x00\xff\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"x" * 100_000):
                reader, writer = await asyncio.open_connection(at.host, at.port)
                writer.write(sent)
                with contextlib.suppress(ConnectionError):  # what it did not read makes its close a reset
                    await asyncio.wait_for(reader.read(), 5)
                writer.close()
            assert (await fetch(at, "GET /healthz"))[0] == 200

    with captured_logs() as logs:
        asyncio.run(main())
    assert not logs.find(level="error")


def test_observe_serves_while_starting_and_frees_its_socket(tmp_path: Path) -> None:
    at = Address(path=str(tmp_path / "observe"))
    phases: list[object] = []

    async def app(service: Service[BaseConfig]) -> None:
        phases.append(json.loads((await fetch(at, "GET /readyz"))[2])["status"])

    async def main() -> None:
        async with running(app, BaseConfig(service=ServiceSettings(observe=at))):
            assert stat.S_IMODE(os.stat(at.path).st_mode) == 0o660

    with captured_logs():
        asyncio.run(main())
    assert phases == ["starting"] and not os.path.exists(at.path)


def test_a_metric_is_made_once_and_not_as_something_else() -> None:
    first = metrics.histogram("test_seconds", "Time", ["a"])
    assert metrics.histogram("test_seconds", "Time", ["a"]) is first
    with pytest.raises(ValueError, match="already a histogram"):
        metrics.gauge("test_seconds", "Time")
    with pytest.raises(ValueError, match="already a histogram"):
        metrics.histogram("test_seconds", "Time", ["b"])


def test_a_socket_of_a_dead_process_is_replaced_and_a_living_one_is_not(tmp_path: Path) -> None:
    at = Address(path=str(tmp_path / "socket"))
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(at.path)
    dead.close()
    living = listen.listen(at)
    with pytest.raises(listen.ListenError, match="already in use: somebody answers"):
        listen.listen(at)
    assert os.path.exists(at.path)
    listen.release(living)
    assert not os.path.exists(at.path)


def test_a_file_in_the_way_is_refused_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "socket"
    file.write_text("precious")
    with pytest.raises(listen.ListenError, match="not a socket is in the way"):
        listen.listen(Address(path=str(file)))
    assert file.read_text() == "precious"


def test_releasing_leaves_a_successors_socket_alone(tmp_path: Path) -> None:
    at = Address(path=str(tmp_path / "socket"))
    old = listen.listen(at)
    os.unlink(at.path)
    new = listen.listen(at)
    listen.release(old)
    assert os.path.exists(at.path)
    listen.release(new)


@pytest.mark.parametrize(
    "at", [Address(path="/nonexistent/directory/socket"), Address("256.0.0.1", 1), Address("192.0.2.1", 1)]
)
def test_an_address_that_cannot_be_had_is_named(at: Address) -> None:
    with pytest.raises(listen.ListenError) as caught:
        listen.listen(at)
    assert str(caught.value).startswith(f"{at}: ")


def test_a_port_in_use_is_named() -> None:
    with listen.listen(ANY) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(listen.ListenError, match=f"127.0.0.1:{port}: already in use"):
            listen.listen(Address("127.0.0.1", port))


def routes() -> web.RouteTableDef:
    table = web.RouteTableDef()

    @table.get("/orders/{number}")
    async def order(request: web.Request) -> web.Response:
        if request.match_info["number"] == "0":
            raise ZeroDivisionError("internal detail")
        if request.match_info["number"] == "slow":
            await asyncio.sleep(0.2)
            return web.json_response({"id": "slow"})
        raise errors.Error(errors.Code.NOT_FOUND, "no such order", order=request.match_info["number"])

    return table


def test_the_middleware_turns_exceptions_into_problems_and_logs_each_request() -> None:
    seen: list[tuple[str, str, int]] = []

    async def main() -> None:
        async with running(nothing, BaseConfig()) as service:
            middleware = server.middleware(service, lambda m, r, s, t: seen.append((m, r, s)))
            application = web.Application(middlewares=[middleware])
            application.add_routes(routes())
            at = await server.serve(service, application, ANY)
            async with http.Client(f"http://{at}") as client:
                with logging.context(request_id="given-id"), pytest.raises(http.StatusError) as caught:
                    await client.get("/orders/7")
                assert caught.value.code == errors.Code.NOT_FOUND and caught.value.details["order"] == "7"
                response = await client.get("/orders/0", check=False, headers={"X-Request-Id": "bad id\x7f"[:6]})
                assert response.status == 500 and "internal detail" not in response.text
                assert response.headers["Content-Type"] == errors.CONTENT_TYPE
                assert len(response.headers["X-Request-Id"]) == 16
                assert (await client.get("/nowhere", check=False)).json()["code"] == "not_found"
                assert (await client.post("/orders/1", check=False)).headers["Allow"] == "GET,HEAD"

    with captured_logs() as logs:
        asyncio.run(main())
    assert logs.find(event="request", request_id="given-id", status=404)
    assert "internal detail" in logs.one(event="request failed")["exception"]
    assert seen[:2] == [("GET", "/orders/{number}", 404), ("GET", "/orders/{number}", 500)]


def test_a_request_that_was_accepted_is_answered_during_the_drain() -> None:
    answers: list[http.Response] = []

    async def main() -> None:
        async with running(nothing, BaseConfig()) as service:
            application = web.Application(middlewares=[server.middleware(service)])
            application.add_routes(routes())
            at = await server.serve(service, application, ANY)

            async def ask() -> None:
                async with http.Client(f"http://{at}") as client:
                    answers.append(await client.get("/orders/slow"))

            asking = asyncio.ensure_future(ask())
            while not service.unfinished():
                await asyncio.sleep(0.005)
        await asking
        with pytest.raises(OSError, match=r"[Cc]onnect"):
            await asyncio.open_connection(at.host, at.port)

    with captured_logs():
        asyncio.run(main())
    assert answers[0].json() == {"id": "slow"} and answers[0].headers["Connection"] == "close"
