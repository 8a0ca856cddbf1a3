"""METADATA of a wheel, and the texts of its licences."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from toolkit.model.core_metadata import CoreMetadata
from toolkit.wheel import check

_LICENCE_NAMES = ("license", "licence", "copying", "notice", "authors", "copyright")


def read(wheel: Path) -> CoreMetadata:
    """Return a wheel's metadata. Raises `UserError` for a wheel that is not sound."""
    with check.opened(wheel) as contents:
        return contents.metadata


def licence_texts(wheel: Path) -> Mapping[str, str]:
    """Return the licences that a wheel carries, by their paths in its .dist-info. Raises as `read` does."""
    with check.opened(wheel) as contents:
        inside = {
            file.name.partition("/")[2]: file
            for file in contents.files
            if file.name.startswith(f"{contents.information}/")
        }
        licences = {name: b"".join(contents.chunks(inside[name])) for name in sorted(inside) if _is_licence(name)}
    return {name: content.decode("utf-8", "replace") for name, content in licences.items()}


def _is_licence(name: str) -> bool:
    # PEP 639 keeps them in licenses/; before, they stood beside METADATA.
    path = PurePosixPath(name)
    return "licenses" in path.parts or path.name.lower().startswith(_LICENCE_NAMES)
