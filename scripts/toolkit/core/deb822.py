"""Debian's control data: paragraphs of fields, deb822(5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from toolkit.core.errors import UserError

_FIELD = re.compile(r"(?P<name>[!-,.-9;-~][!-9;-~]*):[ \t]*(?P<value>.*)")


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """Fields by their names in lower case, their lines joined without indentation; `line` is where it begins."""

    fields: Mapping[str, str]
    line: int

    def get(self, name: str) -> str:
        """Return a field's value, an empty string when it is not there."""
        return self.fields.get(name.lower(), "")


def parse(text: str, origin: object) -> Iterator[Paragraph]:
    """Yield the paragraphs of a text. Raises `UserError` for what is none, with its line in `origin`, the file."""
    fields: dict[str, str] = {}
    name, start = "", 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield Paragraph(fields=fields, line=start)
            fields, name = {}, ""
        elif line[0] in " \t" and name:
            fields[name] += f"\n{line.strip()}"
        elif found := _FIELD.fullmatch(line):
            start = start if fields else number
            name = found["name"].lower()
            if name in fields:
                raise UserError(f"{origin}:{number}: a second `{found['name']}` in one paragraph", "keep one of them")
            fields[name] = found["value"].strip()
        else:
            raise UserError(
                f"{origin}:{number}: neither a field nor its continuation: {line.strip()!r}",
                "a field is `Name: value`, a continuation begins with a space",
            )
