"""Reading an index that behaves, and one that does not."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex, serving
from toolkit.core.errors import UserError
from toolkit.network import http
from toolkit.network.index_pages import Index, by_kind
from toolkit.network.index_settings import Indexes


def read(index: LocalIndex, **options: float) -> Index:
    return Index(Indexes(url=index.url, timeout=options.get("timeout", 5)))


@pytest.mark.parametrize("as_html", [False, True])
def test_files_are_read_from_json_and_from_html(as_html: bool) -> None:
    with serving(as_html=as_html) as index:
        sdists.publish(index, "foo-bar", "1.0", requires_python=">=3.9", yanked=True)
        sdists.publish_wheel(index, "foo-bar", "1.0")
        sdist, wheels = by_kind(read(index).files("Foo.Bar"))
        assert sdist and (sdist.name, sdist.requires_python, sdist.yanked) == ("foo_bar-1.0.tar.gz", ">=3.9", True)
        file = index.file(sdist.name)
        assert file and sdist.sha256 == hashlib.sha256(file.content).hexdigest()
        assert sdist.url == index.url.replace("/simple", "/files/foo_bar-1.0.tar.gz")
        assert sdist.size == (None if as_html else len(file.content))
        assert [wheel.name for wheel in wheels] == ["foo_bar-1.0-py3-none-any.whl"]


def test_what_an_index_does_not_have_is_no_error(index: LocalIndex) -> None:
    assert read(index).files("absent") == ()
    assert read(index).releases("absent") == {}


def test_a_page_is_asked_for_once(index: LocalIndex) -> None:
    sdists.publish(index, "foo", "1.0")
    reader = read(index)
    assert reader.files("foo") == reader.files("Foo")
    assert reader.all_files(["foo"])["foo"]
    assert index.requests["/simple/foo/"] == 1


@pytest.mark.parametrize(
    ("fault", "status"), [("status", 408), ("status", 429), ("status", 503), ("reset", 0), ("truncate", 0)]
)
def test_a_fault_that_passes_is_not_seen(index: LocalIndex, fault: str, status: int) -> None:
    sdists.publish(index, "foo", "1.0")
    index.fails("/simple/foo/", fault, status=status, times=2)  # type: ignore[arg-type]
    assert len(read(index).files("foo")) == 1
    assert index.requests["/simple/foo/"] == 3


@pytest.mark.parametrize(
    ("fault", "status", "tries", "reason"),
    [
        ("status", 500, 4, "answers 500 Internal Server Error"),
        ("status", 429, 4, "answers 429 Too Many Requests"),
        ("status", 401, 1, "answers 401 Unauthorized"),
        ("status", 403, 1, "answers 403 Forbidden"),
        ("reset", 0, 4, "breaks the connection"),
        ("garbage", 0, 1, "answers with something that is not an index"),
    ],
)
def test_a_fault_that_stays_is_named(index: LocalIndex, fault: str, status: int, tries: int, reason: str) -> None:
    sdists.publish(index, "foo", "1.0")
    index.fails("/simple/foo/", fault, status=status)  # type: ignore[arg-type]
    with pytest.raises(UserError) as caught:
        read(index).files("foo")
    times = f", {tries} times in a row" if tries > 1 else ""
    assert caught.value.what == f"{index.url}/foo/ {reason}{times}"
    assert caught.value.hint
    assert index.requests["/simple/foo/"] == tries


def test_an_index_that_hangs_is_given_up(index: LocalIndex) -> None:
    sdists.publish(index, "foo", "1.0")
    index.fails("/simple/foo/", "hang", seconds=30)
    with pytest.raises(UserError, match=r"does not answer within 0\.2 s"):
        read(index, timeout=0.2).files("foo")
    assert index.requests["/simple/foo/"] == 4


def test_an_index_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(UserError, match="refuses the connection"):
        Index(Indexes(url=f"http://127.0.0.1:{port}/simple")).files("foo")


@pytest.fixture
def guarded() -> Iterator[LocalIndex]:
    with serving(credentials="user:s3cret") as index:
        sdists.publish(index, "foo", "1.0")
        yield index


def test_the_password_of_the_url_is_used_and_never_seen(guarded: LocalIndex) -> None:
    [file] = Index(Indexes(url=guarded.with_credentials())).files("foo")
    assert "s3cret" not in file.url
    answer = http.create(Indexes(url=guarded.with_credentials())).get(file.url)
    assert answer.status_code == 200
    guarded.fails("/simple/foo/", "status", status=403)
    with pytest.raises(UserError) as caught:
        Index(Indexes(url=guarded.with_credentials())).files("foo")
    assert "s3cret" not in str(caught.value)


def test_netrc_is_used(guarded: LocalIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password s3cret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    assert len(read(guarded).files("foo")) == 1


def test_the_first_index_that_has_a_distribution_is_the_only_one_for_it(index: LocalIndex) -> None:
    with serving() as second:
        sdists.publish(index, "foo", "1.0")
        sdists.publish(second, "foo", "2.0")
        sdists.publish(second, "bar", "1.0")
        # A page without a file of the distribution is none of it.
        index.add("other-1.0.tar.gz", b"", name="bar")
        both = Index(Indexes(url=index.url, extra=(second.url,)))
        assert [(file.name, file.index) for file in both.files("foo")] == [("foo-1.0.tar.gz", index.url)]
        assert second.requests["/simple/foo/"] == 0
        assert [(file.name, file.index) for file in both.files("bar")] == [("bar-1.0.tar.gz", second.url)]


def test_an_index_that_refuses_is_not_passed_over(index: LocalIndex) -> None:
    with serving() as second:
        index.fails("/simple/foo/", "status", status=403)
        sdists.publish(second, "foo", "1.0")
        with pytest.raises(UserError, match="403"):
            Index(Indexes(url=index.url, extra=(second.url,))).files("foo")


def test_by_best_match_an_earlier_index_wins_over_later_ones(index: LocalIndex) -> None:
    with serving() as second:
        sdists.publish(index, "foo", "1.0")
        sdists.publish(second, "foo", "1.0")
        sdists.publish(second, "foo", "2.0")
        both = Index(Indexes(url=index.url, extra=(second.url,), strategy="best-match"))
        found = {file.name: file.url for file in both.files("foo")}
    assert found["foo-1.0.tar.gz"].startswith(index.url.removesuffix("/simple"))
    assert found["foo-2.0.tar.gz"].startswith(second.url.removesuffix("/simple"))


def test_directories_are_indexes_too(index: LocalIndex, tmp_path: Path) -> None:
    content = sdists.make_sdist("foo", "3.0")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "foo-3.0.tar.gz").write_bytes(content)
    (tmp_path / "links" / "bar-3.0.tar.gz").write_bytes(content)
    page = tmp_path / "simple" / "foo"
    page.mkdir(parents=True)
    link = f'<a href="../../files/foo-4.0.tar.gz#sha256={"0" * 64}">foo-4.0.tar.gz</a>'
    (page / "index.html").write_text(link, "utf-8")
    found = Index(
        Indexes(
            url=index.url,
            extra=((tmp_path / "simple").as_uri(),),
            find_links=(str(tmp_path / "links"), str(tmp_path / "none")),
        )
    ).files("foo")
    assert {file.name: file.sha256 for file in found} == {
        "foo-3.0.tar.gz": hashlib.sha256(content).hexdigest(),
        "foo-4.0.tar.gz": "0" * 64,
    }
    assert {file.url for file in found} == {
        (tmp_path / "links" / "foo-3.0.tar.gz").as_uri(),
        (tmp_path / "files" / "foo-4.0.tar.gz").as_uri(),
    }
