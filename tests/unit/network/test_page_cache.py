"""Pages kept between runs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from toolkit.model.pins import RemoteFile
from toolkit.network.page_cache import PageCache

URL = "https://host.test/simple/thing/"
FILES = (RemoteFile(name="thing-1.0.tar.gz", url="https://host.test/thing-1.0.tar.gz", sha256="0" * 64, yanked=True),)


def kept(tmp_path: Path, **headers: str) -> PageCache:
    cache = PageCache(tmp_path)
    cache.keep(URL, {name.replace("_", "-"): value for name, value in headers.items()}, FILES)
    return cache


@pytest.mark.parametrize(
    ("headers", "etag", "fresh"),
    [
        ({"Cache_Control": "max-age=600, public", "ETag": '"x"'}, '"x"', True),
        ({"Cache_Control": "max-age=600"}, "", True),
        ({"Cache_Control": "max-age=600", "Age": "601", "ETag": '"x"'}, '"x"', False),
        ({"Cache_Control": "no-cache, max-age=600", "ETag": '"x"'}, '"x"', False),
        ({"ETag": '"x"'}, '"x"', False),
    ],
)
def test_a_page_is_kept_as_its_headers_say(tmp_path: Path, headers: dict[str, str], etag: str, fresh: bool) -> None:
    found = kept(tmp_path, **headers).find(URL)
    assert found and (found.files, found.etag, found.fresh) == (FILES, etag, fresh)


@pytest.mark.parametrize("headers", [{}, {"Cache_Control": "no-store, max-age=600"}, {"Cache_Control": "max-age=0"}])
def test_what_may_not_be_kept_is_not(tmp_path: Path, headers: dict[str, str]) -> None:
    kept(tmp_path, ETag='"x"')
    assert kept(tmp_path, **headers).find(URL) is None


@pytest.mark.parametrize(("seconds", "later"), [(600, 700), (999_999_999, 3700)])
def test_a_page_ages_and_a_clock_that_was_set_back_does_not_renew_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int, later: int
) -> None:
    cache = kept(tmp_path, Cache_Control=f"max-age={seconds}")
    now = time.time()
    assert (found := cache.find(URL)) and found.fresh
    for moment in (now + later, now - 700):
        monkeypatch.setattr(time, "time", lambda moment=moment: moment)
        found = cache.find(URL)
        assert found and not found.fresh


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"form": 1, "url": 5}', b"\xff"])
def test_a_damaged_page_is_none(tmp_path: Path, content: bytes) -> None:
    cache = kept(tmp_path, Cache_Control="max-age=600")
    [path] = tmp_path.glob("*/*.json")
    path.write_bytes(content)
    assert cache.find(URL) is None
