"""JSON with comments and trailing commas, as VS Code reads it, changed in place: what is not changed stays as it is.

https://code.visualstudio.com/docs/languages/json#_json-with-comments
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.core import documents

# A comment that nothing ends is a token, too: each `/*` in it would be tried to the end of the text.
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*+"|//[^\r\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?', re.DOTALL)
_TRAILING = re.compile(r'"(?:[^"\\\n]|\\.)*+"|,(?=\s*[}\]])')
_SPACE = re.compile(r"\s*")
#: What is said of a value on its own line.
_BESIDE = re.compile(r"(?:[ \t]*(?://[^\r\n]*|/\*(?:[^*]|\*(?!/))*+\*/))*+")


@dataclass(frozen=True, kw_only=True)
class _Member:
    """A member of the outermost object: where its key begins, and where its value begins and ends."""

    key: int
    start: int
    end: int
    value: Any


def read(text: str) -> dict[str, Any]:
    """Return the object that a text says; an empty one is an empty object. Raises `ValueError` for anything else."""
    plain = _plain(text)
    found = documents.json_value(plain.encode("utf-8", "surrogatepass")) if plain.strip() else {}
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    return found


def changed(text: str, values: Mapping[str, Any]) -> str:
    """Return a text that says the same but for these members of its outermost object. Raises what `read` does."""
    before = read(text)
    values = {key: value for key, value in values.items() if key not in before or before[key] != value}
    if not values:
        return text
    newline = "\r\n" if "\r\n" in text else "\n"
    if not _plain(text).strip():
        text = f"{text.rstrip()}{newline if text.strip() else ''}{{{newline}}}{newline}"
    members = _members(_plain(text))
    indent = _indent(text, members)
    written = {
        key: json.dumps(value, indent=4, ensure_ascii=False).replace("\n", f"{newline}{indent}")
        for key, value in values.items()
    }
    added = [f"{indent}{json.dumps(key, ensure_ascii=False)}: {written[key]}" for key in written if key not in members]
    if added:
        text = _with(text, members, added, newline)
    for key in sorted(written.keys() & members.keys(), key=lambda key: -members[key].start):
        member = members[key]
        text = text[: member.start] + written[key] + text[member.end :]
    return text


def _plain(text: str) -> str:
    """Return the text with blanks for comments and trailing commas, everything else being where it was."""
    return _TRAILING.sub(lambda found: found[0] if found[0][0] == '"' else " ", _uncommented(text))


def _uncommented(text: str) -> str:
    """Return the text with blanks for comments and a byte order mark."""

    def blank(found: re.Match[str]) -> str:
        is_comment = found[0].startswith("//") or (found[0].endswith("*/") and found[0] != "/*/")
        return re.sub(r"[^\r\n]", " ", found[0]) if is_comment else found[0]

    return _TOKEN.sub(blank, f" {text[1:]}" if text.startswith("\ufeff") else text)


def _members(plain: str) -> dict[str, _Member]:
    """Return the members of the object that a valid text is; of several with one key the last, which counts."""
    decoder = json.JSONDecoder()
    found: dict[str, _Member] = {}
    position = _skip(plain, plain.index("{") + 1)
    while plain[position] != "}":
        begin = position
        key, position = decoder.raw_decode(plain, position)
        start = _skip(plain, _skip(plain, position) + 1)
        value, end = decoder.raw_decode(plain, start)
        found.pop(key, None)
        found[key] = _Member(key=begin, start=start, end=end, value=value)
        position = _skip(plain, end)
        if plain[position] == ",":
            position = _skip(plain, position + 1)
    return found


def _skip(plain: str, position: int) -> int:
    found = _SPACE.match(plain, position)
    return found.end() if found else position


def _indent(text: str, members: Mapping[str, _Member]) -> str:
    for member in members.values():
        before = text[: member.key].rpartition("\n")[2]
        return "    " if before.strip() else before
    return "    "


def _with(text: str, members: Mapping[str, _Member], added: list[str], newline: str) -> str:
    """Return the text with new lines after the last member, and after a comment that stands beside it."""
    plain = _plain(text)
    last = max((member.end for member in members.values()), default=0)
    begin = last or plain.index("{") + 1
    close = _skip(plain, begin)
    has_comma = "," in _uncommented(text)[begin:close]
    if has_comma:
        begin = _uncommented(text).index(",", begin) + 1
    beside = _BESIDE.match(text, begin)
    at = beside.end() if beside else begin
    comma = "," if last and not has_comma else ""
    lines = f",{newline}".join(added) + ("," if has_comma else "")
    end = "" if "\n" in text[at:close] else newline
    return f"{text[:begin]}{comma}{text[begin:at]}{newline}{lines}{end}{text[at:]}"
