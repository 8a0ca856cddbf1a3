"""Documents of others: whatever is wrong with one is one ValueError, soon."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from toolkit.core import documents

DEEP = 200_000
HOSTILE: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "TOML, nested": (documents.toml, b"a=" + b"[" * DEEP),
    "TOML, tables in tables": (documents.toml, b"a=" + b"{a=" * DEEP),
    "TOML, dotted keys in tables": (documents.toml, b"a=" + b"{a.a.a.a.a.a.a.a=" * 20 + b"1" + b"}" * 20),
    "TOML, a key of many parts": (
        documents.toml,
        b"[x." + b"a." * 5000 + b"a]\n" + b"".join(b"b%d=1\n" % i for i in range(20_000)),
    ),
    "TOML, a long number": (documents.toml, b"a=" + b"9" * 100_000),
    "TOML, not UTF-8": (documents.toml, b"a='\xff'"),
    "TOML, a zero byte": (documents.toml, b"a=\0"),
    "TOML, 2 MiB": (documents.toml, b"#" * (2 << 20)),
    "JSON, nested": (documents.json_value, b"[" * DEEP),
    "JSON, a long number": (documents.json_value, b"9" * 100_000),
    "JSON, not UTF-8": (documents.json_value, b'"\xff"'),
    "INI, a line of blanks": (documents.ini, b"[a]\nx" + b" " * 500_000 + b"y\n"),
    "INI, no section": (documents.ini, b"a\n" * 1000),
    "INI, not UTF-8": (documents.ini, b"\xff"),
    "INI, a continued nothing": (documents.ini, b"[a]\n b\n"),
    "Python, brackets": (documents.python, b"(" * DEEP),
    "Python, signs": (documents.python, b"a=" + b"-" * DEEP + b"1"),
    "Python, sums": (documents.python, b"a=" + b"1+" * DEEP + b"1"),
    "Python, attributes": (documents.python, b"a=" + b"b." * DEEP + b"b"),
    "Python, a zero byte": (documents.python, b"a=1\0"),
    "Python, an unknown encoding": (documents.python, b"# coding: nonsense\n"),
    "Python, 2 MiB": (documents.python, b"#" * (2 << 20)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_one_error_of_one_line(name: str) -> None:
    read, content = HOSTILE[name]
    with pytest.raises(ValueError, match=r"\w") as caught:
        read(content)
    assert type(caught.value) is ValueError
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) <= 300


def test_ordinary_documents_are_read() -> None:
    text = b"[tool.a.b.c]\r\n'x.y' = 1.5\nurl = 'https://a.b.c.d.e/%s'\n" % (b"x." * 30)
    assert documents.toml(text)["tool"]["a"]["b"]["c"]["x.y"] == 1.5
    assert documents.json_value(b'{"a": [1]}') == {"a": [1]}
    assert documents.ini(b"[a]\nb = %(c)s\n")["a"]["b"] == "%(c)s"
    assert documents.python(b"'\\d'\n").body


@pytest.mark.parametrize("value", [-1, True, 1.0, "1", 1 << 63, 10**400])
def test_what_is_no_number_of_a_file_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="size is no number"):
        documents.Table({"size": value}).number("size")
    assert documents.Table({"size": (1 << 63) - 1}).number("size") == (1 << 63) - 1
