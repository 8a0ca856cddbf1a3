"""The licences of all that a package carries, as one text in the form of a debian/copyright file."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from toolkit.archives import archive
from toolkit.core import documents, files
from toolkit.core.documents import Table
from toolkit.model.core_metadata import CoreMetadata
from toolkit.wheel import metadata

_HEADER = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Comment: The Python distributions in the virtual environment of {service}, and the Rust crates that are compiled into
 them, as their own metadata states it.
"""


def write(path: Path, service: str, prefix: Path, wheels: Sequence[Path], crates: Sequence[Path] = ()) -> None:
    """Write the text, compressed: one paragraph a distribution and a crate, each with its licence texts.

    `prefix` is the environment, `crates` are archives in vendor/.
    """
    read = [(metadata.read(wheel), metadata.licence_texts(wheel)) for wheel in wheels]
    items = sorted(read, key=lambda pair: pair[0].name.lower())
    text = _HEADER.format(service=service) + "".join(_paragraph(item, texts, prefix) for item, texts in items)
    text += "".join(map(_crate_paragraph, crates))
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomic(path, gzip.compress(text.encode(), 9, mtime=0), 0o644)


def _paragraph(item: CoreMetadata, texts: Mapping[str, str], prefix: Path) -> str:
    licence = item.licence_expression or item.licence
    where = f"{str(prefix).lstrip('/')}/lib/*/{item.name.replace('-', '_')}-{item.version}.dist-info/*"
    return _text(f"Files: {where}", item.authors, licence, texts)


def _crate_paragraph(archive_path: Path) -> str:
    names = [name for name in archive.names(archive_path) if "/" not in name and metadata.is_licence(name)]
    members = archive.read_members(archive_path, ["Cargo.toml", *names])
    try:
        table = Table(documents.toml(members.pop("Cargo.toml", b""))).table("package")
        authors, licence = table.texts("authors", ()), table.text("license", "")
    except ValueError:
        authors, licence = (), ""
    texts = {name: content.decode("utf-8", "replace") for name, content in sorted(members.items())}
    return _text(f"Files: {archive_path.name}\nComment: a Rust crate", authors, licence, texts)


def _text(files_of: str, authors: Sequence[str], licence: str, texts: Mapping[str, str]) -> str:
    holders = "\n           ".join(authors) or "not stated"
    lines = [f"\n{files_of}", f"Copyright: {holders}", f"License: {licence or 'not stated'}", *_texts(texts)]
    return "\n".join(lines) + "\n"


def _texts(texts: Mapping[str, str]) -> Iterator[str]:
    for name, text in texts.items():
        yield f" --- {name} ---"
        # A line of a field's text begins with a space; an empty one is a dot.
        yield from (f" {line}" if line.strip() else " ." for line in text.splitlines())
