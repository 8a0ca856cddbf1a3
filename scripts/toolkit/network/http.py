"""Sessions that speak HTTP as pip is configured for it: credentials, certificates, proxies; `file:` URLs too."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import warnings
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import url2pathname

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_netrc_auth, select_proxy
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    InsecureRequestWarning,
    LocationParseError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util.connection import allowed_gai_family

from toolkit.core.errors import UserError
from toolkit.network.index_settings import Indexes
from toolkit.network.paced_answer import PacedAnswer


def create(indexes: Indexes, connections: int = 10) -> requests.Session:
    """Return a session for these indexes and their files, with up to `connections` kept open to each host."""
    session = _Session(indexes)
    session.auth = _Credentials(indexes)
    session.cert = indexes.client_cert or None
    session.headers["User-Agent"] = "python-common"
    if indexes.proxy:
        session.proxies = {"http": indexes.proxy, "https": indexes.proxy}
    session.mount("https://", _Adapter(indexes, connections))
    session.mount("http://", _Adapter(indexes, connections))
    session.mount("file://", _FileAdapter())
    return session


class LeadsAway(requests.exceptions.InvalidSchema):
    """A redirection from a server to what is no server's, such as a file of this machine, or to anybody on the way."""


class Misled(requests.exceptions.InvalidURL):
    """A redirection to what is no URL."""


class _Session(requests.Session):
    """A session whose `file:` URLs are those that it is given: no server can name one (RFC 9110, 17.3)."""

    def __init__(self, indexes: Indexes) -> None:
        super().__init__()
        self._indexes = indexes

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        if resp.is_redirect:
            # Its body would be read to an end that it may not have.
            resp.raw.close()
        try:
            target = super().get_redirect_target(resp)
            url = urljoin(resp.url, target or "")
            scheme = urlsplit(url).scheme
        except ValueError:
            raise Misled("Location") from None
        if not target:
            return None
        if scheme not in ("http", "https") or (resp.url.startswith("https") and not self._indexes.protects(url)):
            raise LeadsAway(url)
        return target


_locks: defaultdict[tuple[str, int], threading.Lock] = defaultdict(threading.Lock)


def _addresses(host: str, port: int) -> tuple[str, ...]:
    """Return a host's addresses; of two look-ups at the same time the second waits for the first one's result.

    Sixteen look-ups at the same moment are more than many resolvers answer, and each that is lost costs five seconds
    (resolv.conf(5), timeout). Neither the C library nor urllib3 keeps answers.
    """
    with _locks[host, port]:
        return _look_up(host, port)


@cache
def _look_up(host: str, port: int) -> tuple[str, ...]:
    # A failure is an exception, which is not kept: the next try looks it up again.
    found = socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


class _LookedUpOnce(HTTPConnection):
    """A connection to one of a host's known addresses; its certificate is still compared with the host's name."""

    response_class = PacedAnswer

    def _new_conn(self) -> socket.socket:
        name = self.host
        fault: HTTPError | None = None
        try:
            for address in _addresses(name, self.port):
                self.host = address
                try:
                    return super()._new_conn()
                except (ConnectTimeoutError, NewConnectionError) as error:
                    fault = error
        except socket.gaierror as error:
            raise NameResolutionError(name, self, error) from error
        except UnicodeError:
            raise LocationParseError(name) from None
        finally:
            self.host = name
        raise fault or NewConnectionError(self, "the host has no address")


class _HTTPSConnection(_LookedUpOnce, HTTPSConnection):
    """The same, with TLS."""


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _LookedUpOnce


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


class _Credentials(AuthBase):
    """User and password of a request's own URL, of the index with its scheme and host, or those of netrc."""

    def __init__(self, indexes: Indexes) -> None:
        self._known: dict[str, tuple[str, str]] = {}
        for url in (*indexes.urls, *indexes.find_links):
            if (own := _login(url)) is not None:
                self._known.setdefault(_origin(url), own)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        url = request.url or ""
        found = _login(url) or self._known.get(_origin(url)) or _of_netrc(url)
        if found and "Authorization" not in request.headers:
            # As UTF-8 (RFC 7617, 2.1), which requests would do with bytes alone.
            HTTPBasicAuth(*(text.encode() for text in found))(request)
        return request


def _of_netrc(url: str) -> tuple[str, str] | None:
    try:
        return get_netrc_auth(url)
    except UnicodeDecodeError:
        raise UserError(
            f"{os.environ.get('NETRC', '~/.netrc')}: it is not UTF-8, so nobody can tell which password it has",
            "write it again in UTF-8",
        ) from None


def _login(url: str) -> tuple[str, str] | None:
    parts = urlsplit(url)
    return None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))


def _origin(url: str) -> str:
    """Return the scheme and the host of a URL: what is for one of them is none of another's business (RFC 6454)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()


class _Adapter(HTTPAdapter):
    """One look-up a host; TLS with pip's authorities, else the system's; no checks for hosts that pip trusts."""

    def __init__(self, indexes: Indexes, connections: int) -> None:
        self._indexes = indexes
        self._authorities = indexes.cert or _system_authorities()
        super().__init__(pool_connections=connections, pool_maxsize=connections)

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **named)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        try:
            return super().get_connection_with_tls_context(request, verify, proxies, cert)
        except (LocationValueError, requests.exceptions.InvalidSchema) as error:
            if not select_proxy(request.url or "", proxies):
                raise
            # Of a kind, or in a form, that nobody knows; the URL itself has been read before.
            raise requests.exceptions.InvalidProxyURL(str(error)) from None

    def cert_verify(self, conn: object, url: str, verify: bool | str, cert: object) -> None:
        if self._indexes.trusts(url):
            warnings.simplefilter("ignore", InsecureRequestWarning)
            verify = False
        else:
            verify = self._authorities if verify is True else verify
        try:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]
        except OSError as error:
            raise UserError(
                str(error), "correct pip's `cert` or `client-cert`, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE"
            ) from None


def _system_authorities() -> bool | str:
    paths = ssl.get_default_verify_paths()
    return next((path for path in (paths.cafile, paths.capath) if path and os.path.exists(path)), True)


class _FileAdapter(BaseAdapter):
    """`file:` URLs: a file, or the index.html of a directory."""

    def send(self, request: requests.PreparedRequest, *arguments: Any, **named: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        if parts.netloc not in ("", "localhost"):
            raise requests.exceptions.InvalidURL("a file URL of another host")
        path = Path(url2pathname(parts.path))
        response = requests.Response()
        response.request, response.url = request, request.url or ""
        response.raw = HTTPResponse(body=b"", preload_content=False)
        try:
            file = path / "index.html" if path.is_dir() else path
            # What is there but no file may block whoever opens it.
            if not file.is_file():
                raise FileNotFoundError(file)
            # Closes the file when it has been read to its end.
            response.raw = HTTPResponse(body=file.open("rb"), preload_content=False)
            response.status_code = 200
            response.headers["Content-Length"] = str(file.stat().st_size)
            is_page = file.suffix in (".html", ".htm")
            response.headers["Content-Type"] = "text/html" if is_page else "application/octet-stream"
        except (FileNotFoundError, NotADirectoryError):
            response.status_code, response.reason = 404, "no such file"
        except PermissionError:
            response.status_code, response.reason = 403, "not readable"
        return response

    def close(self) -> None:
        """Nothing stays open."""
