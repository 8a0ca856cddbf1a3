"""RECORD: the files of an installed distribution, with their hashes and sizes. Nothing else reads or writes it.

https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """A file: its path relative to site-packages, `sha256=...` and its size in bytes.

    RECORD's own row has neither hash nor size.
    """

    path: str
    digest: str = ""
    size: int | None = None


def row(path: str, content: bytes) -> Row:
    """Return the row of a file with this content."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return Row(path, f"sha256={digest}", len(content))


def read(path: Path) -> tuple[Row, ...]:
    """Return the rows of a RECORD; none of one that is missing or damaged."""
    try:
        found = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
        return tuple(Row(name, digest, int(size) if size else None) for name, digest, size in filter(None, found))
    except (OSError, ValueError, csv.Error):
        return ()


def text(rows: Iterable[Row]) -> str:
    """Return the content of a RECORD with these rows."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows((row.path, row.digest, "" if row.size is None else row.size) for row in rows)
    return stream.getvalue()
