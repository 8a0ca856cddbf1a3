"""Sessions: a host's name is looked up once, however many connections are made, and its certificate is of that name."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests import http_server
from tests.http_server import Server
from tests.unit.network.fetching import fetch
from toolkit.core import secrets
from toolkit.core.errors import UserError
from toolkit.model.lock import VendoredFile
from toolkit.network import http, retry
from toolkit.network.index_pages import Index
from toolkit.network.index_settings import Indexes

PLAIN = socket.getaddrinfo
NAMES = {"index.example": "127.0.0.1", "other.example": "127.0.0.1"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names that are looked up; the first look-up of `late.example` has no answer."""
    calls: list[str] = []

    def getaddrinfo(host: str, *arguments: int) -> object:
        if host[0].isdigit() or ":" in host:
            return PLAIN(host, *arguments)
        calls.append(host)
        host.encode("idna")
        if host == "late.example" and len(calls) == 1:
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        # One address where nothing listens comes first.
        return [*PLAIN("127.0.0.9", *arguments), *PLAIN(NAMES.get(host, "127.0.0.1"), *arguments)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    http._look_up.cache_clear()
    monkeypatch.setattr(retry, "BACKOFF", 0.01)
    return calls


class Handler(http_server.Handler):
    def get(self) -> None:
        self.answer(200, {}, self.headers["Host"].encode())


@pytest.fixture
def server() -> Iterator[Server]:
    with http_server.serving(Handler) as running:
        yield running


@pytest.fixture
def authority(server: Server, tmp_path: Path) -> Path:
    """Return the certificate of the server, which now speaks TLS: it is of index.example alone."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=index.example", "-addext", "subjectAltName=DNS:index.example"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return certificate


def session(**settings: str | tuple[str, ...]) -> requests.Session:
    result = http.create(Indexes(**settings), 16)  # type: ignore[arg-type]
    result.trust_env = False
    return result


def test_many_files_of_one_host_look_it_up_once(
    server: Server, asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    url = f"http://index.example:{server.server_port}"
    files = [VendoredFile(name=f"{number}", size=0, sha256="", url=f"{url}/{number}") for number in range(16)]
    assert len(fetch(files, Indexes(), cache=tmp_path)) == 16
    assert asked == ["index.example"]


def test_look_ups_at_one_moment_are_one(asked: list[str]) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: http._addresses("index.example", 443), range(64)))
    assert asked == ["index.example"]
    assert answers == [("127.0.0.9", "127.0.0.1")] * 64


def test_a_host_is_asked_under_its_name(server: Server, asked: list[str]) -> None:
    for name in ("index.example", "other.example"):
        assert session().get(f"http://{name}:{server.server_port}/").text == f"{name}:{server.server_port}"
    assert asked == ["index.example", "other.example"]


def test_a_look_up_without_an_answer_is_tried_again(server: Server, asked: list[str]) -> None:
    url = f"http://late.example:{server.server_port}/"
    assert retry.get(session(), url, lambda response: response.status_code, timeout=5) == 200
    assert asked == ["late.example", "late.example"]


def test_a_proxy_is_looked_up_and_what_it_is_asked_for_is_not(server: Server, asked: list[str]) -> None:
    through = session(proxy=f"http://index.example:{server.server_port}")
    assert through.get("http://far.example/").text == "far.example"
    assert asked == ["index.example"]


@pytest.mark.parametrize("proxy", ["me:s3cret@127.0.0.1:9", "http://me:s3cret@127.0.0.1:9"])
def test_a_fault_of_the_proxy_is_told_as_one(asked: list[str], proxy: str) -> None:
    with pytest.raises(
        UserError, match=r"^error: http://index\.example/a cannot be reached through the proxy"
    ) as caught:
        retry.get(session(proxy=proxy), "http://index.example/a", lambda response: response.content, timeout=5)
    assert "proxy" in caught.value.hint
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("proxy", ["socks5h://127.0.0.1:9", "ftp://127.0.0.1:9", "127.0.0.1:abc", "http://[x", "::"])
def test_a_proxy_that_is_none_is_told_as_one(asked: list[str], proxy: str) -> None:
    with pytest.raises(UserError, match="cannot be reached through the proxy") as caught:
        retry.get(session(proxy=proxy), "http://index.example/a", lambda response: response.content, timeout=5)
    assert "HTTPS_PROXY" in caught.value.hint
    # A port that is no number would be printed as a password is.
    assert secrets.without_secrets(caught.value.hint, "***") == caught.value.hint


@pytest.mark.parametrize("setting", ["cert", "client_cert"])
def test_a_certificate_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(variable, raising=False)
    found = session(**{setting: "/nowhere/x.pem"})
    with pytest.raises(UserError, match=r"/nowhere/x\.pem") as caught:
        retry.get(found, "https://127.0.0.1:9/a", lambda response: response.content, timeout=5)
    assert "`client-cert`" in caught.value.hint


def test_a_netrc_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "netrc"
    path.write_bytes("machine index.example login me password pä\n".encode("latin-1"))
    monkeypatch.setenv("NETRC", str(path))
    with pytest.raises(UserError, match=f"{path}: it is not UTF-8"):
        retry.get(session(), "http://index.example/a", lambda response: response.content, timeout=5)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://index.example/x", "FILE:/etc/passwd"])
def test_a_redirection_leads_to_servers_only(target: str) -> None:
    class Redirecting(http_server.Handler):
        def get(self) -> None:
            self.answer(302, {"Location": target}, b"")

    with http_server.serving(Redirecting) as running:
        url = f"http://127.0.0.1:{running.server_port}/x"
        with pytest.raises(UserError, match="looks like an attack: it redirects to"):
            retry.get(session(), url, lambda response: response.content, timeout=5)


@pytest.mark.parametrize("trusted", [False, True])
def test_a_redirection_leads_to_nobody_on_the_way(
    server: Server, authority: Path, asked: list[str], trusted: bool
) -> None:
    class Redirecting(http_server.Handler):
        def get(self) -> None:
            self.answer(302, {"Location": f"http://other.example:{plain.server_port}/"}, b"")

    with http_server.serving(Handler) as plain:
        server.RequestHandlerClass = Redirecting
        found = session(cert=str(authority), trusted_hosts=("other.example",) if trusted else ())
        url = f"https://index.example:{server.server_port}/"
        if trusted:
            assert "other.example" in found.get(url).text
        else:
            with pytest.raises(UserError, match=r"attack: it redirects to http://other\.example"):
                retry.get(found, url, lambda response: response.content, timeout=5)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://index.example/simple/a/", "Basic dXNlcjrQvw=="),
        ("https://index.example:443/simple/a/", None),
        ("http://index.example/files/a", None),
        ("https://other.example/simple/a/", None),
    ],
)
def test_credentials_are_for_one_host_by_one_scheme_and_of_any_letters(url: str, expected: str | None) -> None:
    found = session(url="https://user:%D0%BF@index.example/simple")
    prepared = found.prepare_request(requests.Request("GET", url))
    assert prepared.headers.get("Authorization") == expected


@pytest.mark.parametrize("kind", ["application/vnd.pypi.simple.v1+json", "text/html"])
def test_a_page_of_the_network_names_no_file_of_this_machine(kind: str) -> None:
    file = {"filename": "a-1.0.tar.gz", "url": "file:///srv/a-1.0.tar.gz", "hashes": {}}
    page = json.dumps({"files": [file]}) if "json" in kind else '<a href="file:///srv/a-1.0.tar.gz">a-1.0.tar.gz</a>'

    class Naming(http_server.Handler):
        def get(self) -> None:
            self.answer(200, {"Content-Type": kind}, page.encode())

    with http_server.serving(Naming) as running:
        index = Index(Indexes(url=f"http://127.0.0.1:{running.server_port}/simple"))
        with pytest.raises(UserError, match="looks like an attack: it gives file:///srv/a"):
            index.files("a")


def test_a_certificate_is_of_the_name_that_was_asked_for(server: Server, authority: Path, asked: list[str]) -> None:
    trusting = session(cert=str(authority))
    port = server.server_port
    assert retry.get(trusting, f"https://index.example:{port}/", lambda answer: answer.status_code, timeout=5) == 200
    for host in ("other.example", "127.0.0.1"):
        with pytest.raises(UserError, match="has a certificate that is not trusted"):
            retry.get(trusting, f"https://{host}:{port}/", lambda answer: answer.status_code, timeout=5)


def test_a_host_that_is_no_name_is_an_error(asked: list[str]) -> None:
    with pytest.raises(UserError, match="cannot be fetched"):
        retry.get(session(), f"http://{'a' * 70}.example/", lambda answer: answer.status_code, timeout=5)
