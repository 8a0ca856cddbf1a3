"""A client that gives up in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp
import msgspec
from yarl import URL

from yc_common import logging
from yc_common.http._errors import (
    BadResponseError,
    CircuitOpenError,
    ConnectError,
    ConnectionLostError,
    RequestError,
    TimedOutError,
)
from yc_common.http._policy import IDEMPOTENT, TEMPORARY, Breaker, BreakerPolicy, Budget, RetryPolicy
from yc_common.http._response import Response

_log = logging.get("yc_common.http")

#: Hosts whose breakers are remembered.
_HOSTS = 1000


class Observer(Protocol):
    """Is told of every attempt, for metrics."""

    def __call__(self, method: str, host: str, outcome: str, seconds: float) -> None:
        """Count an attempt; `outcome` is a status or the name of an error."""


class Client:
    """Makes HTTP requests over kept connections: `async with http.Client("http://127.0.0.1:8080") as client: ...`.

    `timeout` bounds a request in seconds with all its attempts and pauses, `attempt_timeout` one attempt,
    `connect_timeout` its connection; `largest` a body in bytes, `limit` the connections. Only what may be repeated is:
    idempotent methods, requests with an `idempotency_key`, and any request that no connection took. The request id of
    the logging context goes along as X-Request-Id. `unix` names a socket to connect to instead of the URL's host.
    """

    def __init__(
        self,
        base: str = "",
        *,
        timeout: float = 10.0,
        attempt_timeout: float = 5.0,
        connect_timeout: float = 2.0,
        retry: RetryPolicy | None = None,
        breaker: BreakerPolicy | None = None,
        largest: int = 16 << 20,
        limit: int = 100,
        headers: Mapping[str, str] | None = None,
        unix: str = "",
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._base = URL(base) if base else None
        self._timeout, self._attempt_timeout, self._connect_timeout = timeout, attempt_timeout, connect_timeout
        self._retry, self._breaker_policy = retry or RetryPolicy(), breaker or BreakerPolicy()
        self._largest, self._limit, self._unix = largest, limit, unix
        self._headers = dict(headers or {})
        self._observer, self._clock, self._sleep = observer, clock, sleep
        self._budget = Budget(self._retry)
        self._breakers: dict[str, Breaker] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        if self._session:
            await self._session.close()
            self._session = None

    async def get(self, url: str, **options: Any) -> Response:
        """Make a GET request; see `request`."""
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Any) -> Response:
        """Make a POST request; see `request`."""
        return await self.request("POST", url, **options)

    async def put(self, url: str, **options: Any) -> Response:
        """Make a PUT request; see `request`."""
        return await self.request("PUT", url, **options)

    async def delete(self, url: str, **options: Any) -> Response:
        """Make a DELETE request; see `request`."""
        return await self.request("DELETE", url, **options)

    async def request(
        self,
        method: str,
        url: str,
        *,
        json: object = msgspec.UNSET,
        data: bytes | None = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str = "",
        timeout: float | None = None,
        check: bool = True,
    ) -> Response:
        """Make a request and return the complete response; raises a `RequestError`.

        With `check`, a status of 400 or more raises `StatusError`. An `idempotency_key` allows a POST to be repeated.
        """
        target = self._base.join(URL(url)) if self._base else URL(url)
        sent = self._prepare(json, data, headers, idempotency_key)
        attempt = _Attempt(
            method.upper(), target, params, *sent, repeatable=bool(idempotency_key) or method.upper() in IDEMPOTENT
        )
        seconds = self._timeout if timeout is None else timeout
        self._budget.earn()
        try:
            async with asyncio.timeout(seconds):
                response = await self._persist(attempt, self._clock() + seconds)
        except TimeoutError:
            raise attempt.last or TimedOutError(f"no response in {seconds:g} s", **attempt.details) from attempt.last
        if check:
            response.check()
        return response

    def _prepare(
        self, json: object, data: bytes | None, headers: Mapping[str, str] | None, key: str
    ) -> tuple[bytes | None, dict[str, str]]:
        sent = {**self._headers, **(headers or {})}
        if json is not msgspec.UNSET:
            data = msgspec.json.encode(json)
            sent.setdefault("Content-Type", "application/json")
        if key:
            sent["Idempotency-Key"] = key
        request_id = logging.request_id()
        if request_id:
            sent.setdefault("X-Request-Id", request_id)
        return data, sent

    async def _persist(self, attempt: _Attempt, deadline: float) -> Response:
        """Try until there is a response to give, or no sense in trying on."""
        while True:
            attempt.number += 1
            try:
                response = await self._guarded(attempt)
                if response.status not in TEMPORARY or not attempt.repeatable:
                    return response
                retry_after = _retry_after(response)
            except RequestError as error:
                attempt.last, response, retry_after = error, None, None
                if not (attempt.repeatable or isinstance(error, ConnectError)):
                    raise
            pause = self._retry.pause(attempt.number, retry_after)
            final = attempt.number >= self._retry.attempts or self._clock() + pause >= deadline
            if final or isinstance(attempt.last, (CircuitOpenError, BadResponseError)) or not self._budget.spend():
                if response is not None:
                    return response
                assert attempt.last
                raise attempt.last
            _log.info(
                "trying again",
                **attempt.details,
                pause=round(pause, 3),
                why=str(attempt.last) if response is None else f"status {response.status}",
            )
            attempt.last = None
            await self._sleep(pause)

    async def _guarded(self, attempt: _Attempt) -> Response:
        """Make one attempt unless the peer is to be left alone, and count how it ended."""
        breaker = self._breaker(attempt.host)
        wait = breaker.wait()
        if wait > 0:
            raise CircuitOpenError("this peer has failed too often of late", retry_after=wait, **attempt.details)
        began = self._clock()
        outcome = "cancelled"
        try:
            response = await self._once(attempt)
        except RequestError as error:
            outcome = type(error).__name__
            breaker.report(False)
            raise
        except BaseException:
            breaker.forget()
            raise
        else:
            outcome = str(response.status)
            breaker.report(response.status < 500)
            return response
        finally:
            if self._observer:
                self._observer(attempt.method, attempt.host, outcome, self._clock() - began)

    def _breaker(self, host: str) -> Breaker:
        if host not in self._breakers:
            if len(self._breakers) >= _HOSTS:
                self._breakers.pop(next(iter(self._breakers)))
            self._breakers[host] = Breaker(self._breaker_policy, self._clock)
        return self._breakers[host]

    async def _once(self, attempt: _Attempt) -> Response:
        """Make one attempt, with each of aiohttp's many errors as one of ours."""
        details = attempt.details
        try:
            async with self._opened().request(
                attempt.method,
                attempt.url,
                params=attempt.params,
                data=attempt.data,
                headers=attempt.headers,
                allow_redirects=False,
            ) as response:
                body = await self._body(response, details)
                return Response(response.status, response.headers, body, details["url"])
        except aiohttp.ConnectionTimeoutError as error:
            raise ConnectError(f"no connection in {self._connect_timeout:g} s", **details) from error
        except TimeoutError as error:
            raise TimedOutError(f"no response in {self._attempt_timeout:g} s", **details) from error
        except aiohttp.ClientConnectorError as error:
            raise ConnectError(f"no connection: {error}", **details) from error
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientPayloadError) as error:
            raise ConnectionLostError(f"the connection broke: {error}", **details) from error
        except aiohttp.ClientResponseError as error:
            raise BadResponseError(f"not a response to use: {error.message}", **details) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise BadResponseError(f"not a response to use: {type(error).__name__}", **details) from error

    async def _body(self, response: aiohttp.ClientResponse, details: dict[str, Any]) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > self._largest:
                response.close()
                raise BadResponseError(f"a body of more than {self._largest} bytes", **details)
            parts.append(part)
        return b"".join(parts)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._attempt_timeout, connect=self._connect_timeout)
            connector = (
                aiohttp.UnixConnector(self._unix, limit=self._limit)
                if self._unix
                else aiohttp.TCPConnector(limit=self._limit)
            )
            # Cookies of one caller must not go along with another one's requests.
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session


class _Attempt:
    """What is sent, and how often it was."""

    def __init__(
        self,
        method: str,
        url: URL,
        params: Mapping[str, str | int] | None,
        data: bytes | None,
        headers: dict[str, str],
        *,
        repeatable: bool,
    ) -> None:
        self.method, self.url, self.params, self.data, self.headers = method, url, params, data, headers
        self.repeatable = repeatable
        # Without what may not be shown: a query and a password end up in error messages and logs otherwise.
        self.shown = str(url.with_query(None).with_user(None))
        self.host = f"{url.host}:{url.port}"
        self.number = 0
        self.last: RequestError | None = None

    @property
    def details(self) -> dict[str, Any]:
        """What an error says about the request."""
        return {"method": self.method, "url": self.shown, "attempts": self.number}


def _retry_after(response: Response) -> float | None:
    from yc_common import errors

    return errors.from_response(response.status, response.headers, b"").retry_after
