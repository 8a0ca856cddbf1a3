"""An array of texts in a TOML file, edited as text: what is not of the edit stays, byte for byte.

What the edited file says is read again and compared with what was meant, so that no spelling that is not known here
makes another file of it. https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from toolkit.core import documents

#: A text (of one line or several), a comment, an end of line, or any other character.
_TOKEN = re.compile(r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|\#[^\n]*|\n|.', re.DOTALL)
_HEADER = re.compile(r"\s*\[\s*([\w.\s\"'-]+?)\s*\]\s*(?:#.*)?")


class UnknownSpellingError(ValueError):
    """An array that is written in a way that is not edited here."""


@dataclass(frozen=True)
class _Item:
    """A text of an array: its token is `content[begin:end]`."""

    begin: int
    end: int
    value: str


def with_item(content: bytes, table: str, key: str, value: str, position: int) -> bytes:
    """Return a file with one more text in an array, before the one at a position. Raises `UnknownSpellingError`.

    Where a table has no such array, it gets one.
    """
    text = content.decode()
    if key not in documents.toml(content).get(table, {}):
        text = _with_array(text, table, key)
    opened, closed, items = _array(text, table, key)
    token = _token(value)
    if not items:
        edited = f"{text[: opened + 1]}{token}{text[opened + 1 :]}" if not text[opened + 1 : closed].strip() else ""
    elif position < len(items):
        edited = _before(text, items[position], token)
    else:
        edited = _after(text, items[-1], closed, token)

    def meant(found: list[object]) -> None:
        found.insert(position, value)

    return _checked(edited, content, (table, key), meant)


def without_items(content: bytes, table: str, key: str, positions: Sequence[int]) -> bytes:
    """Return a file without the texts of an array at some positions. Raises `UnknownSpellingError`."""
    edited = content.decode()
    for position in sorted(positions, reverse=True):
        opened, closed, items = _array(edited, table, key)
        edited = _cut(edited, opened, closed, items, position)

    def meant(found: list[object]) -> None:
        for position in sorted(positions, reverse=True):
            del found[position]

    return _checked(edited, content, (table, key), meant)


def _array(text: str, table: str, key: str) -> tuple[int, int, list[_Item]]:
    """Return where the brackets of an array are, and its texts."""
    start = _start(text, table, key)
    items: list[_Item] = []
    for token in _TOKEN.finditer(text, start + 1):
        word = token[0]
        if word == "]":
            return start, token.start(), items
        if word[0] in "\"'":
            items.append(_Item(token.start(), token.end(), _value(word)))
        elif word[0] not in "#\n\r\t ,":
            break
    raise UnknownSpellingError(key)


def _start(text: str, table: str, key: str) -> int:
    """Return where the array of a key in a table begins."""
    assignment = re.compile(rf"""[ \t]*["']?{re.escape(key)}["']?[ \t]*=[ \t]*(\[)""")
    inside = False
    for line in _statements(text):
        if header := _HEADER.fullmatch(text, line, _end(text, line)):
            inside = header[1] == table
        elif inside and (found := assignment.match(text, line)):
            return found.start(1)
    raise UnknownSpellingError(key)


def _with_array(text: str, table: str, key: str) -> str:
    """Return a file with an empty array at the end of what a table says itself."""
    begins = [*_statements(text), len(text)]
    last = 0
    inside = False
    for begin, end in pairwise(begins):
        if header := _HEADER.fullmatch(text, begin, _end(text, begin)):
            inside = header[1] == table
        if inside and text[begin:end].strip() and not text[begin:end].lstrip().startswith("#"):
            last = end
    if not last:
        raise UnknownSpellingError(key)
    between = "" if text[:last].endswith("\n") else _ending(text)
    return f"{text[:last]}{between}{key} = []{_ending(text)}{text[last:]}"


def _end(text: str, begin: int) -> int:
    end = text.find("\n", begin)
    return len(text) if end < 0 else end


def _statements(text: str) -> Iterator[int]:
    """Yield where each line begins that is not within a text or an array of several lines."""
    depth, begins = 0, True
    for token in _TOKEN.finditer(text):
        if begins:
            yield token.start()
        depth += token[0] in ("[", "{")
        depth -= token[0] in ("]", "}")
        begins = token[0] == "\n" and not depth


def _value(token: str) -> str:
    return str(documents.toml(f"value = {token}".encode())["value"])


def _token(value: str) -> str:
    if '"' not in value and "\\" not in value:
        return f'"{value}"'
    if "'" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _indentation(text: str, item: _Item) -> str | None:
    """Return what stands before a text that is the first thing of its line, None for another one."""
    before = text[text.rfind("\n", 0, item.begin) + 1 : item.begin]
    return None if before.strip() else before


def _before(text: str, item: _Item, token: str) -> str:
    indentation = _indentation(text, item)
    between = " " if indentation is None else f"{_ending(text)}{indentation}"
    return f"{text[: item.begin]}{token},{between}{text[item.begin :]}"


def _after(text: str, item: _Item, closed: int, token: str) -> str:
    indentation = _indentation(text, item)
    comma = _comma(text, item.end, closed)
    if indentation is None or "\n" not in text[item.end : closed]:
        end = item.end if comma is None else comma + 1
        return f"{text[:end]}{',' if comma is None else ''} {token}{',' if comma is not None else ''}{text[end:]}"
    # At the end of the last one's line, after its comment.
    with_comma = text if comma is not None else f"{text[: item.end]},{text[item.end :]}"
    end = _end(with_comma, (item.end if comma is None else comma) + 1)
    line = with_comma[:end].removesuffix("\r")
    rest = with_comma[len(line) :]
    return f"{line}{_ending(text)}{indentation}{token},{rest}"


def _comma(text: str, begin: int, end: int) -> int | None:
    """Return where the comma is between two places, None where there is none."""
    return next((token.start() for token in _TOKEN.finditer(text, begin, end) if token[0] == ","), None)


def _cut(text: str, opened: int, closed: int, items: list[_Item], position: int) -> str:
    item = items[position]
    comma = _comma(text, item.end, closed if position == len(items) - 1 else items[position + 1].begin)
    end = item.end if comma is None else comma + 1
    indentation = _indentation(text, item)
    line_end = _end(text, end)
    if indentation is not None and re.fullmatch(r"[ \t]*(?:#.*)?\r?", text[end:line_end]) and line_end < closed:
        return text[: item.begin - len(indentation)] + text[line_end + 1 :]
    if position == len(items) - 1 and position:
        # The comma before the last one goes with it, unless it has one of its own.
        begin = items[position - 1].end if comma is None else item.begin
        return text[:begin].rstrip(" \t" if comma is not None else "") + text[end:]
    rest = text[end:]
    return text[: item.begin] + (rest.lstrip(" \t") if position < len(items) - 1 else rest)


def _ending(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _checked(edited: str, content: bytes, keys: tuple[str, str], change: Callable[[list[object]], None]) -> bytes:
    """Return the edited file, if it says what the old one said, but for the change of one list."""
    wanted = copy.deepcopy(documents.toml(content))
    change(wanted[keys[0]].setdefault(keys[1], []))
    try:
        same = documents.toml(edited.encode()) == wanted
    except ValueError:
        same = False
    if not same:
        raise UnknownSpellingError(keys[1])
    return edited.encode()
