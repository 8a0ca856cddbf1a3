"""Lines that come into a file of requirements, and go: everything else stays as it is, byte for byte."""

from __future__ import annotations

import pytest

from toolkit.core.errors import UserError
from toolkit.requirements import requirement_text


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("", "Idna>=3\n", 1),
        ("flask\n", "flask\nIdna>=3\n", 2),
        # The last line has no end.
        ("flask", "flask\nIdna>=3\n", 2),
        # Sorted, by the names as they are compared.
        ("Flask\nrequests\n", "Flask\nIdna>=3\nrequests\n", 2),
        ("-r base.txt\nrequests\n", "-r base.txt\nIdna>=3\nrequests\n", 2),
        # Comments, blank lines and continuations belong to what they stand above, or in.
        (
            "# of the web\nflask  # for ever\n\n# of the net\nrequests \\\n  --hash=sha256:00\n",
            "# of the web\nflask  # for ever\nIdna>=3\n\n# of the net\nrequests \\\n  --hash=sha256:00\n",
            3,
        ),
        ("# ours\n\n# of the net\nrequests\n", "# ours\n\nIdna>=3\n# of the net\nrequests\n", 3),
        ("# of the whole\nrequests\n", "# of the whole\nIdna>=3\nrequests\n", 2),
        # Not sorted: after the last requirement, before what is said at the end.
        ("requests\nflask \\\n  >=3\n# the end\n", "requests\nflask \\\n  >=3\nIdna>=3\n# the end\n", 4),
        ("# nothing yet\n", "# nothing yet\nIdna>=3\n", 2),
        # As PowerShell and editors of Windows have it.
        ("\ufefff\r\nz\r\n", "\ufefff\r\nIdna>=3\r\nz\r\n", 2),
        ("\ufeffz\n", "\ufeffIdna>=3\nz\n", 1),
    ],
)
def test_a_line_comes_to_its_place(before: str, after: str, line: int) -> None:
    assert requirement_text.with_line(before.encode(), "Idna>=3", "idna", "r.txt") == (after.encode(), line)


@pytest.mark.parametrize(
    ("before", "after", "numbers"),
    [
        ("flask\nidna\nrequests\n", "flask\nrequests\n", {2}),
        ("flask\nidna", "flask\n", {2}),
        ("# why\nidna  # so\n# why not\n", "# why\n# why not\n", {2}),
        ("a\nidna \\\n  --hash=sha256:00 \\\n  --hash=sha256:11\nb\n", "a\nb\n", {2}),
        ("idna; python_version<'4'\nb\nidna; python_version>='4'\n", "b\n", {1, 3}),
        ("\ufeffidna\r\nb\r\n", "\ufeffb\r\n", {1}),
    ],
)
def test_lines_go_and_nothing_else(before: str, after: str, numbers: set[int]) -> None:
    assert requirement_text.without_lines(before.encode(), numbers) == after.encode()


def test_a_line_that_makes_no_sense_is_told() -> None:
    with pytest.raises(UserError, match=r"r\.txt:2: not a requirement: `b=1`"):
        requirement_text.with_line(b"a\nb=1\n", "idna", "idna", "r.txt")


def test_the_comment_at_the_end_of_a_line_is_its_own() -> None:
    content = b"# top\na>=1  # so\r\nb \\\n  --hash=sha256:00 # hash\nc @ https://host/#egg\n"
    assert [requirement_text.comment_of(content, number) for number in (2, 3, 5)] == ["  # so", " # hash", ""]
