"""Whatever an index answers, it is a list of files or one `UserError` of one line."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3 import HTTPResponse

from tests.foreign_values import lines, one_error, tables, values
from toolkit.core.errors import UserError
from toolkit.model.pins import RemoteFile
from toolkit.network import index_pages
from toolkit.network.index_settings import Indexes

URL = "https://host.test/simple/six/"
KEYS = ("filename", "url", "hashes", "sha256", "size", "yanked", "requires-python", "upload-time", "core-metadata")
WORDS = (
    "<a href=",
    "'six-1.0.tar.gz'",
    "#sha256=00",
    ">",
    "</a>",
    "<base href='/x'>",
    "<form>",
    "<!",
    "<![CDATA[",
    "&#0",
)
JSON = "application/vnd.pypi.simple.v1+json"


def answered(content: bytes, kind: str = "text/html") -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.url = 200, URL
    answer.raw = HTTPResponse(body=io.BytesIO(content), preload_content=False)
    answer.headers["Content-Type"] = kind
    return answer


def read(content: bytes, kind: str) -> list[RemoteFile]:
    answer = answered(content, kind)
    found: list[RemoteFile] = []
    with one_error():
        found = index_pages._read(answer, "https://host.test/simple", Indexes())
    for file in found:
        texts = (file.name, file.url, file.sha256, file.upload_time, file.requires_python, file.index)
        assert all(isinstance(text, str) for text in texts)
        assert file.url.startswith(("http://", "https://"))
        assert urlsplit(file.url).port != 0
        assert re.fullmatch(r"([0-9a-f]{64})?", file.sha256)
        assert file.size is None or (isinstance(file.size, int) and 0 <= file.size < 1 << 63)
        assert isinstance(file.yanked, bool)
    return found


@given(st.one_of(values("files", *KEYS), st.lists(tables(*KEYS), max_size=4).map(lambda files: {"files": files})))
@example({"files": [{"filename": "six-1.0.tar.gz", "url": "file:///etc/passwd", "hashes": {}}]})
@example({"files": [{"filename": "six-1.0.tar.gz", "url": "https://[x", "hashes": {}}]})
@example({"files": [{"filename": "six-1.0.tar.gz", "url": "http://[x", "hashes": {}}]})
@example({"files": [{"filename": "six-1.0.tar.gz", "url": "https://host:port/six"}]})
@example({"files": [{"filename": "six-1.0.tar.gz", "url": "six", "hashes": 5}]})
@example({"files": [{"filename": "six-1.0.tar.gz", "url": "six", "hashes": {"sha256": "\ud800"}}]})
@example({"files": [{"filename": "six-1.0.tar.gz", "url": "six", "hashes": {"sha256": "../x"}}]})
@example({"files": [{"filename": "six-1.0.tar.gz", "url": "six", "size": 1 << 63}]})
@example({"files": [{"filename": "six-1.0.tar.gz", "url": "six", "size": 1.5}]})
def test_json(page: Any) -> None:
    read(json.dumps(page).encode("utf-8", "surrogatepass"), JSON)


@pytest.mark.parametrize(
    ("page", "kind", "what"),
    [
        ('{"meta": {"api-version": "2.0"}, "files": []}', JSON, "version 2.0"),
        ('{"meta": {"api-version": "1.9"}, "files": []}', JSON, ""),
        ("<meta name='pypi:repository-version' content='2.0'>", "text/html", "version 2.0"),
        ("<meta name='pypi:repository-version' content='1.1'>", "text/html", ""),
        ('{"files": []}', "application/json", "not an index"),
        ('{"files": []}', JSON.replace("v1", "v2"), "not an index"),
        ("<a href='six-1.0.tar.gz'>", "text/plain", "not an index"),
        ("<a href='six-1.0.tar.gz'>", "TEXT/HTML; charset=utf-8", ""),
    ],
)
def test_a_page_is_of_a_known_kind_and_version(page: str, kind: str, what: str) -> None:
    if what:
        with pytest.raises(UserError, match=what):
            index_pages._read(answered(page.encode(), kind), "", Indexes())
    else:
        index_pages._read(answered(page.encode(), kind), "", Indexes())


@pytest.mark.parametrize("hashes", [{"sha512": "AB"}, {"md5": "CD", "sha512": "ab"}, {"crc32": "1", "sha512": "ab"}])
def test_a_hash_by_another_function_is_read_where_there_is_no_sha256(hashes: dict[str, str]) -> None:
    def only(content: str, kind: str) -> RemoteFile:
        [file] = index_pages._read(answered(content.encode(), kind), "", Indexes())
        return file

    entry = {"filename": "six-1.0.tar.gz", "url": "six-1.0.tar.gz", "hashes": hashes}
    assert only(json.dumps({"files": [entry]}), JSON).other_hash == "sha512=ab"
    assert only("<a href='six-1.0.tar.gz#sha512=AB'>", "text/html").other_hash == "sha512=ab"
    entry["hashes"] = {**hashes, "sha256": "ef" * 32}
    assert only(json.dumps({"files": [entry]}), JSON).other_hash == ""


def test_two_files_of_one_name_are_an_attack() -> None:
    first, again, other = (f"<a href='six-1.0.tar.gz#sha256={digest * 64}'></a>" for digest in "aab")
    index_pages._read(answered((first + again).encode()), "", Indexes())
    with pytest.raises(UserError, match=r"two different files the name six-1\.0\.tar\.gz"):
        index_pages._read(answered((first + other).encode()), "", Indexes())


def test_a_page_that_is_encrypted_names_no_file_that_is_not() -> None:
    page = answered(b"<a href='http://files.test/six-1.0.tar.gz'></a>")
    with pytest.raises(UserError, match="attack: it gives http://files"):
        index_pages._read(page, "", Indexes())
    page = answered(b"<a href='http://files.test/six-1.0.tar.gz'></a>")
    assert index_pages._read(page, "", Indexes(trusted_hosts=("files.test",)))


@given(lines(*WORDS), st.sampled_from([JSON, "text/html", ""]))
@example(b"<a href='https://[x'>six</a>", "text/html")
@example(b"<a href='six-1.0.tar.gz'><base href='https://[x'><a href='six-1.0.tar.gz'>", "text/html")
@example(b"[" * 100_000, JSON)
def test_anything(content: bytes, kind: str) -> None:
    read(content, kind)


def test_what_is_right_is_read() -> None:
    entry = {
        "filename": "six-1.0.tar.gz",
        "url": "../../six-1.0.tar.gz#sha256=11",
        "hashes": {"sha256": "AB" * 32},
        "yanked": "",
        "core-metadata": {"sha256": "CD"},
    }
    [file] = read(json.dumps({"files": [entry]}).encode(), JSON)
    assert file == RemoteFile(
        name="six-1.0.tar.gz",
        url="https://host.test/six-1.0.tar.gz",
        sha256="ab" * 32,
        yanked=True,
        index="https://host.test/simple",
        core_metadata="cd",
    )


@pytest.mark.parametrize("tag", ["form", "script", "input"])
def test_a_page_for_people_is_no_index(tag: str) -> None:
    with pytest.raises(UserError, match="not an index"):
        index_pages._read(answered(f"<html><{tag}></html>".encode()), "", Indexes())
