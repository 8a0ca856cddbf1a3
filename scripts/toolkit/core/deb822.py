"""Debian's control data: paragraphs of fields, deb822(5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.core.errors import UserError

#: Bytes of a file: a .buildinfo names a thousand packages in some 50 KB.
_LARGEST = 8 << 20
_FIELD = re.compile(r"(?P<name>[!-,.-9;-~][!-9;-~]*):[ \t]*(?P<value>.*)")
_DAMAGED = "it is damaged, or no such file: build it anew"


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """Fields by their names in lower case, their lines joined without indentation; `line` is where it begins."""

    fields: Mapping[str, str]
    line: int

    def get(self, name: str) -> str:
        """Return a field's value, an empty string when it is not there."""
        return self.fields.get(name.lower(), "")


def text(path: Path) -> str:
    """Return the text of a .dsc or a .buildinfo, which others may have made. Raises `UserError` where it has none."""
    with path.open("rb") as stream:
        content = stream.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise UserError(f"{path}: more than {_LARGEST} bytes", _DAMAGED)
    if b"\0" in content:
        raise UserError(f"{path}: not a text: there is a zero byte in it", _DAMAGED)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8: {error}", _DAMAGED) from None


def parse(text: str, origin: object) -> Iterator[Paragraph]:
    """Yield the paragraphs of a text. Raises `UserError` for what is none, with its line in `origin`, the file."""
    fields: dict[str, list[str]] = {}
    name, start = "", 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield Paragraph(fields={key: "\n".join(lines) for key, lines in fields.items()}, line=start)
            fields, name = {}, ""
        elif line[0] in " \t" and name:
            fields[name].append(line.strip())
        elif found := _FIELD.fullmatch(line):
            start = start if fields else number
            name = found["name"].lower()
            if name in fields:
                raise UserError(f"{origin}:{number}: a second `{found['name']}` in one paragraph", "keep one of them")
            fields[name] = [found["value"].strip()]
        else:
            raise UserError(
                f"{origin}:{number}: neither a field nor its continuation: {line.strip()!r}",
                "a field is `Name: value`, a continuation begins with a space",
            )
