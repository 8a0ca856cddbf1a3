"""METADATA of a wheel, and the texts of its licences."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from toolkit.core.errors import UserError
from toolkit.model import core_metadata
from toolkit.model.core_metadata import CoreMetadata

_LICENCE_NAMES = ("license", "licence", "copying", "notice", "authors", "copyright")
_METADATA = ".dist-info/METADATA"
#: More than any METADATA there is: a wheel of an index may unpack to anything.
_READ_LIMIT = 8 << 20


def read(wheel: Path) -> CoreMetadata:
    """Return a wheel's metadata. Raises `UserError` for what is no wheel, and for one without a name or a version."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            # Not by the wheel's name: old ones spell it differently inside.
            path = next(name for name in archive.namelist() if name.count("/") == 1 and name.endswith(_METADATA))
            size = archive.getinfo(path).file_size
            found = core_metadata.parse(archive.read(path)) if size <= _READ_LIMIT else CoreMetadata()
    except (zipfile.BadZipFile, StopIteration):
        raise UserError(f"{wheel}: not a wheel", "restore it from git, or run `make vendor`") from None
    if not found.name or not found.version:
        what = f"{wheel}: its METADATA has no {'Version' if found.name else 'Name'}"
        raise UserError(what, "its build backend made a broken wheel: choose another version of it, or of the backend")
    return found


def licence_texts(wheel: Path) -> Mapping[str, str]:
    """Return the licences that a wheel of the wheel store carries, by their paths in its .dist-info."""
    with zipfile.ZipFile(wheel) as archive:
        inside = [name for name in archive.namelist() if PurePosixPath(name).parts[0].endswith(".dist-info")]
        licences = {name.partition("/")[2]: archive.read(name) for name in inside if _is_licence(name)}
    return {name: content.decode("utf-8", "replace") for name, content in sorted(licences.items())}


def _is_licence(name: str) -> bool:
    # PEP 639 keeps them in licenses/; before, they stood beside METADATA.
    path = PurePosixPath(name)
    return not name.endswith("/") and ("licenses" in path.parts or path.name.lower().startswith(_LICENCE_NAMES))
