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
from collections.abc import Callable
from typing import Any, TypeVar

from toolkit.core.foreign_text import one_line

_Value = TypeVar("_Value")
_MIB = 1 << 20
#: A tool's settings in pyproject.toml and its like are a few KiB; what a lock of ours has is its reader's business.
LONGEST = _MIB
# tomllib takes quadratic time for a key of many parts.
_LONG_KEY = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){64}""")


def toml(content: bytes, longest: int = LONGEST) -> dict[str, Any]:
    """Return what a TOML file of at most `longest` bytes says."""

    def parse() -> dict[str, Any]:
        text = content.decode("utf-8").replace("\r\n", "\n")
        if _LONG_KEY.search(text):
            raise ValueError("a key of more than 64 parts")
        return tomllib.loads(text)

    return _read(parse, content, longest)


def json_value(content: bytes, longest: int = 256 * _MIB) -> Any:
    """Return the value that a JSON file of at most `longest` bytes is."""
    return _read(lambda: json.loads(content), content, longest)


def ini(content: bytes) -> configparser.ConfigParser:
    """Return the sections of an INI file such as setup.cfg."""

    def parse() -> configparser.ConfigParser:
        found = configparser.ConfigParser(interpolation=None, strict=False)
        found.read_string(content.decode("utf-8"))
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


def _read(parse: Callable[[], _Value], content: bytes, longest: int) -> _Value:
    if len(content) > longest:
        raise ValueError(f"it has more than {longest / _MIB:g} MiB")
    try:
        return parse()
    except (RecursionError, MemoryError):
        raise ValueError("it is nested too deeply") from None
    except (ValueError, SyntaxError, TypeError, KeyError, AttributeError, configparser.Error) as error:
        raise ValueError(one_line(re.sub(r"\s+", " ", str(error)), 300)) from None
