"""Documents of others (TOML, JSON, INI, Python) read within limits; whatever is wrong with one is a `ValueError`.

Its message is one line. The parsers of the standard library end in several other ways: in `RecursionError` or
`MemoryError` for what is nested deeply, or not within the hour.
"""

from __future__ import annotations

import ast
import configparser
import json
import re
import tomllib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from toolkit.core.foreign_text import one_line, quoted

_Value = TypeVar("_Value")
_MIB = 1 << 20
_ONE_LINE = re.compile(r".*")
#: A tool's settings in pyproject.toml and its like are a few KiB; what a lock of ours has is its reader's business.
LONGEST = _MIB
#: Of a number that counts anything: no file is larger.
LARGEST = (1 << 63) - 1
# configparser takes quadratic time for a line with much white space in it.
_MUCH_SPACE = re.compile(r"[^\S\n]{256}")
# Who prints a value goes as deep as it is, and dotted keys in tables make one far deeper than tomllib itself goes.
_DEEPEST = 64
# tomllib takes quadratic time for a key of many parts.
_LONG_KEY = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){64}""")


def toml(content: bytes, longest: int = LONGEST) -> dict[str, Any]:
    """Return what a TOML file of at most `longest` bytes says."""

    def parse() -> dict[str, Any]:
        text = content.decode("utf-8").replace("\r\n", "\n")
        if _LONG_KEY.search(text):
            raise ValueError("a key of more than 64 parts")
        found = tomllib.loads(text)
        _check_depth(found)
        return found

    return _read(parse, content, longest)


def json_value(content: bytes, longest: int = 256 * _MIB) -> Any:
    """Return the value that a JSON file of at most `longest` bytes is."""
    return _read(lambda: json.loads(content), content, longest)


def ini(content: bytes) -> configparser.ConfigParser:
    """Return the sections of an INI file such as setup.cfg."""

    def parse() -> configparser.ConfigParser:
        text = content.decode("utf-8")
        if _MUCH_SPACE.search(text):
            raise ValueError("a line with more than 256 blanks in a row")
        found = configparser.ConfigParser(interpolation=None, strict=False)
        found.read_string(text)
        return found

    return _read(parse, content, LONGEST)


def python(content: bytes) -> ast.Module:
    """Return the syntax tree of a Python source."""

    def parse() -> ast.Module:
        with warnings.catch_warnings():
            # Of its escape sequences.
            warnings.simplefilter("ignore")
            return ast.parse(content)

    return _read(parse, content, LONGEST)


def literal(node: ast.expr) -> object:
    """Return the value of a literal; raises `ValueError` for anything that has to be computed."""
    return _read(lambda: ast.literal_eval(node), b"", 0)


@dataclass(frozen=True)
class Table:
    """A table (or object) of a document, whose entries are read by type; `name` is what messages call it.

    Every method raises `ValueError` for an entry that is missing, where no other value is given, or of another type.
    """

    content: Mapping[str, Any]
    name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.content, Mapping):
            raise ValueError(f"not a table: {quoted(repr(self.content))}")

    def text(self, key: str, other: str | None = None, form: re.Pattern[str] = _ONE_LINE) -> str:
        """Return a text of a form, by itself that of one line."""
        return self._checked_text(self._get(key, other), key, form)

    def texts(
        self, key: str, other: tuple[str, ...] | None = None, form: re.Pattern[str] = _ONE_LINE
    ) -> tuple[str, ...]:
        """Return a list of texts of a form."""
        return tuple(self._checked_text(item, key, form) for item in self._list(key, other))

    def number(self, key: str) -> int:
        """Return a number from 0 on."""
        value = self._get(key, None)
        if type(value) is not int or not 0 <= value <= LARGEST:
            raise self._error(key, value, "no number from 0 on, or none of 63 bits")
        return value

    def flag(self, key: str) -> bool:
        """Return whether something is so."""
        value = self._get(key, None)
        if type(value) is not bool:
            raise self._error(key, value, "neither true nor false")
        return value

    def table(self, key: str, other: Mapping[str, Any] | None = None) -> Table:
        """Return a table."""
        return self._table(self._get(key, other), key)

    def tables(self, key: str, other: tuple[()] | None = None) -> tuple[Table, ...]:
        """Return a list of tables."""
        return tuple(self._table(item, f"{key}[{number}]") for number, item in enumerate(self._list(key, other)))

    def _get(self, key: str, other: object) -> Any:
        value = self.content.get(key, other)
        if value is None:
            raise ValueError(f"{self._called(key)} is missing")
        return value

    def _list(self, key: str, other: object) -> list[Any] | tuple[Any, ...]:
        value = self._get(key, other)
        if not isinstance(value, (list, tuple)):
            raise self._error(key, value, "no list")
        return value

    def _table(self, value: object, key: str) -> Table:
        if not isinstance(value, Mapping):
            raise self._error(key, value, "no table")
        return Table(value, self._called(key))

    def _checked_text(self, value: object, key: str, form: re.Pattern[str]) -> str:
        if not isinstance(value, str):
            raise self._error(key, value, "no text")
        if not form.fullmatch(value) or not value.isprintable():
            raise self._error(key, value, "not as it can be")
        return value

    def _called(self, key: str) -> str:
        return one_line(f"{self.name}.{key}" if self.name else key)

    def _error(self, key: str, value: object, what: str) -> ValueError:
        return ValueError(f"{self._called(key)} is {what}: {quoted(repr(value))}")


def _check_depth(value: object) -> None:
    level: list[Any] = [[value]]
    for _ in range(_DEEPEST):
        if not level:
            return
        inner = (item.values() if isinstance(item, dict) else item for item in level)
        level = [item for items in inner for item in items if isinstance(item, (dict, list))]
    raise ValueError("it is nested too deeply")


def _read(parse: Callable[[], _Value], content: bytes, longest: int) -> _Value:
    if len(content) > longest:
        raise ValueError(f"it has more than {longest / _MIB:g} MiB")
    try:
        return parse()
    except (RecursionError, MemoryError):
        raise ValueError("it is nested too deeply") from None
    except (ValueError, SyntaxError, TypeError, KeyError, AttributeError, configparser.Error) as error:
        raise ValueError(one_line(re.sub(r"\s+", " ", str(error)), 300)) from None
