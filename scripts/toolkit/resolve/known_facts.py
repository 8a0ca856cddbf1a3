"""What sdists say of themselves, kept by their hash: to read it takes a pass over each archive."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from toolkit import project, vendored
from toolkit.core import files
from toolkit.model import core_metadata
from toolkit.model.core_metadata import CoreMetadata
from toolkit.project.pyproject import BuildSystem
from toolkit.resolve import archive_identity
from toolkit.vendored import sdist
from toolkit.vendored.sdist import Facts


def read(path: Path, name: str, sha256: str) -> Facts:
    """Return the facts of an sdist whose hash is known; `name` is what messages call it. Raises `UserError`."""
    key = hashlib.sha256("\0".join((_code(), name, sha256)).encode()).hexdigest()
    kept = files.cache_root() / "facts" / f"{key}.json"
    try:
        return _from_data(json.loads(kept.read_bytes()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        with archive_identity.named(path):
            found = sdist.read(path, name)
    kept.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomic(kept, json.dumps(dataclasses.asdict(found)))
    return found


@cache
def _code() -> str:
    """Return a digest of the code that reads archives: other code may find something else."""
    rooms = [Path(room.__file__ or "").parent for room in (project, vendored)]
    paths = [Path(core_metadata.__file__), *(path for room in rooms for path in sorted(room.glob("*.py")))]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()


def _from_data(data: dict[str, Any]) -> Facts:
    """Return facts from JSON, which has lists for tuples."""
    return Facts(
        metadata=CoreMetadata(**_with_tuples(data["metadata"])),
        requires=tuple(data["requires"]),
        build_system=BuildSystem(**_with_tuples(data["build_system"])),
        needs_crates=bool(data["needs_crates"]),
    )


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
