"""A requirement that is no requirement is known as such, however it is made."""

from __future__ import annotations

import pytest

from toolkit.model import requirement_texts

NESTED = f"six ; {'(' * 1500}python_version > '3'{')' * 1500}"


@pytest.mark.parametrize("text", [NESTED, "six" + " " * 5000, "six ; ~", "", "a b"])
def test_what_is_no_requirement(text: str) -> None:
    assert requirement_texts.parse(text) is None


def test_what_is_one() -> None:
    assert str(requirement_texts.parse("six>=1 ; python_version > '3'")) == 'six>=1; python_version > "3"'
