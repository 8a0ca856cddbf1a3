"""JSON with comments: read, and changed without touching the rest of the text."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as some
import pytest
from hypothesis import given

from toolkit.core import json_comments

TEXTS = [
    "",
    "\n// nothing yet\n",
    "{}",
    "{\n}\n",
    "{ // only this\n}",
    '{"a": 1}',
    '{"a": 1,}',
    '{\n\t"a": 1 // } , last\n}\n',
    '{\n  "a": 1, // last\n  /* "b": 2, */\n}\n',
    '{\r\n  "a": [1, 2,], "u": "//x /* y */ \\" ,}",\r\n  "a": {"b": "\\\\"}\r\n}\r\n',
    '\ufeff{"a": null}',
    '{\n  "a": 1 /* last\n  of all */\n}\n',
    "{ /* nothing\n  yet */ }",
    '{\n  "a": 1 /* x */,\n}\n',
    '{\r\n  "a": 1 // one\r\n  /* two */ , // three\r\n}\r\n',
    '/* } */ { "a" : 1 /* x */ , /* y */ "c": 2 /* z */ }  // end',
]


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_changed_is_read_again_and_the_rest_says_the_same(text: str) -> None:
    values = {"a": ["ß", {"x": True}], 'n"ew': "v", "other": {"z": [1]}}
    after = json_comments.changed(text, values)
    assert json_comments.read(after) == {**json_comments.read(text), **values}
    assert json_comments.changed(after, values) == after
    assert after.count("\r\n") == after.count("\n") or "\r" not in after
    for comment in ("// nothing yet", "// only this", "// } , last", '/* "b": 2, */', "/* x */", "/* z */", "// end"):
        assert (comment in after) == (comment in text)


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_so_already_changes_nothing(text: str) -> None:
    assert json_comments.changed(text, json_comments.read(text)) == text


def test_lines_look_as_those_beside_them() -> None:
    text = '{\n  "a": 1, // one\n  "b": 2 // two\n  // end\n}\n'
    wanted = '{\n  "a": 3, // one\n  "b": 2, // two\n  "c": [\n      "d"\n  ]\n  // end\n}\n'
    assert json_comments.changed(text, {"a": 3, "c": ["d"]}) == wanted
    assert json_comments.changed("{}", {"c": 1}) == '{\n    "c": 1\n}'


@pytest.mark.parametrize(
    "text", ["[]", "mine", "{'a': 1}", '{"a" 1}', '{"a": 1', '{"a": }', "[" * 9000, '{"a": 1} x', '{"a": 1 /*/ }']
)
def test_anything_else_is_refused(text: str) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match=r"."):
            json_comments.changed(text, {"b": 1})


def test_comments_that_nothing_ends_are_read_once() -> None:
    # Each tried to the end of the text would be the work of an hour.
    with pytest.raises(ValueError, match="property name"):
        json_comments.read("{" + "/* " * 400_000)


_VALUES = some.dictionaries(some.text(), some.text() | some.integers() | some.lists(some.text()), max_size=4)


@given(_VALUES, _VALUES, some.booleans())
def test_any_object_can_be_changed(before: dict[str, Any], values: dict[str, Any], is_wide: bool) -> None:
    text = json.dumps(before, indent=2 if is_wide else None)
    assert json_comments.read(json_comments.changed(text, values)) == {**before, **values}
