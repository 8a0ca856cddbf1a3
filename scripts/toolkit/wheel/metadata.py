"""METADATA of a wheel, and the texts of its licences."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from toolkit.model.core_metadata import CoreMetadata
from toolkit.wheel import check

#: Bytes, of all licences of a wheel; those of large ones with all that they bundle have some hundred KiB.
_LONGEST = 16 << 20
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
        texts, left = dict[str, str](), _LONGEST
        for name in filter(is_licence, sorted(inside)):
            size = inside[name].member.size
            left -= size
            # A whole one is in the package in any case.
            whole = b"".join(contents.chunks(inside[name])) if left >= 0 else f"({size} bytes)".encode()
            texts[name] = whole.decode("utf-8", "replace")
    return texts


def is_licence(name: str) -> bool:
    """Tell whether a file of this path holds a licence, or who has written what it is for."""
    # PEP 639 keeps them in licenses/; before, they stood beside METADATA.
    path = PurePosixPath(name)
    return "licenses" in path.parts or path.name.lower().startswith(_LICENCE_NAMES)
