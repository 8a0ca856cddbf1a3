"""One model of errors: a code, a message for people, details for programs; and its form over HTTP (RFC 9457).

raise errors.Error(errors.Code.NOT_FOUND, "no such order", order=7)
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

import msgspec

__all__ = ["CONTENT_TYPE", "Code", "Error", "Problem", "from_response", "to_response"]

#: The media type of an error's body.
CONTENT_TYPE = "application/problem+json"


class Code(enum.StrEnum):
    """What kind of error it is: what a program decides by. The values are part of the interface between services."""

    INVALID_ARGUMENT = "invalid_argument"
    UNAUTHENTICATED = "unauthenticated"
    PERMISSION_DENIED = "permission_denied"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    ALREADY_EXISTS = "already_exists"
    FAILED_PRECONDITION = "failed_precondition"
    TOO_LARGE = "too_large"
    RESOURCE_EXHAUSTED = "resource_exhausted"
    CANCELLED = "cancelled"
    INTERNAL = "internal"
    UNIMPLEMENTED = "unimplemented"
    BAD_GATEWAY = "bad_gateway"
    UNAVAILABLE = "unavailable"
    DEADLINE_EXCEEDED = "deadline_exceeded"

    @property
    def status(self) -> int:
        """The HTTP status of this code."""
        return _STATUS[self]

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed later."""
        return self in (Code.RESOURCE_EXHAUSTED, Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.BAD_GATEWAY)

    @classmethod
    def from_status(cls, status: int) -> Code:
        """Return the code that an HTTP status of 400 or more stands for."""
        return _CODES.get(status, cls.INTERNAL if status >= 500 else cls.INVALID_ARGUMENT)


_STATUS = {
    Code.INVALID_ARGUMENT: 400,
    Code.UNAUTHENTICATED: 401,
    Code.PERMISSION_DENIED: 403,
    Code.NOT_FOUND: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.ALREADY_EXISTS: 409,
    Code.FAILED_PRECONDITION: 412,
    Code.TOO_LARGE: 413,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.CANCELLED: 499,
    Code.INTERNAL: 500,
    Code.UNIMPLEMENTED: 501,
    Code.BAD_GATEWAY: 502,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
}
_CODES = {status: code for code, status in _STATUS.items()} | {
    408: Code.DEADLINE_EXCEEDED,
    410: Code.NOT_FOUND,
    422: Code.INVALID_ARGUMENT,
}


class Error(Exception):
    """An error that may cross a service's border: `message` and `details` are shown to the other side."""

    def __init__(self, code: Code, message: str, *, retry_after: float | None = None, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.retry_after = retry_after
        """Seconds after which another try makes sense, when that is known."""

    def __str__(self) -> str:
        shown = ", ".join(f"{key}={value!r}" for key, value in self.details.items())
        return f"{self.code}: {self.message}" + (f" ({shown})" if shown else "")


class Problem(msgspec.Struct, omit_defaults=True):
    """The body of an error response. `type` is always about:blank, so `title` repeats the status."""

    title: str
    status: int
    detail: str = ""
    code: str = ""
    details: dict[str, Any] = {}
    request_id: str = ""


def to_response(error: BaseException, request_id: str = "") -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the response to a request that ended with this exception.

    Only an `Error` tells the other side more than that something went wrong here.
    """
    if not isinstance(error, Error):
        error = Error(Code.INTERNAL, "something went wrong here; the log has it under the request id")
    problem = Problem(
        title=error.code.value.replace("_", " "),
        status=error.code.status,
        detail=error.message,
        code=error.code.value,
        details=error.details,
        request_id=request_id,
    )
    headers = {"Content-Type": CONTENT_TYPE}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(0, round(error.retry_after)))
    return error.code.status, headers, msgspec.json.encode(problem, enc_hook=str)


def from_response(status: int, headers: Mapping[str, str], body: bytes) -> Error:
    """Return the error that a response of status 400 or more stands for, whoever wrote it."""
    retry_after = _seconds(headers.get("Retry-After", ""))
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Error(Code.from_status(status), f"HTTP status {status}", retry_after=retry_after)
    code = Code(problem.code) if problem.code in Code.__members__.values() else Code.from_status(status)
    error = Error(code, problem.detail or problem.title, retry_after=retry_after)
    error.details = problem.details
    return error


def _seconds(text: str) -> float | None:
    """Read a Retry-After header: seconds, or a date."""
    if text.isdigit() and len(text) < 10:
        return float(text)
    if text:
        import time
        from email.utils import parsedate_to_datetime

        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
        except (TypeError, ValueError):
            return None
    return None
