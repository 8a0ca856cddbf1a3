"""Whatever a hook answers is what the standard says, or one error."""

from __future__ import annotations

import pytest

from toolkit.build import hook_answers
from toolkit.core.errors import UserError


def test_a_list_of_requirements_is_taken() -> None:
    found = ["six", "Cython>=3,<4 ; python_version < '3.12'", "setuptools[core]"]
    assert hook_answers.requirements(found, "pkg 1") == tuple(found)
    assert hook_answers.requirements([], "pkg 1") == ()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (5, "not a list of texts: `5`"),
        (None, "not a list of texts"),
        ("six", "not a list of texts: `'six'`"),
        ([1, 2], "not a list of texts"),
        ({"six": 1}, "not a list of texts"),
        ([["six"]], "not a list of texts"),
        (["six\n--index-url http://evil"], r"`six\\n--index-url http://evil` is no requirement"),
        (["six\n"], "is no requirement"),
        (["-r /etc/passwd"], "is no requirement"),
        ([""], "is no requirement"),
        (["six\x1b[31m"], r"`six\\x1b\[31m` is no requirement"),
        (["a" * 10_000], "is no requirement"),
        (["six ; " + "(" * 2000 + "python_version > '3'" + ")" * 2000], "is no requirement"),
        (["six"] * 10_000, "more than 5000 requirements"),
        (["six @ git+https://example.org/six"], "is fetched from a URL"),
        (["six @ file:///etc/passwd"], "is fetched from a URL"),
    ],
)
def test_anything_else_is_one_error(answer: object, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        hook_answers.requirements(answer, "pkg 1")
    assert caught.value.what.startswith("pkg 1: the answer of get_requires_for_build_wheel: ")
    assert "\n" not in str(caught.value.what)
    assert "choose another version" in caught.value.hint


def test_the_name_of_a_file_is_taken() -> None:
    assert hook_answers.file_name("pkg-1-py3-none-any.whl", "pkg 1", "build_wheel") == "pkg-1-py3-none-any.whl"


@pytest.mark.parametrize(
    "answer",
    [None, 5, b"x.whl", "", ".", "..", "../x.whl", "/tmp/x.whl", "a\\x.whl", "a\nb.whl", "\0", "x" * 256, "\ud800"],
)
def test_what_is_no_name_of_a_file_is_one_error(answer: object) -> None:
    with pytest.raises(UserError, match="pkg 1: the answer of build_wheel is no file name") as caught:
        hook_answers.file_name(answer, "pkg 1", "build_wheel")
    assert caught.value.what.isprintable()
