"""YAML text to plain values, each with the line it came from.

Plain scalars follow the YAML 1.2 core schema: only `true` and `false` are booleans, so a country `no` or a switch `on`
stays a text. Built from the parser's events, without recursion: no input overflows the stack or expands without bound.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str | int, ...]

_DEEPEST = 50
#: Values in one document, those that aliases repeat counted again.
_MOST = 100_000
_NUMBERS = re.compile(r"[-+]?(?:0x[0-9a-fA-F]+|0o[0-7]+|[0-9]+|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)")
_WORDS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", "+.inf", ".Inf"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf"), float("-inf")),
    ".nan": float("nan"),
}
_TAGS = {"tag:yaml.org,2002:str": str, "tag:yaml.org,2002:int": int, "tag:yaml.org,2002:float": float}


class Mistake(msgspec.Struct, frozen=True):
    """What is wrong with the text itself, and in which line (from 1)."""

    line: int
    what: str


class Document(msgspec.Struct, frozen=True):
    """A text that was read: its value, the line of every path in it, and what was wrong."""

    value: object
    lines: dict[Path, int]
    mistakes: list[Mistake]


def read(text: str) -> Document:
    """Read one document; all mistakes are in the result, none is raised."""
    # Not at the top: a service without a configuration file starts without this library.
    import yaml

    builder = _Builder()
    try:
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        builder.feed(yaml.parse(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        builder.mistakes.append(Mistake(mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}"))
    except yaml.YAMLError as error:
        builder.mistakes.append(Mistake(1, f"not YAML: {str(error).splitlines()[0]}"))
    except _RefusedError as error:
        builder.mistakes.append(Mistake(error.args[0], error.args[1]))
    return Document(builder.root, builder.lines, builder.mistakes)


def scalar(text: str) -> object:
    """Return what a plain scalar means."""
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBERS.fullmatch(text):
        return text
    try:
        digits = text.lstrip("+-")
        base = {"0x": 16, "0o": 8}.get(digits[:2])
        return int(text, base) if base else int(text) if digits.isdigit() else float(text)
    except ValueError:
        return text  # more digits than Python converts


class _RefusedError(Exception):
    """Ends the reading of a text that cannot be made sense of: (line, what)."""


class _Builder:
    """Puts values together from events; `_open` is the stack of unfinished containers."""

    def __init__(self) -> None:
        self.root: object = None
        self.lines: dict[Path, int] = {}
        self.mistakes: list[Mistake] = []
        self._open: list[_Container] = []
        self._anchors: dict[str, tuple[object, int]] = {}
        self._documents = 0

    def feed(self, events: Iterator[Any]) -> None:
        """Take all events; raises `_RefusedError`, and what the parser raises."""
        handlers = {
            "DocumentStartEvent": self._document,
            "ScalarEvent": self._scalar_event,
            "AliasEvent": self._alias,
            "MappingStartEvent": self._mapping,
            "MappingEndEvent": self._end,
            "SequenceStartEvent": self._sequence,
            "SequenceEndEvent": self._end,
        }
        for event in events:
            handle = handlers.get(type(event).__name__)
            if handle:
                handle(event, event.start_mark.line + 1)

    def _document(self, event: Any, line: int) -> None:
        self._documents += 1
        if self._documents > 1:
            raise _RefusedError(line, "a second document (`---`); a configuration file holds one")

    def _scalar_event(self, event: Any, line: int) -> None:
        container = self._open[-1] if self._open else None
        if container and container.wants_key:
            self._key(container, event.value, line)
        else:
            self._place(line)
            self._store(self._scalar(event, line), event.anchor)

    def _scalar(self, event: Any, line: int) -> object:
        if event.tag and event.tag != "!":
            if event.tag not in _TAGS:
                raise _RefusedError(line, f"a tag ({event.tag}); plain values only")
            try:
                return _TAGS[event.tag](event.value)
            except ValueError:
                raise _RefusedError(line, f"{event.value!r} is not what its tag says") from None
        return scalar(event.value) if event.implicit[0] else event.value

    def _mapping(self, event: Any, line: int) -> None:
        self._begin({}, event, line)

    def _sequence(self, event: Any, line: int) -> None:
        self._begin([], event, line)

    def _begin(self, value: dict[str, object] | list[object], event: Any, line: int) -> None:
        if self._open and self._open[-1].wants_key:
            raise _RefusedError(line, "a key that is not a plain text")
        if len(self._open) >= _DEEPEST:
            raise _RefusedError(line, f"nested more than {_DEEPEST} deep")
        self._open.append(_Container(value, self._place(line), event.anchor))

    def _end(self, event: Any, line: int) -> None:
        done = self._open.pop()
        self._store(done.value, done.anchor, done.size)

    def _alias(self, event: Any, line: int) -> None:
        if self._open and self._open[-1].wants_key:
            raise _RefusedError(line, "a key that is not a plain text")
        if event.anchor not in self._anchors:
            raise _RefusedError(line, f"the alias *{event.anchor} has no finished anchor before it")
        value, size = self._anchors[event.anchor]
        self._place(line)
        self._store(value, None, size)
        if sum(container.size for container in self._open) > _MOST:
            raise _RefusedError(line, f"more than {_MOST} values, counting what aliases repeat")

    def _key(self, container: _Container, key: str, line: int) -> None:
        assert isinstance(container.value, dict)
        if key == "<<":
            raise _RefusedError(line, "merge keys (`<<`) are not supported; write the keys out")
        if key in container.value:
            first = self.lines[(*container.path, key)]
            name = ".".join(map(str, (*container.path, key)))
            self.mistakes.append(Mistake(line, f"{name}: given twice (first in line {first})"))
        container.key = key
        self.lines.setdefault((*container.path, key), line)

    def _place(self, line: int) -> Path:
        """Return the path of the value that comes next, and note its line."""
        if not self._open:
            path: Path = ()
        else:
            container = self._open[-1]
            last = container.key if isinstance(container.value, dict) else len(container.value)
            path = (*container.path, last if last is not None else "")
        self.lines.setdefault(path, line)
        return path

    def _store(self, value: object, anchor: str | None, size: int = 1) -> None:
        if anchor:
            self._anchors[anchor] = value, size
        if not self._open:
            self.root = value
            return
        container = self._open[-1]
        container.size += size
        if isinstance(container.value, list):
            container.value.append(value)
        elif container.key is not None:
            container.value[container.key] = value
            container.key = None


class _Container:
    """A mapping or a sequence whose end has not come yet."""

    __slots__ = ("anchor", "key", "path", "size", "value")

    def __init__(self, value: dict[str, object] | list[object], path: Path, anchor: str | None) -> None:
        self.value, self.path, self.anchor = value, path, anchor
        self.key: str | None = None
        self.size = 1

    @property
    def wants_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None
