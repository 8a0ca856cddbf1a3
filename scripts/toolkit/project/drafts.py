"""Files of a project as a run would leave them: read in the place of those on the disk, until they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_standing: dict[Path, bytes] = {}


def content(path: Path) -> bytes:
    """Return what a file would hold, or holds. Raises `OSError` where it cannot be read."""
    return _standing[path] if path in _standing else path.read_bytes()


@contextmanager
def standing(contents: Mapping[Path, bytes]) -> Iterator[None]:
    """Let files, which are there, be read with these contents in the block."""
    _standing.update(contents)
    try:
        yield
    finally:
        for path in contents:
            del _standing[path]
