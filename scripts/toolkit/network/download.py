"""One URL to one file, tried again when the fault may pass, with errors that a person can act on."""

from __future__ import annotations

import hashlib
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
import urllib3

from toolkit.core import console
from toolkit.core.errors import UserError

TRIES = 4
#: Seconds before the second try; doubled for each one after it.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
_CHUNK = 1 << 18


class TransientError(Exception):
    """A fault that may pass. `pause` is how many seconds the server asks to wait, or None."""

    def __init__(self, what: str, pause: float | None = None) -> None:
        super().__init__(what)
        self.pause = pause


def download(
    session: requests.Session,
    url: str,
    target: Path,
    *,
    size: int,
    timeout: float,
    stop: threading.Event,
    arrived: Callable[[int], None],
) -> tuple[int, str]:
    """Write what a URL (http, https or file) holds to `target`; return its size in bytes and its sha256.

    `size` is what is expected (0: unknown); reading ends soon after it, so a longer file comes back cut short.
    `arrived` is told of each piece, in bytes. Raises `UserError`, and `CancelledError` once `stop` is set.
    """
    for attempt in range(TRIES):
        try:
            return _save(_content(session, url, size, timeout), target, size, stop, arrived)
        except TransientError as error:
            if attempt == TRIES - 1:
                raise UserError(
                    f"{shown(url)}: {error}, {TRIES} times in a row", "run it again later; what was fetched is kept"
                ) from None
            console.debug(f"{shown(url)}: {error}; trying again")
            if stop.wait(_pause(error, attempt)):
                raise CancelledError from None
    raise AssertionError("unreachable")


def shown(url: str) -> str:
    """Return a URL as it may be printed: without credentials, which may also stand in its query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _pause(error: TransientError, attempt: int) -> float:
    if error.pause is not None:
        return min(max(error.pause, 0.0), LONGEST_PAUSE)
    # The jitter keeps many connections, and many machines, from coming back at one moment.
    return float(min(FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.5), LONGEST_PAUSE))


def _save(
    content: Iterator[bytes], target: Path, size: int, stop: threading.Event, arrived: Callable[[int], None]
) -> tuple[int, str]:
    digest = hashlib.sha256()
    count = 0
    with target.open("wb") as output:
        for chunk in content:
            if stop.is_set():
                raise CancelledError
            output.write(chunk)
            digest.update(chunk)
            count += len(chunk)
            arrived(len(chunk))
            if 0 < size < count:
                break
    return count, digest.hexdigest()


def _content(session: requests.Session, url: str, size: int, timeout: float) -> Iterator[bytes]:
    return _local(url) if url.startswith("file:") else _remote(session, url, size, timeout)


def _local(url: str) -> Iterator[bytes]:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise UserError(f"{shown(url)}: a file URL of another host", "write file:///path, with three slashes")
    try:
        with open(unquote(parts.path), "rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise UserError(f"{shown(url)}: {error.strerror}", "see whether the URL is right") from None


def _remote(session: requests.Session, url: str, size: int, timeout: float) -> Iterator[bytes]:
    try:
        # The archive as it is: some servers would send a .tar.gz as "gzip-encoded", which requests then undoes.
        headers = {"Accept-Encoding": "identity"}
        with session.get(url, stream=True, timeout=timeout, headers=headers) as response:
            _check_status(response, url)
            for chunk in response.raw.stream(_CHUNK, decode_content=False):
                size -= len(chunk)
                yield chunk
            # With a length in the header, urllib3 itself has seen to it that all of it came.
            if size > 0 and "Content-Length" not in response.headers:
                raise TransientError(f"ended {size} bytes too early")
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        raise TransientError(f"no answer within {timeout:g} s") from None
    except (requests.ConnectionError, urllib3.exceptions.HTTPError) as error:
        raise _connection_error(url, error) from None
    except requests.RequestException as error:
        raise UserError(f"{shown(url)}: {type(error).__name__}", "see whether the URL is right") from None


def _check_status(response: requests.Response, url: str) -> None:
    """Raise what an HTTP status means for the user (RFC 9110)."""
    status = response.status_code
    if status == 200:
        return
    what = f"HTTP status {status} {response.reason or ''}".rstrip()
    if status == 429 or status >= 500:
        raise TransientError(what, _retry_after(response.headers.get("Retry-After", "")))
    hints = {
        401: "give the index's user and password in ~/.netrc or in pip's configuration",
        403: "see whether this user may read the index: ~/.netrc, or pip's configuration",
        404: "the file is gone, or the URL is wrong: choose another version, or mend the URL",
        410: "the file is gone: choose another version",
    }
    raise UserError(f"{shown(url)}: {what}", hints.get(status, "see whether the URL is right"))


def _retry_after(value: str) -> float | None:
    """Return how many seconds a Retry-After header (RFC 9110, 10.2.3: seconds or a date) asks to wait."""
    if value.strip().isdecimal():
        return float(value)
    try:
        return parsedate_to_datetime(value).timestamp() - time.time()
    except ValueError:
        return None


def _connection_error(url: str, error: Exception) -> Exception:
    """Tell a fault that trying again cannot mend from one that may pass."""
    causes = list(_causes(error))
    host = urlsplit(url).hostname or shown(url)
    if isinstance(error, requests.exceptions.ProxyError):
        return UserError(f"{shown(url)}: the proxy does not answer", "see HTTPS_PROXY, or pip's `proxy` setting")
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return UserError(
                f"{shown(url)}: the certificate of {host} is not trusted ({cause.verify_message})",
                "set pip's `cert` to your organisation's certificates, or install them on this machine",
            )
        if isinstance(cause, socket.gaierror):
            return UserError(f"{shown(url)}: no such host: {host}", "see whether the network and the URL are right")
        if isinstance(cause, ConnectionRefusedError):
            return UserError(f"{shown(url)}: {host} refuses the connection", "see whether the server is running")
    reason = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), "")
    return TransientError(f"the connection broke{f' ({reason})' if reason else ''}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and those it came from; requests and urllib3 also keep them as arguments."""
    while error is not None:
        yield error
        inner = [item for item in (getattr(error, "reason", None), *error.args) if isinstance(item, BaseException)]
        error = inner[0] if inner else error.__cause__ or error.__context__
