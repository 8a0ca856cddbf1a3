"""The index that engines see."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
import zipfile
from collections.abc import Sequence

import pytest

from toolkit.engines import index_server
from toolkit.engines.index_server import Offer


class Fake:
    def offers(self, name: str) -> Sequence[Offer]:
        return [Offer(version="1.0+x", requires_python=">=3.9", yanked=True)] if name == "foo-bar" else []

    def metadata(self, name: str, version: str) -> str:
        return f"Name: {name}\nVersion: {version}\n" if version == "1.0+x" else ""


def get(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        return bytes(answer.read())


def test_a_release_is_one_file_with_its_metadata_beside_it() -> None:
    with index_server.serving(Fake(), hashes=True) as url:
        page = json.loads(get(f"{url}/foo-bar/"))
        [file] = page["files"]
        assert file["filename"] == "foo_bar-1.0+x-py3-none-any.whl"
        assert (file["requires-python"], file["yanked"], file["core-metadata"]) == (">=3.9", True, True)
        assert len(file["hashes"]["sha256"]) == 64
        address = url.removesuffix(url.partition("127.0.0.1")[2].partition("/")[2]) + file["url"].lstrip("/")
        assert get(f"{address}.metadata") == b"Name: foo-bar\nVersion: 1.0+x\n"
        with zipfile.ZipFile(io.BytesIO(get(address))) as wheel:
            assert wheel.read("foo_bar-1.0+x.dist-info/METADATA") == b"Name: foo-bar\nVersion: 1.0+x\n"


def test_what_can_be_fetched_has_no_made_up_hash() -> None:
    with index_server.serving(Fake(), hashes=False) as url:
        assert json.loads(get(f"{url}/foo-bar/"))["files"][0]["hashes"] == {}


@pytest.mark.parametrize("path", ["/simple/absent/", "/simple/", "/", "/files/foo-bar/2.0/x.metadata"])
def test_all_else_is_not_there(path: str) -> None:
    with index_server.serving(Fake(), hashes=True) as url, pytest.raises(urllib.error.HTTPError, match="404"):
        get(url.removesuffix("/simple") + path)


def test_other_users_of_the_machine_learn_nothing() -> None:
    with index_server.serving(Fake(), hashes=True) as url:
        server, _, token = url.removesuffix("/simple").rpartition("/")
        for wrong in ("0" * len(token), token.upper() + "x", "é"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                get(f"{server}/{urllib.request.pathname2url(wrong)}/simple/foo-bar/")
