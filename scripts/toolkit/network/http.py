"""HTTP as pip is configured for it: credentials, certificates, proxies, repeated tries; `file:` URLs too."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_netrc_auth
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.network.index_settings import Indexes, without_credentials

Result = TypeVar("Result")
#: Answers that may be another one in a moment.
_PASSING = frozenset((408, 429, 500, 502, 503, 504))
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0


_Addresses = list[tuple[Any, ...]]


def _look_up_once() -> None:
    """Make this process look a host's name up once for all its connections.

    Sixteen look-ups at the same moment are more than many resolvers answer, and each that is lost costs five seconds
    (resolv.conf(5), timeout). Neither the C library nor urllib3 keeps answers.
    """
    plain = socket.getaddrinfo
    if isinstance(plain, _Lookups):
        return
    socket.getaddrinfo = _Lookups(plain)


class _Lookups:
    """`socket.getaddrinfo` with a memory; who asks while the same is being asked waits for that answer."""

    def __init__(self, plain: Callable[..., _Addresses]) -> None:
        self._plain = plain
        self._known: dict[tuple[Any, ...], _Addresses] = {}
        self._locks: defaultdict[tuple[Any, ...], threading.Lock] = defaultdict(threading.Lock)

    def __call__(self, *arguments: Any, **named: Any) -> _Addresses:
        key = (*arguments, *sorted(named.items()))
        with self._locks[key]:
            # A failure is not kept: the next try asks again.
            if key not in self._known:
                self._known[key] = self._plain(*arguments, **named)
            return self._known[key]


def create(indexes: Indexes, connections: int = 10) -> requests.Session:
    """Return a session for these indexes and their files, with up to `connections` kept open to each host."""
    _look_up_once()
    session = requests.Session()
    session.auth = _Credentials(indexes)
    session.cert = indexes.client_cert or None
    session.headers["User-Agent"] = "python-common"
    if indexes.proxy:
        session.proxies = {"http": indexes.proxy, "https": indexes.proxy}
    session.mount("https://", _Adapter(indexes, connections))
    session.mount("http://", HTTPAdapter(pool_connections=connections, pool_maxsize=connections))
    session.mount("file://", _FileAdapter())
    return session


def patiently(action: Callable[[], Result], url: str, indexes: Indexes) -> Result:
    """Return what `action`, which asks for `url`, returns; repeat it, with pauses, while the fault may pass.

    Raises `UserError` that names the URL: refused, out of time, an error status, a broken connection.
    """
    pause = _FIRST_PAUSE
    for remaining in range(indexes.retries, -1, -1):
        try:
            return action()
        except (requests.RequestException, HTTPError) as error:
            if not remaining or not _may_pass(error):
                raise explain(error, url) from None
            console.debug(f"{without_credentials(url)}: {_reason(error)}; once more in {pause:g} s")
            time.sleep(min(_wanted_pause(error) or pause, _LONGEST_PAUSE))
            pause *= 2
    raise AssertionError("unreachable")


def explain(error: Exception, url: str) -> UserError:
    """Return the error to raise when `url` cannot be had."""
    status = _status(error)
    hints = {
        401: "put the user name and password into ~/.netrc or into the index's URL, in pip's configuration",
        403: "see whether the user in ~/.netrc, or in the index's URL, may read it",
        404: "see whether it was removed; `make vendor UPGRADE=all` chooses anew from what there is",
    }
    hint = hints.get(
        status, "try again later, or see that INDEX_URL= (or pip's index-url), the proxy and the network are right"
    )
    return UserError(f"{without_credentials(url)} {_reason(error)}", hint)


def _status(error: Exception) -> int:
    response = getattr(error, "response", None)
    return response.status_code if response is not None else 0


def _may_pass(error: Exception) -> bool:
    if isinstance(
        error,
        (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            requests.exceptions.SSLError,
            requests.exceptions.TooManyRedirects,
        ),
    ):
        return False
    return not _status(error) or _status(error) in _PASSING


def _wanted_pause(error: Exception) -> float:
    """Return the seconds that the server asks to wait, 0 when it does not say."""
    response = getattr(error, "response", None)
    text = response.headers.get("Retry-After", "") if response is not None else ""
    return float(text) if text.isdigit() else 0.0


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"answers {response.status_code} {response.reason or ''}".rstrip()
    if isinstance(error, requests.exceptions.SSLError):
        return "has a certificate that is not trusted"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "does not answer in time"
    for sign, reason in (
        ("Connection refused", "refuses the connection"),
        ("resolve", "has an unknown host name"),
        ("resolution", "has an unknown host name"),
        ("No such file", "does not exist"),
    ):
        if sign in str(error):
            return reason
    return "breaks the connection"


class _Credentials(AuthBase):
    """User and password of the index whose host is asked, else those of netrc."""

    def __init__(self, indexes: Indexes) -> None:
        self._known: dict[str, tuple[str, str]] = {}
        for url in (*indexes.urls, *indexes.find_links):
            parts = urlsplit(url)
            if parts.username is not None:
                host = parts.netloc.rpartition("@")[2]
                self._known.setdefault(host, (unquote(parts.username), unquote(parts.password or "")))

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        url = request.url or ""
        found = self._known.get(urlsplit(url).netloc.rpartition("@")[2]) or get_netrc_auth(url)
        return HTTPBasicAuth(*found)(request) if found and "Authorization" not in request.headers else request


class _Adapter(HTTPAdapter):
    """TLS with pip's authorities, else the system's; without any check for hosts that pip trusts."""

    def __init__(self, indexes: Indexes, connections: int) -> None:
        self._trusted = frozenset(indexes.trusted_hosts)
        self._authorities = indexes.cert or _system_authorities()
        super().__init__(pool_connections=connections, pool_maxsize=connections)

    def cert_verify(self, conn: object, url: str, verify: bool | str, cert: object) -> None:
        parts = urlsplit(url)
        if self._trusted & {parts.hostname or "", parts.netloc.rpartition("@")[2]}:
            warnings.simplefilter("ignore", InsecureRequestWarning)
            verify = False
        else:
            verify = self._authorities if verify is True else verify
        super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]


def _system_authorities() -> bool | str:
    paths = ssl.get_default_verify_paths()
    return next((path for path in (paths.cafile, paths.capath) if path and os.path.exists(path)), True)


class _FileAdapter(BaseAdapter):
    """`file:` URLs: a file, or the index.html of a directory."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        path = Path(url2pathname(urlsplit(request.url or "").path))
        response = requests.Response()
        response.request, response.url = request, request.url or ""
        try:
            file = path / "index.html" if path.is_dir() else path
            # Closes the file when it has been read to its end.
            response.raw = HTTPResponse(body=file.open("rb"), preload_content=False)
            response.status_code = 200
            response.headers["Content-Length"] = str(file.stat().st_size)
            response.headers["Content-Type"] = "text/html" if file.name == "index.html" else "application/octet-stream"
        except FileNotFoundError:
            response.status_code, response.reason = 404, "no such file"
        return response

    def close(self) -> None:
        """Nothing stays open."""
