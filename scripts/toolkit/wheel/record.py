"""RECORD: the files of an installed distribution, with their hashes and sizes. Nothing else reads or writes it.

https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file
"""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import files
from toolkit.core.foreign_text import one_line, quoted

FILE = "RECORD"
_SIZE = re.compile(r"[0-9]{0,18}")
#: A row takes some hundred bytes of memory, and 4 of the file.
_MOST = 1_000_000


class _LineError(ValueError):
    """A line that is none of a RECORD."""


@dataclass(frozen=True)
class Row:
    """A file: its path relative to site-packages, `sha256=...` and its size in bytes.

    RECORD's own row has neither hash nor size.
    """

    path: str
    digest: str = ""
    size: int | None = None


def row_of_file(path: str, file: Path) -> Row:
    """Return the row of a file as it is now."""
    return row_of(path, bytes.fromhex(files.sha256(file)), file.stat().st_size)


def row_of(path: str, sha256: bytes, size: int) -> Row:
    """Return the row of a file with content of this sha256 and size."""
    return Row(path, f"sha256={base64.urlsafe_b64encode(sha256).decode().rstrip('=')}", size)


def read(path: Path) -> tuple[Row, ...]:
    """Return the rows of a RECORD; none of one that is missing or damaged."""
    try:
        return parse(path.read_bytes())
    except (OSError, ValueError):
        return ()


def parse(content: bytes, most: int = _MOST) -> tuple[Row, ...]:
    """Return the rows, at most so many, that the content of a RECORD has. Raises `ValueError` for what is no RECORD."""
    rows: list[Row] = []
    try:
        for cells in filter(None, csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)):
            if len(cells) != 3 or not cells[0] or "\0" in cells[0] or not _SIZE.fullmatch(cells[2]):
                raise _LineError(f"RECORD has the line {quoted(','.join(cells))}, which is no path, hash and size")
            if len(rows) == most:
                raise _LineError(f"RECORD has more than {most} lines")
            name, digest, size = cells
            rows.append(Row(name, digest, int(size) if size else None))
    except _LineError:
        raise
    except (ValueError, csv.Error) as error:
        raise ValueError(f"RECORD cannot be read: {one_line(str(error))}") from None
    return tuple(rows)


def text(rows: Iterable[Row]) -> str:
    """Return the content of a RECORD with these rows."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows((row.path, row.digest, "" if row.size is None else row.size) for row in rows)
    return stream.getvalue()
