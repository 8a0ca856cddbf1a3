"""Values that strangers may write, for property tests: any bytes, any tree of values, and what looks nearly right."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import tomli_w
from hypothesis import strategies as st

from toolkit.core.errors import UserError

#: Words that readers look for, so that more than the first line of a reader is reached.
_WORDS = st.sampled_from(
    [
        "six",
        "six>=1",
        "six @ file:///x",
        "six\n-r x",
        "../x",
        "/x",
        "a\0b",
        "1.0",
        ">=3",
        ".",
        "\x1b[2J",
        "é",
        "UNKNOWN",
        "",
    ]
)
_TEXTS = st.one_of(_WORDS, st.text(max_size=12))
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), _TEXTS)


def values(*keys: str) -> st.SearchStrategy[Any]:
    """Return JSON-like values, in whose tables these keys are frequent."""
    names = st.one_of(st.sampled_from(keys or ("name",)), _TEXTS)
    return st.recursive(
        _SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=5)),
        max_leaves=12,
    )


def tables(*keys: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return tables with some of these keys, and anything below each."""
    return st.dictionaries(st.one_of(st.sampled_from(keys), _TEXTS), values(*keys), max_size=len(keys) + 1)


def lines(*words: str) -> st.SearchStrategy[bytes]:
    """Return the bytes of a text in which these words are frequent, and some bytes are not UTF-8."""
    parts = st.one_of(
        st.sampled_from([word.encode() for word in words] or [b"x"]), st.binary(max_size=6), _TEXTS.map(_encoded)
    )
    return st.lists(st.one_of(parts, st.just(b"\n"), st.just(b" ")), max_size=30).map(b"".join)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@contextlib.contextmanager
def one_error() -> Iterator[None]:
    """See that what ends in an error ends in one `UserError`, of one line and a hint."""
    try:
        yield
    except UserError as error:
        assert error.what.isprintable() and error.hint.isprintable(), error.what


def toml(table: dict[str, Any]) -> bytes:
    """Return a table as TOML, as far as TOML has words for it."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key.encode("utf-8", "replace").decode(): plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [plain(item) for item in value]
        if isinstance(value, str):
            return value.encode("utf-8", "replace").decode()
        return value if value is not None else "none"

    return tomli_w.dumps(plain(table)).encode()
