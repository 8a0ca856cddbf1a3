"""The licences of all that a package carries, as one text in the form of a debian/copyright file."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from toolkit.core import files
from toolkit.model.core_metadata import CoreMetadata
from toolkit.wheel import metadata

_HEADER = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Comment: The Python distributions in the virtual environment of {service}, as their own metadata states it.
"""


def write(path: Path, service: str, prefix: Path, wheels: Sequence[Path]) -> None:
    """Write the text, compressed: one paragraph a distribution, then each licence text. `prefix` is the environment."""
    read = [(metadata.read(wheel), metadata.licence_texts(wheel)) for wheel in wheels]
    items = sorted(read, key=lambda pair: pair[0].name.lower())
    text = _HEADER.format(service=service) + "".join(_paragraph(item, texts, prefix) for item, texts in items)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomic(path, gzip.compress(text.encode(), 9, mtime=0), 0o644)


def _paragraph(item: CoreMetadata, texts: Mapping[str, str], prefix: Path) -> str:
    licence = item.licence_expression or item.licence or "not stated"
    holders = "\n           ".join(item.authors) or "not stated"
    where = f"{str(prefix).lstrip('/')}/lib/*/{item.name.replace('-', '_')}-{item.version}.dist-info/*"
    lines = [f"\nFiles: {where}", f"Copyright: {holders}", f"License: {licence}", *_texts(texts)]
    return "\n".join(lines) + "\n"


def _texts(texts: Mapping[str, str]) -> Iterator[str]:
    for name, text in texts.items():
        yield f" --- {name} ---"
        # A line of a field's text begins with a space; an empty one is a dot.
        yield from (f" {line}" if line.strip() else " ." for line in text.splitlines())
