"""A complete response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, overload

import msgspec

from yc_common import errors
from yc_common.http._errors import BadResponseError, StatusError

T = TypeVar("T")


class Response:
    """A response whose whole body has come."""

    __slots__ = ("body", "headers", "status", "url")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes, url: str) -> None:
        self.status, self.headers, self.body, self.url = status, headers, body, url

    @overload
    def json(self) -> Any: ...
    @overload
    def json(self, wanted: type[T]) -> T: ...

    def json(self, wanted: Any = Any) -> Any:
        """Return the body as JSON, checked against a type when one is given; raises `BadResponseError`."""
        try:
            return msgspec.json.decode(self.body, type=wanted)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadResponseError(f"not the expected JSON: {error}", url=self.url) from error

    @property
    def text(self) -> str:
        """The body as text, by its charset."""
        charset = self.headers.get("Content-Type", "").partition("charset=")[2].strip('" ;') or "utf-8"
        try:
            return self.body.decode(charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def check(self) -> None:
        """Raise `StatusError` unless the status is below 400."""
        if self.status >= 400:
            raise StatusError(self.status, errors.from_response(self.status, self.headers, self.body), url=self.url)
