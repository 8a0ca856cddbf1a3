"""What is kept of an index's pages is read by type, and a file has a name that can stand in vendor/."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.foreign_values import values
from toolkit.model.pins import RemoteFile
from toolkit.network import index_pages
from toolkit.network.page_cache import PageCache

URL = "https://index.example/simple/six/"
TYPES: dict[str, Any] = {"str": str, "bool": bool, "int | None": (int, type(None))}
CONTENTS = st.one_of(st.binary(max_size=60), values("form", "url", "files", "since").map(json.dumps).map(str.encode))


@given(CONTENTS, values("name", "url", "size", "yanked"))
def test_any_kept_page(content: bytes, value: Any) -> None:
    with tempfile.TemporaryDirectory() as directory:
        pages = PageCache(Path(directory))
        path = pages._path(URL)
        path.parent.mkdir()
        path.write_bytes(content)
        assert pages.find(URL) is None
        pages.keep(URL, {"ETag": "x"}, [RemoteFile(name="six-1.0.tar.gz", url=URL)])
        kept = json.loads(path.read_bytes())
        entries = ([value], [{"name": value, "url": "x"}], [{"name": "x", "url": "x", "size": value}])
        changes: list[dict[str, Any]] = [{"files": entry} for entry in entries]
        for change in (*changes, *({key: value} for key in ("since", "seconds", "etag"))):
            path.write_text(json.dumps(kept | change))
            found = pages.find(URL)
            for file in found.files if found else ():
                for part in dataclasses.fields(file):
                    assert isinstance(getattr(file, part.name), TYPES[str(part.type)])


@pytest.mark.parametrize(
    "name", ["six-1.0\n.tar.gz", "six- 1.0.tar.gz", "six-1.0 .zip", "six-1.0\x1b.tar.gz", "six-1.0\\.zip"]
)
def test_a_name_with_what_no_name_has_is_of_no_release(name: str) -> None:
    assert index_pages.version_of(name, "six") is None
