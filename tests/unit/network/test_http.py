"""A host's name is looked up once, however many connections are made."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from toolkit.network import http
from toolkit.network.index_settings import Indexes


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    lock = threading.Lock()

    def getaddrinfo(host: str, port: int) -> list[tuple[object, ...]]:
        with lock:
            calls.append(host)
        if host == "gone.example" and len(calls) == 1:
            raise socket.gaierror("no answer")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    http.create(Indexes(url="https://index.example/simple"))
    return calls


def test_many_connections_at_once_ask_once(asked: list[str]) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: socket.getaddrinfo("index.example", 443), range(64)))
    assert asked == ["index.example"]
    assert all(answer == answers[0] for answer in answers)


def test_each_host_and_port_is_asked_for(asked: list[str]) -> None:
    for host, port in (("a.example", 443), ("b.example", 443), ("a.example", 80)):
        socket.getaddrinfo(host, port)
    assert asked == ["a.example", "b.example", "a.example"]


def test_a_failure_is_not_kept(asked: list[str]) -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("gone.example", 443)
    assert socket.getaddrinfo("gone.example", 443)
