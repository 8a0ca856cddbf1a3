"""What sdists say of themselves, kept by their hash: to read it takes a pass over each archive."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from toolkit import archives, model, project, sources
from toolkit.core import documents, files
from toolkit.core.documents import Table
from toolkit.model.core_metadata import CoreMetadata
from toolkit.project.pyproject import BuildSystem
from toolkit.releases import archive_identity
from toolkit.sources import sdist
from toolkit.sources.sdist import Facts

#: The rooms with the code that reads archives.
ROOMS = (archives, model, project, sources)


def read(path: Path, name: str, sha256: str) -> Facts:
    """Return the facts of an sdist whose hash is known; `name` is what messages call it. Raises `UserError`."""
    key = hashlib.sha256("\0".join((_code(), name, sha256)).encode()).hexdigest()
    kept = files.cache_root() / "facts" / f"{key}.json"
    try:
        return _from_data(Table(documents.json_value(kept.read_bytes())))
    except (OSError, ValueError):
        with archive_identity.named(path):
            found = sdist.read(path, name)
    kept.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomic(kept, json.dumps(dataclasses.asdict(found)))
    return found


@cache
def _code() -> str:
    """Return a digest of the code that reads archives: other code may find something else."""
    rooms = [Path(room.__file__ or "").parent for room in ROOMS]
    paths = [Path(documents.__file__), *(path for room in rooms for path in sorted(room.glob("*.py")))]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()


def _from_data(data: Table) -> Facts:
    """Return facts from JSON. Raises `ValueError` for what is none: anybody may have edited it."""
    return Facts(
        metadata=CoreMetadata(**_fields(CoreMetadata, data.table("metadata"))),
        requires=data.texts("requires"),
        build_system=BuildSystem(**_fields(BuildSystem, data.table("build_system"))),
        rust=data.flag("rust"),
        needs_crates=data.flag("needs_crates"),
        system_files=data.texts("system_files"),
        downloads=data.text("downloads"),
    )


def _fields(kind: type[CoreMetadata | BuildSystem], table: Table) -> dict[str, Any]:
    """Return the fields of a class of texts, lists of texts and flags."""
    readers: dict[object, Callable[[str], object]] = {
        "str": table.text,
        "bool": table.flag,
        "tuple[str, ...]": table.texts,
    }
    return {field.name: readers[field.type](field.name) for field in dataclasses.fields(kind)}
