"""The client gives up in time, repeats only what may be repeated, and says what went wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from yc_common import errors, http, listen, logging
from yc_common.config import Address
from yc_common.testing import CLOSE, HANG, RESET, Answer, FakeClock, Peer, captured_logs

T = TypeVar("T")

UNAVAILABLE = Answer(status=503, body=b"")
BROKEN_HALF = Answer(body=b"x" * 1000, cut=500)
GARBAGE = Answer(raw=b"this is not HTTP at all\r\n\r\n")


#: Seconds that an attempt may take: a busy machine answers late, so only a peer that hangs is given up soon.
PATIENCE, SHORT = 30, 2


def patience(*answers: Answer) -> float:
    """Tell how many seconds an attempt at such a peer may take."""
    return SHORT if HANG in answers else PATIENCE


def ask(peer: Peer, work: Callable[[http.Client], Awaitable[T]], **options: Any) -> T:
    """Do some work with a client whose pauses take no time."""

    async def main() -> T:
        clock = options.pop("clock", None) or FakeClock(auto=True)
        defaults = {
            "timeout": 60,
            "attempt_timeout": PATIENCE,
            "connect_timeout": PATIENCE,
            "clock": clock,
            "sleep": clock.sleep,
        }
        async with http.Client(peer.url, **{**defaults, **options}) as client:
            return await work(client)

    with captured_logs():
        return asyncio.run(main())


def test_a_request_gets_its_response_and_sends_what_it_was_given() -> None:
    class Order(msgspec.Struct):
        id: int

    async def work(client: http.Client) -> http.Response:
        with logging.context(request_id="r-1"):
            return await client.post("/orders", json={"a": 1}, params={"q": "x y"}, headers={"X-A": "1"})

    with Peer(Answer(body=b'{"id": 7}', status=201)) as peer:
        response = ask(peer, work)
    (request,) = peer.requests
    assert (response.status, response.json(Order), response.text) == (201, Order(7), '{"id": 7}')
    assert (request.method, request.path, request.body) == ("POST", "/orders?q=x+y", b'{"a":1}')
    assert (request.headers["x-request-id"], request.headers["x-a"]) == ("r-1", "1")


def test_a_connection_is_used_again() -> None:
    async def work(client: http.Client) -> None:
        for _ in range(3):
            await client.get("/")

    with Peer() as peer:
        ask(peer, work)
    assert [request.connection for request in peer.requests] == [1, 1, 1]


@pytest.mark.parametrize(
    "fault", [RESET, CLOSE, HANG, BROKEN_HALF, UNAVAILABLE, Answer(status=502), Answer(status=429)]
)
def test_a_fault_that_passes_is_not_seen(fault: Answer) -> None:
    with Peer(fault, Answer(body=b'"fine"')) as peer:
        assert ask(peer, lambda client: client.get("/"), attempt_timeout=patience(fault)).json() == "fine"
    assert len(peer.requests) == 2 or fault in (RESET, CLOSE)


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (RESET, http.ConnectionLostError, errors.Code.UNAVAILABLE),
        (CLOSE, http.ConnectionLostError, errors.Code.UNAVAILABLE),
        (HANG, http.TimedOutError, errors.Code.DEADLINE_EXCEEDED),
        (BROKEN_HALF, http.ConnectionLostError, errors.Code.UNAVAILABLE),
        (GARBAGE, http.BadResponseError, errors.Code.BAD_GATEWAY),
        (UNAVAILABLE, http.StatusError, errors.Code.UNAVAILABLE),
    ],
)
def test_a_fault_that_stays_is_one_typed_error(fault: Answer, kind: type[http.RequestError], code: errors.Code) -> None:
    with Peer(fault) as peer, pytest.raises(kind) as caught:
        ask(peer, lambda client: client.get("/x?secret=1"), attempt_timeout=patience(fault))
    assert caught.value.code == code
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("fault", [RESET, HANG, BROKEN_HALF, UNAVAILABLE])
def test_what_may_have_been_done_is_not_repeated(fault: Answer) -> None:
    with Peer(fault, Answer()) as peer, pytest.raises(http.RequestError):
        ask(peer, lambda client: client.post("/", json={}), attempt_timeout=patience(fault))
    assert len(peer.requests) == 1


def test_a_post_with_an_idempotency_key_is_repeated() -> None:
    with Peer(BROKEN_HALF, UNAVAILABLE, Answer()) as peer:
        assert ask(peer, lambda client: client.post("/", json={}, idempotency_key="k1")).status == 200
    assert [request.headers["idempotency-key"] for request in peer.requests] == ["k1"] * 3


def test_a_post_that_no_connection_took_is_repeated() -> None:
    with Peer() as peer:
        url = peer.url
    clock = FakeClock(auto=True)

    async def work() -> None:
        async with http.Client(url, clock=clock, sleep=clock.sleep) as client:
            await client.post("/")

    with captured_logs() as logs, pytest.raises(http.ConnectError) as caught:
        asyncio.run(work())
    assert caught.value.details["attempts"] == 3 and len(logs.find(event="trying again")) == 2


def test_a_hanging_peer_costs_no_more_than_the_timeout() -> None:
    began = time.monotonic()
    with Peer(HANG) as peer, pytest.raises(http.TimedOutError):
        ask(peer, lambda client: client.get("/"), timeout=0.3, attempt_timeout=60, clock=None)
    assert time.monotonic() - began < 30


def test_pauses_grow_are_drawn_and_follow_retry_after() -> None:
    policy = http.RetryPolicy(attempts=5, first=1, longest=3)
    assert [policy.pause(number, None, lambda: 1.0) for number in (1, 2, 3, 4)] == [1, 2, 3, 3]
    assert policy.pause(1, None, lambda: 0.25) == 0.25
    clock = FakeClock(auto=True)
    with Peer(Answer(status=503, headers={"Retry-After": "4"}), Answer()) as peer:
        ask(peer, lambda client: client.get("/"), clock=clock)
    assert clock.slept == [4.0]


def test_a_pause_beyond_the_deadline_is_not_begun() -> None:
    clock = FakeClock(auto=True)
    with Peer(Answer(status=503, headers={"Retry-After": "60"})) as peer, pytest.raises(http.StatusError) as caught:
        ask(peer, lambda client: client.get("/"), clock=clock)
    assert caught.value.retry_after == 60 and clock.slept == []


def test_the_budget_bounds_retries_when_a_peer_is_down_for_all() -> None:
    async def work(client: http.Client) -> None:
        for _ in range(100):
            await client.get("/", check=False)

    with Peer(Answer(status=429, body=b"")) as peer:
        ask(peer, work, retry=http.RetryPolicy(reserve=5, budget=0.1), breaker=http.BreakerPolicy(window=0))
    assert 100 <= len(peer.requests) <= 116


def test_the_circuit_opens_answers_at_once_and_closes_again() -> None:
    clock = FakeClock(auto=True)

    async def work(client: http.Client) -> None:
        for _ in range(10):
            with pytest.raises(http.StatusError):
                await client.get("/")
        with pytest.raises(http.CircuitOpenError) as caught:
            await client.get("/")
        assert 0 < (caught.value.retry_after or 0) <= 5
        seen = len(peer.requests)
        clock.now += 6
        with pytest.raises(http.StatusError):
            await client.get("/")  # the probe fails: open again
        with pytest.raises(http.CircuitOpenError):
            await client.get("/")
        assert len(peer.requests) == seen + 1
        clock.now += 6
        peer.then(Answer())
        await client.get("/")
        await client.get("/")

    with Peer(Answer(status=500)) as peer:
        ask(peer, work, clock=clock, retry=http.RetryPolicy(attempts=1))


def test_one_probe_at_a_time_is_let_through() -> None:
    clock = FakeClock(auto=True)

    async def work(client: http.Client) -> None:
        for _ in range(10):
            await client.get("/", check=False)
        clock.now += 6
        peer.then(Answer(delay=0.1))
        results = await asyncio.gather(*(client.get("/") for _ in range(5)), return_exceptions=True)
        assert sum(isinstance(result, http.CircuitOpenError) for result in results) == 4

    with Peer(Answer(status=500)) as peer:
        ask(peer, work, clock=clock, retry=http.RetryPolicy(attempts=1))


def test_a_cancelled_probe_lets_the_next_one_through() -> None:
    clock = FakeClock(auto=True)

    async def work(client: http.Client) -> None:
        for _ in range(10):
            await client.get("/", check=False)
        clock.now += 6
        peer.then(HANG, Answer())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.get("/")
        assert (await client.get("/")).status == 200

    with Peer(Answer(status=500)) as peer:
        ask(peer, work, clock=clock, attempt_timeout=5, retry=http.RetryPolicy(attempts=1))


def test_a_body_that_is_too_large_is_refused() -> None:
    with Peer(Answer(body=b"x" * 5000)) as peer, pytest.raises(http.BadResponseError, match="more than 1000 bytes"):
        ask(peer, lambda client: client.get("/"), largest=1000)


def test_json_of_another_shape_is_a_bad_response() -> None:
    async def work(client: http.Client) -> list[int]:
        return (await client.get("/")).json(list[int])

    with Peer(Answer(body=b'{"a": 1}')) as peer, pytest.raises(http.BadResponseError, match="not the expected JSON"):
        ask(peer, work)


def test_an_error_of_a_service_arrives_as_it_was_raised() -> None:
    status, headers, body = errors.to_response(errors.Error(errors.Code.NOT_FOUND, "no such order", order=7), "r1")
    with Peer(Answer(status=status, headers=headers, body=body)) as peer, pytest.raises(http.StatusError) as caught:
        ask(peer, lambda client: client.get("/orders/7"))
    assert (caught.value.code, caught.value.message, caught.value.details["order"], caught.value.status) == (
        errors.Code.NOT_FOUND,
        "no such order",
        7,
        404,
    )
    assert len(peer.requests) == 1


def test_attempts_are_observed() -> None:
    seen: list[tuple[str, str]] = []
    with Peer(RESET, UNAVAILABLE, Answer()) as peer:
        ask(
            peer,
            lambda client: client.put("/", data=b"x"),
            observer=lambda method, host, outcome, seconds: seen.append((method, outcome)),
        )
    assert seen[-2:] == [("PUT", "503"), ("PUT", "200")]
    assert all(outcome == ("PUT", "ConnectionLostError") for outcome in seen[:-2])


def test_a_unix_socket_is_reached(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    async def main() -> int:
        listening = listen.listen(Address(path=str(tmp_path / "s")))
        server = await asyncio.start_server(answer, sock=listening)
        async with server, http.Client("http://service", unix=str(tmp_path / "s")) as client:
            return (await client.get("/")).status

    assert asyncio.run(main()) == 200


@pytest.mark.parametrize("code", list(errors.Code))
def test_every_code_survives_the_way_over_http(code: errors.Code) -> None:
    status, headers, body = errors.to_response(errors.Error(code, "m", retry_after=3, a=[1]))
    error = errors.from_response(status, headers, body)
    assert (error.code, error.message, error.details, error.retry_after) == (code, "m", {"a": [1]}, 3.0)
    assert errors.Code.from_status(status) == code


def test_an_unknown_exception_tells_the_other_side_nothing() -> None:
    status, _, body = errors.to_response(ValueError("password is hunter2"), "r1")
    assert status == 500 and b"hunter2" not in body and b'"request_id":"r1"' in body


@pytest.mark.parametrize(("status", "code"), [(418, "invalid_argument"), (599, "internal"), (404, "not_found")])
def test_somebody_elses_error_page_becomes_an_error(status: int, code: str) -> None:
    assert errors.from_response(status, {"Retry-After": "soon"}, b"<html>").code == code
    later = errors.from_response(503, {"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}, b"")
    assert later.retry_after is not None and later.retry_after > 1e9
