"""RECORD is read and written in one form."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from toolkit.wheel import record
from toolkit.wheel.record import Row


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    rows = (
        record.row_of("a/b.py", hashlib.sha256(b"x").digest(), 1),
        Row('odd, "name".txt', "sha256=a", 0),
        Row("a.dist-info/RECORD"),
    )
    path = tmp_path / "RECORD"
    path.write_text(record.text(rows))
    assert record.read(path) == rows


def test_a_hash_is_urlsafe_and_without_padding() -> None:
    # The hash of nothing: RFC 4648 with - and _ in place of + and /.
    assert (
        record.text([record.row_of("a", hashlib.sha256().digest(), 0)])
        == "a,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"
    )


@pytest.mark.parametrize("content", [None, b"a,b\n", b"a,b,many\n", b"\xff,,\n"])
def test_a_missing_or_damaged_one_has_no_rows(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "RECORD").write_bytes(content)
    assert record.read(tmp_path / "RECORD") == ()
