"""A file of requirements edited as text: lines come and go, and all else in it stays as its people wrote it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from toolkit.model.names import normalize
from toolkit.project import lines
from toolkit.requirements.requirement_line import NamedRequirement, parse


@dataclass(frozen=True)
class _Entry:
    """One requirement with a name: the physical lines from `first` to before `last`, from 0 on."""

    first: int
    last: int
    name: str


def with_line(content: bytes, text: str, name: str, shown: str, at: int | None = None) -> tuple[bytes, int]:
    """Return a file with one more requirement, called `name`, and the number of its line.

    That is `at`, if given. Where the file is sorted, it stays so; else the line comes after the last requirement.
    Raises `UserError` with `file:line` for a line that makes no sense (`shown` is the file's name).
    """
    mark, rows = _rows(content)
    entries = _entries(rows, shown)
    ending = "\r\n" if any(row.endswith("\r\n") for row in rows) else "\n"
    position = _position(rows, entries, name) if at is None else min(at - 1, len(rows))
    if position and not rows[position - 1].endswith(("\n", "\r")):
        rows[position - 1] += ending
    rows.insert(position, f"{text}{ending}")
    return "".join((mark, *rows)).encode(), position + 1


def without_lines(content: bytes, numbers: Collection[int]) -> bytes:
    """Return a file without the logical lines that begin at these numbers; comments on lines of their own stay."""
    mark, rows = _rows(content)
    for first, last, _ in reversed(lines.logical("".join(rows).splitlines())):
        if first + 1 in numbers:
            rows[first:last] = [row for row in rows[first:last] if row.lstrip().startswith("#")]
    return "".join((mark, *rows)).encode()


def comment_of(content: bytes, number: int) -> str:
    """Return the comment at the end of the logical line that begins at this number, with the spaces before it."""
    _, rows = _rows(content)
    for first, last, _ in lines.logical("".join(rows).splitlines()):
        if first + 1 == number and not rows[last - 1].lstrip().startswith("#"):
            found = re.search(r"\s+#.*", rows[last - 1])
            return found[0].rstrip() if found else ""
    return ""


def _rows(content: bytes) -> tuple[str, list[str]]:
    """Return the byte order mark, if there is one, and the physical lines with their ends."""
    text = content.decode()
    mark = text[: text.startswith("\ufeff")]
    return mark, text.removeprefix(mark).splitlines(keepends=True)


def _entries(rows: list[str], shown: str) -> list[_Entry]:
    found = []
    for first, last, text in lines.logical("".join(rows).splitlines()):
        item = parse(lines.expand(text), f"{shown}:{first + 1}")
        if isinstance(item, NamedRequirement):
            found.append(_Entry(first, last, normalize(item.requirement.name)))
    return found


def _position(rows: list[str], entries: list[_Entry], name: str) -> int:
    """Return before which physical line a requirement belongs."""
    if not entries:
        return len(rows)
    names = [entry.name for entry in entries]
    before = [entry.last for entry in entries if entry.name <= name]
    if names != sorted(names):
        return entries[-1].last
    return before[-1] if before else _above(rows, entries[0].first)


def _above(rows: list[str], first: int) -> int:
    """Return where the comment of a line begins that is right above it; one at the top is the whole file's."""
    begin = first
    while begin and rows[begin - 1].lstrip().startswith("#"):
        begin -= 1
    return begin if begin else first
