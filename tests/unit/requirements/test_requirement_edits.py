"""What `make add` is asked for: requirements one after the other, each spelled as its people want it."""

from __future__ import annotations

import pytest

from toolkit.core.errors import UserError
from toolkit.requirements import requirement_edits


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("  httpx ", ["httpx"]),
        ("httpx flask", ["httpx", "flask"]),
        ("httpx >= 1, < 2 flask[async , dotenv]>=3", ["httpx >= 1, < 2", "flask[async , dotenv]>=3"]),
        (
            "httpx ; python_version >= '3.11' and os_name == 'posix' flask",
            ["httpx ; python_version >= '3.11' and os_name == 'posix'", "flask"],
        ),
        (
            "a @ https://host/a-1.tar.gz#sha256=00 ; os_name == 'posix' https://host/b-2.tar.xz c",
            ["a @ https://host/a-1.tar.gz#sha256=00 ; os_name == 'posix'", "https://host/b-2.tar.xz", "c"],
        ),
        ("a --hash=sha256:00 b", ["a --hash=sha256:00", "b"]),
    ],
)
def test_each_is_the_longest_that_makes_sense(text: str, found: list[str]) -> None:
    assert requirement_edits.split(text) == found


def test_the_value_of_a_variable_is_read_and_its_name_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("V_IDNA", "3.6")
    assert requirement_edits.split("idna==${V_IDNA} flask") == ["idna==${V_IDNA}", "flask"]


@pytest.mark.parametrize("text", ["a b=1", "a ; x", "-e a", "a -r b", "./a", "git+https://host/a", "a\x1b", ">=1"])
def test_what_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="NAME: ") as caught:
        requirement_edits.split(text)
    assert caught.value.hint
