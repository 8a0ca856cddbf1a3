"""Fetching, from a server on loopback: what is asked for arrives, checked, or one clear error does."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from pathlib import Path

import pytest

from tests import http_server
from tests.unit.network.fetching import fetch
from toolkit.core.errors import UserError
from toolkit.model.lock import VendoredFile
from toolkit.network import paced_answer, retry
from toolkit.network.fetch import Fetcher
from toolkit.network.index_settings import Indexes

CONTENT = os.urandom(700_000)
Answer = Callable[["Handler"], None]


@dataclass
class Site:
    """A server that gives each path its answers in turn, the last one for ever, and counts what it was asked."""

    url: str = ""
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)

    def give(self, name: str, *answers: Answer | bytes) -> None:
        self.answers[f"/{name}"] = [ok(answer) if isinstance(answer, bytes) else answer for answer in answers]

    def file(self, name: str, content: bytes = CONTENT, **changes: str | int) -> VendoredFile:
        facts = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "url": f"{self.url}/{name}"}
        return VendoredFile(name=name, **{**facts, **changes})  # type: ignore[arg-type]


class Handler(http_server.Handler):
    site: Site

    def get(self) -> None:
        path = self.path.partition("?")[0]
        self.site.asked.append(path)
        answers = self.site.answers.get(path, [status(404)])
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)


def ok(content: bytes, **headers: str) -> Answer:
    return lambda handler: handler.answer(200, _named(headers), content)


def status(code: int, **headers: str) -> Answer:
    return lambda handler: handler.answer(code, _named(headers), b"sorry")


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def truncated(handler: Handler) -> None:
    handler.answer(200, {}, CONTENT[:300_000], length=len(CONTENT))
    handler.close_connection = True


def reset(handler: Handler) -> None:
    # With nothing to linger for, closing sends RST.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    handler.connection.close()
    handler.close_connection = True


def without_length(content: bytes) -> Answer:
    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(content)
        handler.close_connection = True

    return answer


def silent(handler: Handler) -> None:
    handler.site.release.wait(20)
    handler.close_connection = True


@pytest.fixture
def site() -> Iterator[Site]:
    result = Site()
    with http_server.serving(Handler, site=result) as server:
        result.url = f"http://127.0.0.1:{server.server_port}"
        yield result
        result.release.set()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BACKOFF", 0.01)


@pytest.fixture
def indexes(monkeypatch: pytest.MonkeyPatch) -> Indexes:
    """Return the settings to fetch with; no proxy of this machine is used."""
    monkeypatch.setenv("no_proxy", "*")
    return Indexes()


def cached(cache: Path) -> list[str]:
    """Return all that the cache holds."""
    return sorted(str(path.relative_to(cache)) for path in cache.rglob("*"))


def failure(file: VendoredFile, indexes: Indexes, cache: Path) -> str:
    """Return the error of fetching one file; it leaves nothing behind."""
    with pytest.raises(UserError) as caught:
        fetch([file], indexes, cache=cache)
    assert cached(cache) == []
    assert caught.value.hint and "\n" not in str(caught.value.what)
    return caught.value.what


def test_files_arrive_under_their_hash(site: Site, indexes: Indexes, tmp_path: Path) -> None:
    contents = {f"f{number}.tar.gz": os.urandom(1000 * number + 1) for number in range(30)}
    for name, content in contents.items():
        site.give(name, content)
    wanted = [site.file(name, content) for name, content in contents.items()]
    fetched = fetch([*wanted, *wanted], indexes, cache=tmp_path)
    assert {name: item.path.read_bytes() for name, item in fetched.items()} == contents
    assert all(item.path == tmp_path / item.sha256 / name for name, item in fetched.items())
    assert [fetched[file.name].sha256 for file in wanted] == [file.sha256 for file in wanted]
    assert [fetched[file.name].size for file in wanted] == [file.size for file in wanted]
    assert sorted(site.asked) == sorted(f"/{name}" for name in contents)
    assert len(cached(tmp_path)) == 2 * len(contents)


def test_files_come_at_the_same_time(site: Site, indexes: Indexes, tmp_path: Path) -> None:
    together = threading.Barrier(8, timeout=10)

    def wait(handler: Handler) -> None:
        together.wait()
        handler.answer(200, {}, CONTENT)

    for number in range(8):
        site.give(f"{number}", wait)
    assert len(fetch([site.file(f"{number}") for number in range(8)], indexes, cache=tmp_path, connections=8)) == 8


def test_no_more_connections_than_allowed(site: Site, indexes: Indexes, tmp_path: Path) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def count(handler: Handler) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.02)
        with lock:
            now[0] -= 1
        handler.answer(200, {}, CONTENT)

    for number in range(9):
        site.give(f"{number}", count)
    fetch([site.file(f"{number}") for number in range(9)], indexes, cache=tmp_path, connections=3)
    assert most == [3]


def test_what_is_in_the_cache_is_not_asked_for(site: Site, indexes: Indexes, tmp_path: Path) -> None:
    site.give("a", CONTENT)
    fetch([site.file("a")], indexes, cache=tmp_path)
    assert fetch([site.file("a", url="")], indexes, cache=tmp_path)["a"].path.read_bytes() == CONTENT
    assert site.asked == ["/a"]


def test_a_damaged_file_of_the_cache_is_fetched_again(
    site: Site, indexes: Indexes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.give("a", CONTENT)
    path = fetch([site.file("a")], indexes, cache=tmp_path)["a"].path
    path.write_bytes(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
    assert fetch([site.file("a")], indexes, cache=tmp_path)["a"].path.read_bytes() == CONTENT
    assert f"{path}: damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    "fault",
    [status(408), status(429, Retry_After="0"), status(500), status(502), status(503), status(520), truncated, reset],
    ids=["408", "429", "500", "502", "503", "520", "truncated", "reset"],
)
def test_a_fault_that_passes_is_tried_again(site: Site, indexes: Indexes, tmp_path: Path, fault: Answer) -> None:
    site.give("a", fault, fault, fault, CONTENT)
    assert fetch([site.file("a")], indexes, cache=tmp_path)["a"].path.read_bytes() == CONTENT
    assert len(site.asked) == 4


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (status(503), "answers 503 Service Unavailable"),
        (truncated, "ends 400000 bytes too early"),
        (reset, "breaks the connection"),
        (silent, "does not answer within 0.2 s"),
    ],
    ids=["503", "truncated", "reset", "silent"],
)
def test_a_fault_that_stays_is_an_error_after_four_tries(
    site: Site, indexes: Indexes, tmp_path: Path, fault: Answer, said: str
) -> None:
    site.give("a", fault)
    error = failure(site.file("a"), replace(indexes, timeout=0.2), tmp_path)
    assert said in error and f"{site.url}/a" in error and "4 times" in error
    # The client may give up before the server's thread has its turn.
    limit = time.monotonic() + 10
    while len(site.asked) < 4 and time.monotonic() < limit:
        time.sleep(0.01)
    assert len(site.asked) == 4


@pytest.mark.parametrize("timeout", [15, 180, 3600])
def test_quick_answers_are_repeated_whatever_the_timeout_is(
    site: Site, indexes: Indexes, tmp_path: Path, timeout: float
) -> None:
    site.give("a", status(500), status(500), CONTENT)
    assert fetch([site.file("a")], replace(indexes, timeout=timeout), cache=tmp_path)["a"].size == len(CONTENT)


@pytest.mark.parametrize(("patience", "tries"), [(0.1, 1), (0.5, 2)])
def test_a_dead_server_is_given_up_when_the_next_try_would_last_too_long(
    site: Site, indexes: Indexes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: float, tries: int
) -> None:
    monkeypatch.setattr(retry, "PATIENCE", patience)
    site.give("a", silent)
    error = failure(site.file("a"), replace(indexes, timeout=0.2), tmp_path)
    assert error.endswith("does not answer within 0.2 s" + (f", {tries} times in a row" if tries > 1 else ""))


@pytest.mark.parametrize("before", ["", "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"])
def test_an_answer_that_drips_is_given_up(
    site: Site, indexes: Indexes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    monkeypatch.setattr(retry, "PATIENCE", 0.2)
    monkeypatch.setattr(paced_answer, "PATIENCE", 0.2)
    ended = threading.Event()

    def drip(handler: Handler) -> None:
        handler.close_connection = True
        try:
            handler.wfile.write(before.encode())
            while not handler.site.release.wait(0.02):
                handler.wfile.write(b"x")
        except OSError:
            ended.set()

    site.give("a", drip)
    error = failure(site.file("a"), replace(indexes, timeout=5), tmp_path)
    assert error == f"{site.url}/a sends less than 1000 bytes a second"
    assert ended.wait(10)


def test_what_comes_before_the_body_has_an_end(
    site: Site, indexes: Indexes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paced_answer, "_HEADERS", 10_000)

    def endless(handler: Handler) -> None:
        handler.close_connection = True
        with contextlib.suppress(OSError):
            while not handler.site.release.is_set():
                handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)

    site.give("a", endless)
    assert "breaks the connection" in failure(site.file("a"), indexes, tmp_path)


def test_the_body_of_a_redirection_is_not_read(site: Site, indexes: Indexes, tmp_path: Path) -> None:
    def endless(handler: Handler) -> None:
        handler.close_connection = True
        handler.send_response(302)
        handler.send_header("Location", "/b")
        handler.end_headers()
        with contextlib.suppress(OSError):
            while not handler.site.release.is_set():
                handler.wfile.write(CONTENT)

    site.give("a", endless)
    site.give("b", CONTENT)
    assert fetch([site.file("a")], indexes, cache=tmp_path)["a"].size == len(CONTENT)


@pytest.mark.parametrize("target", ["/\xff", "http://[x/", "//[/"])
def test_a_redirection_to_what_is_no_url(site: Site, indexes: Indexes, tmp_path: Path, target: str) -> None:
    site.give("a", status(302, Location=target))
    assert failure(site.file("a"), indexes, tmp_path) == f"{site.url}/a redirects to what is no URL"


def test_a_size_that_is_a_lie_lifts_no_limit(
    site: Site, indexes: Indexes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.network.fetch._LARGEST", 100_000)
    site.give("a", CONTENT)
    assert "larger than 100000 bytes" in failure(site.file("a", size=1 << 50), indexes, tmp_path)


@pytest.mark.parametrize(("code", "passes"), [(400, False), (451, False), (204, False), (502, True)])
def test_only_what_may_pass_is_to_be_tried_again_later(
    site: Site, indexes: Indexes, tmp_path: Path, code: int, passes: bool
) -> None:
    site.give("a", status(code))
    with pytest.raises(UserError, match=f"answers {code} ") as caught:
        fetch([site.file("a")], indexes, cache=tmp_path)
    assert ("later" in caught.value.hint) == passes


def test_a_body_without_end_is_cut(
    site: Site, indexes: Indexes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.network.fetch._LARGEST", 1_000_000)

    def endless(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.close_connection = True
        with contextlib.suppress(OSError):
            while not handler.site.release.is_set():
                handler.wfile.write(CONTENT)

    site.give("a", endless)
    assert "larger than 1000000 bytes" in failure(site.file("a", size=0), indexes, tmp_path)


def test_a_circle_of_redirects_is_called_one(site: Site, indexes: Indexes, tmp_path: Path) -> None:
    site.give("a", status(302, Location="/b"))
    site.give("b", status(302, Location="/a"))
    assert failure(site.file("a"), indexes, tmp_path) == f"{site.url}/a redirects in a circle"


def test_an_end_without_a_length_before_the_known_size_is_a_fault_that_may_pass(
    site: Site, indexes: Indexes, tmp_path: Path
) -> None:
    site.give("a", without_length(CONTENT[:1000]), without_length(CONTENT))
    assert fetch([site.file("a")], indexes, cache=tmp_path)["a"].size == len(CONTENT)


def test_a_server_may_answer_how_long_to_wait(
    site: Site, indexes: Indexes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", pauses.append)
    busy = [status(503, Retry_After=text) for text in ("7", formatdate(time.time() + 7, usegmt=True), "60")]
    site.give("a", *busy, CONTENT)
    fetch([site.file("a")], indexes, cache=tmp_path)
    assert pauses[0] == 7 and 5 < pauses[1] <= 7 and pauses[2] == 30


@pytest.mark.parametrize("text", ["3600", "31536000", formatdate(time.time() + 86400, usegmt=True)])
def test_a_server_that_asks_for_more_than_our_patience_is_asked_once(
    site: Site, indexes: Indexes, tmp_path: Path, text: str
) -> None:
    site.give("a", status(429, Retry_After=text), CONTENT)
    with pytest.raises(UserError, match="answers 429"):
        fetch([site.file("a")], indexes, cache=tmp_path)


@pytest.mark.parametrize("text", ["soon", "", "-1", "9" * 400 + "x", "Thu, 99 Foo 99999 99:99:99 GMT"])
def test_a_wait_that_cannot_be_read_counts_as_none(site: Site, indexes: Indexes, tmp_path: Path, text: str) -> None:
    site.give("a", status(503, Retry_After=text), CONTENT)
    assert fetch([site.file("a")], indexes, cache=tmp_path)["a"].size == len(CONTENT)


def test_pauses_grow_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BACKOFF", 0.5)
    waits = []
    for _ in range(50):
        first = retry.policy().increment("GET", "/", error=OSError())
        second = first.increment("GET", "/", error=OSError())
        third = second.increment("GET", "/", error=OSError())
        waits.append([state.get_backoff_time() for state in (first, second, third)])
    assert len({second for _, second, _ in waits}) > 1
    assert all(a == 0 and 1 <= b <= 1.5 and 2 <= c <= 2.5 for a, b, c in waits)


@pytest.mark.parametrize("change", ["same size", "longer", "shorter"])
def test_another_file_is_never_accepted_nor_asked_for_again(
    site: Site, indexes: Indexes, tmp_path: Path, change: str
) -> None:
    evil = {"same size": os.urandom(len(CONTENT)), "longer": CONTENT + b"x", "shorter": CONTENT[:-1]}[change]
    site.give("a", evil, CONTENT)
    url = f"{site.url}/a".replace("//", "//user:secret@") + "?token=secret"
    error = failure(site.file("a", url=url), indexes, tmp_path)
    assert error.startswith(f"a: {site.url}/a is not the file that was promised") and "secret" not in error
    if change != "longer":
        assert hashlib.sha256(CONTENT).hexdigest() in error and hashlib.sha256(evil).hexdigest() in error
    assert len(site.asked) == 1


def test_a_size_alone_is_checked_too(site: Site, indexes: Indexes, tmp_path: Path) -> None:
    site.give("a", CONTENT[:-1])
    assert f"it has {len(CONTENT) - 1} bytes, not {len(CONTENT)}" in failure(
        site.file("a", sha256=""), indexes, tmp_path
    )


def test_a_hash_nobody_knows_is_learned_and_said(
    site: Site, indexes: Indexes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.give("a", CONTENT)
    fetched = fetch([site.file("a", sha256="", size=0)], indexes, cache=tmp_path)["a"]
    expected = hashlib.sha256(CONTENT).hexdigest()
    assert (fetched.sha256, fetched.size) == (expected, len(CONTENT))
    assert fetched.path == tmp_path / expected / "a"
    assert f"warning: a: no sha256 is given for it; from now on it has to be {expected}" in capsys.readouterr().err


@pytest.mark.parametrize("function", ["sha512", "blake2b", "md5"])
def test_a_hash_by_another_function_counts_where_there_is_no_sha256(
    site: Site, indexes: Indexes, tmp_path: Path, function: str
) -> None:
    site.give("a", CONTENT)
    right = hashlib.new(function, CONTENT).hexdigest()
    wrong = site.file("a", sha256="", size=0, other_hash=f"{function}={right[::-1]}")
    assert f"it has {function} {right}, not {right[::-1]}" in failure(wrong, indexes, tmp_path)
    assert fetch([replace(wrong, other_hash=f"{function}={right}")], indexes, cache=tmp_path)["a"].size == len(CONTENT)


def test_an_archive_that_is_sent_encoded_stays_as_it_is(site: Site, indexes: Indexes, tmp_path: Path) -> None:
    content = gzip.compress(CONTENT)
    site.give("a.tar.gz", ok(content, Content_Encoding="gzip"))
    assert fetch([site.file("a.tar.gz", content)], indexes, cache=tmp_path)["a.tar.gz"].size == len(content)


def test_redirects_are_followed(site: Site, indexes: Indexes, tmp_path: Path) -> None:
    site.give("a", status(302, Location="/elsewhere/a"))
    site.give("elsewhere/a", CONTENT)
    assert fetch([site.file("a")], indexes, cache=tmp_path)["a"].size == len(CONTENT)


@pytest.mark.parametrize(("code", "said"), [(404, "404 Not Found"), (403, "403"), (401, "401"), (410, "410")])
def test_a_refusal_is_final(site: Site, indexes: Indexes, tmp_path: Path, code: int, said: str) -> None:
    site.give("a", status(code))
    assert said in failure(site.file("a"), indexes, tmp_path)
    assert len(site.asked) == 1


def test_a_server_that_is_not_there_is_named(indexes: Indexes, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://user:secret@127.0.0.1:{unused.getsockname()[1]}/a"
        error = failure(VendoredFile(name="a", size=1, sha256="", url=url), indexes, tmp_path)
    assert "/a refuses the connection" in error and "127.0.0.1" in error and "secret" not in error


def test_a_host_that_is_not_there_is_named(indexes: Indexes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: object, **keywords: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    file = VendoredFile(name="a", size=1, sha256="", url="https://index.invalid/a")
    assert "https://index.invalid/a has an unknown host name" in failure(file, indexes, tmp_path)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a", "a", "http://", "file://elsewhere/a", "file:///no/such/file", ""])
def test_a_url_that_cannot_be_is_an_error(indexes: Indexes, tmp_path: Path, url: str) -> None:
    failure(VendoredFile(name="a", size=1, sha256="", url=url), indexes, tmp_path)


def test_a_file_url_is_read_and_checked(indexes: Indexes, tmp_path: Path) -> None:
    source = tmp_path / "with space.tar.gz"
    source.write_bytes(CONTENT)
    expected = hashlib.sha256(CONTENT).hexdigest()
    file = VendoredFile(name="a", size=len(CONTENT), sha256=expected, url=source.as_uri())
    assert fetch([file], indexes, cache=tmp_path / "cache")["a"].path.read_bytes() == CONTENT
    wrong = VendoredFile(name="b", size=0, sha256="0" * 64, url=source.as_uri())
    assert expected in failure(wrong, indexes, tmp_path / "other")


@pytest.mark.parametrize(("name", "sha256"), [("../a", ""), (".a", ""), ("", ""), ("a", "../../x"), ("a", "ABC")])
def test_names_that_leave_the_cache_are_refused(
    site: Site, indexes: Indexes, tmp_path: Path, name: str, sha256: str
) -> None:
    file = VendoredFile(name=name, size=0, sha256=sha256, url=f"{site.url}/a")
    failure(file, indexes, tmp_path)
    assert site.asked == []


def test_one_failure_stops_the_rest(site: Site, indexes: Indexes, tmp_path: Path) -> None:
    site.give("silent", silent)
    start = time.monotonic()
    with pytest.raises(UserError, match="404"):
        fetch([site.file("silent"), site.file("none"), site.file("silent2")], indexes, cache=tmp_path, connections=2)
    assert time.monotonic() - start < 5
    assert cached(tmp_path) == []


def test_files_can_be_asked_for_while_others_arrive(site: Site, indexes: Indexes, tmp_path: Path) -> None:
    site.give("first", silent, CONTENT)
    site.give("second", CONTENT)
    with Fetcher(indexes, cache=tmp_path) as fetcher:
        first = fetcher.submit(site.file("first"))
        assert fetcher.submit(site.file("second")).result(10).size == len(CONTENT)
        assert not first.done()
        assert fetcher.submit(site.file("first")) is first
        site.release.set()
    # Leaving the block has waited; the broken answer was asked for again.
    assert first.done() and first.result().size == len(CONTENT)


def test_an_error_waits_in_its_future(site: Site, indexes: Indexes, tmp_path: Path) -> None:
    with Fetcher(indexes, cache=tmp_path) as fetcher:
        future = fetcher.submit(site.file("none"))
    assert isinstance(future.exception(), UserError)


INTERRUPTED = """
import sys
from pathlib import Path
from toolkit.core import console
from toolkit.model.lock import VendoredFile
from toolkit.network.fetch import Fetcher
from toolkit.network.index_settings import Indexes

def main():
    with Fetcher(Indexes(), cache=Path(sys.argv[2])) as fetcher:
        fetcher.result(fetcher.submit(VendoredFile(name="a", size=0, sha256="", url=sys.argv[1])))

sys.exit(console.run_main(main))
"""


@pytest.mark.parametrize("answer", [silent, status(503, Retry_After="30")], ids=["silent", "asks to wait"])
def test_an_interrupt_ends_a_fetch_from_a_dead_server_at_once(site: Site, tmp_path: Path, answer: Answer) -> None:
    site.give("a", answer)
    scripts = Path(retry.__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, f"{site.url}/a", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(scripts), "NO_PROXY": "127.0.0.1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not site.asked:
            assert child.poll() is None
            time.sleep(0.01)
        child.terminate()
        _, errors = child.communicate(timeout=10)
    finally:
        child.kill()
    assert child.returncode == 130
    assert errors.startswith("interrupted") and "Traceback" not in errors
    assert cached(tmp_path) == []


@pytest.mark.parametrize("name", ["fifo", "%00", "missing", "missing/x", "directory"])
def test_a_url_of_what_is_no_file_is_said(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    file = VendoredFile(name="a.tar.gz", size=5, sha256="", url=f"{tmp_path.as_uri()}/{name}")
    with pytest.raises(UserError, match="answers 404 no such file"):
        fetch([file], Indexes(url="", timeout=1), cache=tmp_path / "cache")
