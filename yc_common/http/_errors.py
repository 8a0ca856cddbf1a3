"""How a request can fail."""

from __future__ import annotations

from typing import Any

from yc_common.errors import Code, Error


class RequestError(Error):
    """A request that did not give a response to use; `details` has the method, the host, and the number of attempts."""

    code_of_class = Code.UNAVAILABLE

    def __init__(
        self, message: str, *, code: Code | None = None, retry_after: float | None = None, **details: Any
    ) -> None:
        super().__init__(code or self.code_of_class, message, retry_after=retry_after, **details)


class ConnectError(RequestError):
    """No connection: refused, unreachable, an unknown name, or a failed TLS handshake. Nothing was sent."""


class ConnectionLostError(RequestError):
    """The peer closed or reset the connection before the whole response was there."""


class TimedOutError(RequestError):
    """No complete response in time."""

    code_of_class = Code.DEADLINE_EXCEEDED


class BadResponseError(RequestError):
    """What came is not HTTP, is too large, or is not what it was to be."""

    code_of_class = Code.BAD_GATEWAY


class CircuitOpenError(RequestError):
    """Not tried: this peer has failed too often of late; `retry_after` says when it will be tried again."""


class StatusError(RequestError):
    """A complete response with a status of 400 or more, as the peer's error with its code, message and details."""

    def __init__(self, status: int, error: Error, **details: Any) -> None:
        super().__init__(error.message, code=error.code, retry_after=error.retry_after, **{**details, **error.details})
        self.status = status
