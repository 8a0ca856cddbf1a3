"""The one policy for requests: which are repeated, after which pauses, and the error that a user reads.

urllib3's `Retry` counts and waits (https://urllib3.readthedocs.io/en/stable/reference/urllib3.util.html). It is used
here, not mounted on the sessions: an adapter does not see a body that breaks off, and all faults share one count.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import requests
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    IncompleteRead,
    InvalidHeader,
    LocationValueError,
    MaxRetryError,
    NewConnectionError,
    TimeoutError,
)
from urllib3.util import Retry

from toolkit.core import console
from toolkit.core.errors import FinalError, UserError
from toolkit.core.foreign_text import one_line
from toolkit.network.http import LeadsAway, Misled
from toolkit.network.index_options import shown
from toolkit.network.paced_answer import PATIENCE, SLOWEST, SlowError

Result = TypeVar("Result")
#: Answers that may be another one in a moment: RFC 9110, 15.5.9 and 15.6; RFC 6585, 4.
PASSING = frozenset((408, 429, *range(500, 600)))
#: RFC 9110, 15.5.5 and 15.5.11.
_ABSENT = (404, 410)
#: How often a request is repeated, as long as that is within our patience: what takes long is repeated less often.
REPETITIONS = 3
#: Seconds; urllib3 repeats the first time at once, then waits for twice and four times as long, and the jitter.
BACKOFF = 0.5
LONGEST_PAUSE = 30
_CHUNK = 1 << 18
HINTS = {
    401: "if you know this server, put user name and password into ~/.netrc, or into its URL in pip's configuration",
    403: "see whether the user in ~/.netrc, or in the index's URL, may read it",
    404: "correct the URL, or choose another version; `make vendor UPGRADE=all` chooses from what there is now",
    410: "choose another version; `make vendor UPGRADE=all` chooses from what there is now",
}
_SERVER_HINT = "see that INDEX_URL= (or pip's index-url) and the proxy are right; if so, ask those who run that server"
NETWORK_HINT = "try again later, or see that INDEX_URL= (or pip's index-url), the proxy and the network are right"
_FINAL = (
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.TooManyRedirects,
    LocationValueError,
)


class UnreachableError(FinalError):
    """A server that gave no answer, or not all of one: the next request to it would last as long."""


class _Policy(Retry):
    """`Retry`, for which a Retry-After that cannot be read counts as none (RFC 9110, 10.2.3: seconds, or a date)."""

    def parse_retry_after(self, retry_after: str) -> float:
        try:
            return super().parse_retry_after(retry_after)
        except (InvalidHeader, ValueError, OverflowError):
            return 0


def policy() -> Retry:
    """Return the state from which requests begin."""
    # The jitter keeps many connections, and many machines, from coming back at one moment.
    return _Policy(
        total=REPETITIONS,
        status_forcelist=PASSING,
        backoff_factor=BACKOFF,
        backoff_jitter=BACKOFF,
        backoff_max=LONGEST_PAUSE,
        retry_after_max=LONGEST_PAUSE,
    )


def get(
    session: requests.Session,
    url: str,
    read: Callable[[requests.Response], Result],
    *,
    timeout: float,
    headers: Mapping[str, str] | None = None,
    absent: Result | None = None,
    accepted: Collection[int] = (200,),
) -> Result:
    """Return what `read` makes of the answer to a GET, whose body it fetches itself; repeated while a fault may pass.

    `timeout` is in seconds without a byte; a dead server is given up after `PATIENCE`, or a timeout that is longer.
    `absent` is the result for status 404 and 410 (None: an error), `accepted` are those that `read` takes.
    Raises `UserError` that names the URL without credentials.
    """
    state, start = policy(), time.monotonic()
    while True:
        begun = time.monotonic()
        try:
            with session.get(url, stream=True, timeout=timeout, headers=headers) as response:
                if response.status_code in _ABSENT and absent is not None:
                    return absent
                if response.status_code not in accepted:
                    raise requests.HTTPError(response=response)
                return read(response)
        except (requests.RequestException, HTTPError) as error:
            answer: Any = getattr(error, "response", None)
            if not _may_pass(error) or _asks_for_more_than(PATIENCE, answer):
                raise explain(error, url, timeout) from None
            try:
                state = state.increment("GET", url, error=error)
            except MaxRetryError:
                raise explain(error, url, timeout, tries=len(state.history) + 1) from None
            # The next try may last as long as this one did.
            if 2 * time.monotonic() - start - begun > PATIENCE:
                raise explain(error, url, timeout, tries=len(state.history)) from None
            console.debug(f"{explain(error, url, timeout).what}; trying again")
        state.sleep(None if answer is None else answer.raw)


def chunks(answer: requests.Response, *, decode: bool) -> Iterator[bytes]:
    """Yield the body of an answer as it comes, with its Content-Encoding undone if asked for."""
    while chunk := answer.raw.read1(_CHUNK, decode_content=decode):
        yield chunk


def content(answer: requests.Response, limit: int) -> bytes:
    """Return the body of an answer, whole; raises `UserError` for one of more than `limit` bytes, unpacked."""
    parts, size = [], 0
    for part in chunks(answer, decode=True):
        size += len(part)
        if size > limit:
            raise UserError(
                f"{shown(answer.url)} answers with more than {limit >> 20} MiB, which no honest index does",
                "do not use this index before its keepers have looked at it",
            )
        parts.append(part)
    return b"".join(parts)


def explain(error: Exception, url: str, timeout: float, tries: int = 1) -> UserError:
    """Return the error to raise for a `url` that gave no answer, or a bad one, after so many tries."""
    what, hint = _meaning(error, timeout)
    times = f", {tries} times in a row" if tries > 1 else ""
    is_silent = getattr(error, "response", None) is None and _may_pass(error)
    return (UnreachableError if is_silent else UserError)(f"{shown(url)} {what}{times}", hint)


def _asks_for_more_than(seconds: int, answer: requests.Response | None) -> bool:
    """Tell whether an answer says not to come back so soon."""
    asked = "" if answer is None else answer.headers.get("Retry-After", "")
    return bool(asked) and _Policy(retry_after_max=2 * seconds).parse_retry_after(asked) > seconds


def _may_pass(error: Exception) -> bool:
    response = getattr(error, "response", None)
    if response is not None:
        return response.status_code in PASSING
    return not isinstance(error, _FINAL) and not any(
        isinstance(cause, ssl.SSLCertVerificationError)
        or (isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN)
        for cause in _causes(error)
    )


def _meaning(error: Exception, timeout: float) -> tuple[str, str]:
    """Return what an answer or a fault means, as the end of a sentence about the URL, and what to do."""
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return "redirects in a circle", "see where `curl -IL` of it leads, then correct the URL or mend the server"
    if isinstance(error, LeadsAway):
        return (
            f"looks like an attack: it redirects to {shown(str(error))}",
            "do not use it: tell those who run that server",
        )
    response = getattr(error, "response", None)
    if response is not None:
        status = response.status_code
        hint = HINTS.get(status) or (NETWORK_HINT if status in PASSING else _SERVER_HINT)
        return f"answers {status} {one_line(response.reason or '')}".rstrip(), hint
    if isinstance(error, (requests.exceptions.ProxyError, requests.exceptions.InvalidProxyURL)):
        return "cannot be reached through the proxy", (
            "see HTTPS_PROXY, or pip's `proxy` setting: http://host:3128 (one of SOCKS is not spoken to)"
        )
    if isinstance(error, Misled):
        return "redirects to what is no URL", _SERVER_HINT
    if isinstance(error, _FINAL):
        return f"cannot be fetched ({type(error).__name__})", (
            "correct the URL (https://host/path, or file:///path), or see where `curl -IL` of it leads"
        )
    return _meaning_of_causes(list(_causes(error)), timeout)


def _meaning_of_causes(causes: Sequence[BaseException], timeout: float) -> tuple[str, str]:
    for cause in causes:
        if isinstance(cause, SlowError):
            return f"sends less than {SLOWEST} bytes a second", NETWORK_HINT
        if isinstance(cause, DecodeError):
            return "is not encoded as it says (Content-Encoding)", _SERVER_HINT
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"has a certificate that is not trusted ({cause.verify_message})",
                "somebody else may answer in its place; if your organisation has its own authority, set pip's `cert`",
            )
        if isinstance(cause, socket.gaierror):
            return "has an unknown host name", NETWORK_HINT
        if isinstance(cause, ConnectionRefusedError):
            return "refuses the connection", NETWORK_HINT
        # urllib3 2 calls any connection that could not be made a timeout too.
        if isinstance(cause, (requests.Timeout, TimeoutError)) and not isinstance(cause, NewConnectionError):
            return f"does not answer within {timeout:g} s", NETWORK_HINT
        if isinstance(cause, IncompleteRead):
            return f"ends {cause.expected} bytes too early", NETWORK_HINT
    reason = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), "")
    return f"breaks the connection{f' ({reason})' if reason else ''}", NETWORK_HINT


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and those it came from; requests and urllib3 also keep them as arguments."""
    while error is not None:
        yield error
        inner = [item for item in (getattr(error, "reason", None), *error.args) if isinstance(item, BaseException)]
        error = inner[0] if inner else error.__cause__ or error.__context__
