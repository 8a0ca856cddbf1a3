"""Facts of sdists kept between runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rooms
from tests.integration import sdists
from toolkit.core import files
from toolkit.releases import known_facts
from toolkit.sources import sdist


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "thing-1.0.tar.gz"
    path.write_bytes(sdists.make_sdist("thing", "1.0", requires=["lib"], build_requires=["maker"], dynamic=["x"]))
    return path


def test_an_archive_is_read_once(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = known_facts.read(archive, archive.name, "0" * 64)
    assert first == sdist.read(archive, archive.name)
    monkeypatch.setattr(sdist, "read", None)
    assert known_facts.read(archive, archive.name, "0" * 64) == first


@pytest.mark.parametrize("content", [b"", b"[]", b'{"metadata": 5}', b"\xff", b"[" * 100_000])
def test_what_is_damaged_is_read_again(archive: Path, content: bytes) -> None:
    first = known_facts.read(archive, archive.name, "0" * 64)
    [kept] = (files.cache_root() / "facts").iterdir()
    kept.write_bytes(content)
    assert known_facts.read(archive, archive.name, "0" * 64) == first


@pytest.mark.parametrize(
    "change", [{"requires": [5]}, {"requires": "six"}, {"needs_crates": 1}, {"build_system": {}}, {"metadata": None}]
)
def test_what_was_edited_is_read_again(archive: Path, change: dict[str, object]) -> None:
    first = known_facts.read(archive, archive.name, "0" * 64)
    [kept] = (files.cache_root() / "facts").iterdir()
    kept.write_text(json.dumps({**json.loads(kept.read_bytes()), **change}))
    assert known_facts.read(archive, archive.name, "0" * 64) == first


def test_other_code_and_other_bytes_are_other_facts(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = known_facts.read(archive, archive.name, "0" * 64)
    archive.write_bytes(sdists.make_sdist("thing", "1.0", requires=["other"]))
    assert known_facts.read(archive, archive.name, "0" * 64) == first
    assert known_facts.read(archive, archive.name, "1" * 64).requires == ("other",)
    monkeypatch.setattr(known_facts, "_code", lambda: "new")
    assert known_facts.read(archive, archive.name, "0" * 64).requires == ("other",)


def test_all_code_that_reads_archives_counts() -> None:
    modules = rooms.modules(rooms.ROOT, "scripts/toolkit")
    used = {rooms.room_of(name) for name in rooms.opened(modules["toolkit.sources.sdist"], modules)}
    counted = {room.__name__.removeprefix("toolkit.") for room in known_facts.ROOMS}
    # Of core/, what would change a fact are the readers of documents.
    assert used - {"core"} - counted == set()
