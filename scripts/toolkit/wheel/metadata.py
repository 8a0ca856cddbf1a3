"""What a built wheel says of itself: its METADATA and the texts of its licences."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path, PurePosixPath

_LICENCE_NAMES = ("license", "licence", "copying", "notice", "authors", "copyright")
_CLASSIFIER = "License :: OSI Approved :: "


@dataclass(frozen=True, kw_only=True)
class WheelMetadata:
    """Name and version as the wheel spells them, its requirements (PEP 508), its licence and the licence's texts.

    `licence_expression` is an SPDX expression or empty; `licence` is what else there is, in words. `texts` are by path.
    """

    name: str
    version: str
    requires: tuple[str, ...]
    licence_expression: str
    licence: str
    authors: tuple[str, ...]
    texts: Mapping[str, str]


def read(wheel: Path) -> WheelMetadata:
    """Read a wheel of the wheel store, which has been checked before."""
    with zipfile.ZipFile(wheel) as archive:
        inside = [name for name in archive.namelist() if PurePosixPath(name).parts[0].endswith(".dist-info")]
        metadata = next(name for name in inside if name.endswith("/METADATA") and name.count("/") == 1)
        headers = BytesHeaderParser().parsebytes(archive.read(metadata))
        licences = {name.partition("/")[2]: archive.read(name) for name in inside if _is_text(name)}
    return WheelMetadata(
        name=headers["Name"],
        version=headers["Version"],
        requires=tuple(headers.get_all("Requires-Dist", ())),
        licence_expression=headers.get("License-Expression", ""),
        licence=_licence(headers),
        authors=_authors(headers),
        texts={name: content.decode("utf-8", "replace") for name, content in sorted(licences.items())},
    )


def _is_text(name: str) -> bool:
    # PEP 639 keeps them in licenses/; before, they stood beside METADATA.
    path = PurePosixPath(name)
    return not name.endswith("/") and ("licenses" in path.parts or path.name.lower().startswith(_LICENCE_NAMES))


def _licence(headers: Message) -> str:
    """Return the licence in words: one line of `License`, else what the classifiers say."""
    said = (headers.get("License") or "").strip()
    if said and "\n" not in said and said.upper() != "UNKNOWN":
        return said
    named = (str(value) for value in headers.get_all("Classifier", ()))
    return ", ".join(value.removeprefix(_CLASSIFIER) for value in named if value.startswith(_CLASSIFIER))


def _authors(headers: Message) -> tuple[str, ...]:
    fields = ("Author", "Author-email", "Maintainer", "Maintainer-email")
    found = (str(value).strip() for field in fields for value in headers.get_all(field, ()))
    return tuple(dict.fromkeys(value for value in found if value and value.upper() != "UNKNOWN"))
