"""Texts that come into an array of a TOML file, and go: everything else stays as it is, byte for byte."""

from __future__ import annotations

import pytest

from toolkit.requirements import toml_arrays
from toolkit.requirements.toml_arrays import UnknownSpellingError


def file(array: str) -> str:
    return f'[build-system]\nrequires = ["a"]\n[project]  # ours\nname = "x"\ndependencies = {array}\n[tool.x]\ny = 1\n'


@pytest.mark.parametrize(
    ("before", "after", "position"),
    [
        ("[]", '["new>=1"]', 0),
        ('["a"]', '["a", "new>=1"]', 1),
        ('["a",]', '["a", "new>=1",]', 1),
        ("['a', \"b\"]", '[\'a\', "new>=1", "b"]', 1),
        ('["a"]  # those', '["new>=1", "a"]  # those', 0),
        ('[\n    "a",  # of [x]\n]', '[\n    "a",  # of [x]\n    "new>=1",\n]', 1),
        ('[\n    "a"  # so\n]', '[\n    "a",  # so\n    "new>=1",\n]', 1),
        ('[\n  "a",\n  "b",\n]', '[\n  "a",\n  "new>=1",\n  "b",\n]', 1),
        ("[\n\t\"a[x]; os_name == 'nt'\",\n]", '[\n\t"new>=1",\n\t"a[x]; os_name == \'nt\'",\n]', 0),
        ('["a",\n "b"]', '["a",\n "b", "new>=1"]', 2),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_text_comes_to_its_place(before: str, after: str, position: int, ending: str) -> None:
    old, new = (file(text).replace("\n", ending).encode() for text in (before, after))
    assert toml_arrays.with_item(old, "project", "dependencies", "new>=1", position) == new


@pytest.mark.parametrize(
    ("before", "after", "positions"),
    [
        ('["a"]', "[]", [0]),
        ('["a", "b"]', '["a"]', [1]),
        ('["a", "b",]', '["a",]', [1]),
        ('["a", "b", "c"]', '["a", "c"]', [1]),
        ('["a", "b", "c"]', '["c"]', [0, 1]),
        ('[\n    "a",  # of b\n    # and\n    "b",\n]', '[\n    # and\n    "b",\n]', [0]),
        ('[\n    "a",\n    "b"\n]', '[\n    "a",\n]', [1]),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_texts_go_and_nothing_else(before: str, after: str, positions: list[int], ending: str) -> None:
    old, new = (file(text).replace("\n", ending).encode() for text in (before, after))
    assert toml_arrays.without_items(old, "project", "dependencies", positions) == new


@pytest.mark.parametrize("value", ['a; os_name == "nt"', "a; os_name == 'nt'", "a; x == 'y' and z == \"w\"", "a\\b"])
def test_quotes_and_backslashes_are_written_so_that_they_are_read(value: str) -> None:
    found = toml_arrays.with_item(file("[]").encode(), "project", "dependencies", value, 0)
    assert toml_arrays.without_items(found, "project", "dependencies", [0]) == file("[]").encode()


@pytest.mark.parametrize(
    "text",
    [
        'project = {dependencies = ["a"]}\n',
        'project.dependencies = ["a"]\n',
        '[project]\ndependencies = ["a", {b = 1}]\n',
        '[project]\ndependencies = [["a"]]\n',
        '[project]\nx = """\ndependencies = ["b"]\n"""\n[project.dependencies]\n',
    ],
)
def test_what_is_written_otherwise_is_not_touched(text: str) -> None:
    with pytest.raises(UnknownSpellingError):
        toml_arrays.with_item(text.encode(), "project", "dependencies", "new", 0)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('[project]\nname = "x"', '[project]\nname = "x"\nNEW\n'),
        (
            "[project]  # ours\na = [\n  {b = 1},\n]\n\n# next\n[t]\ndependencies = [1]\n",
            "[project]  # ours\na = [\n  {b = 1},\n]\nNEW\n\n# next\n[t]\ndependencies = [1]\n",
        ),
        ("[project]\r\n[project.urls]\r\n", "[project]\r\nNEW\r\n[project.urls]\r\n"),
    ],
)
def test_a_table_without_an_array_gets_one(before: str, after: str) -> None:
    found = toml_arrays.with_item(before.encode(), "project", "dependencies", "new", 0)
    assert found.decode() == after.replace("NEW", 'dependencies = ["new"]')


def test_a_text_that_looks_like_an_array_is_none() -> None:
    text = '[project]\nx = """\n[project]\ndependencies = ["b"]\n"""\ndependencies = ["a"]\n'
    found = toml_arrays.with_item(text.encode(), "project", "dependencies", "new", 1)
    assert found.decode() == text.replace('["a"]', '["a", "new"]')
