from __future__ import annotations

from pathlib import Path

import pytest

from tests.console import Command, Session, missing, read

DOCUMENT = """\
# A guide
```console
$ cd /
$ printf '%s\\n' \\
>     one two
one
…o
```
    $ make not-this

```sh
nor this
```
```console
$ false; ls /there-is-none
error: …
```
"""


def test_commands_are_read_with_what_is_shown_of_them(tmp_path: Path) -> None:
    document = tmp_path / "guide.md"
    document.write_text(DOCUMENT)
    assert list(read(document)) == [
        Command("cd /", (), "guide.md:3"),
        Command("printf '%s\\n' \\\n    one two", ("one", "…o"), "guide.md:4"),
        Command("false; ls /there-is-none", ("error: …",), "guide.md:15"),
    ]


@pytest.mark.parametrize(
    ("shown", "printed", "lacking"),
    [
        (("one", "three"), "one\ntwo\nthree\n", ""),
        (("three", "one"), "one\ntwo\nthree\n", "one"),
        (("a … c",), "a b c \n", ""),
        (("a.c",), "abc\n", "a.c"),
    ],
)
def test_lines_are_looked_for_in_their_order(shown: tuple[str, ...], printed: str, lacking: str) -> None:
    assert missing(shown, printed) == lacking


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (Command("echo ok", ("ok",), ""), ""),
        (Command("echo ok", ("better",), ""), "not printed: better"),
        (Command("echo error: it; false", ("error: it",), ""), ""),
        (Command("false", (), ""), r"\(status 1\)"),
        (Command("echo error: it", ("error: it",), ""), r"\(status 0\)"),
    ],
)
def test_a_command_has_to_do_what_is_shown(tmp_path: Path, command: Command, problem: str) -> None:
    session = Session(tmp_path, {"PATH": "/usr/bin:/bin"})
    try:
        if problem:
            with pytest.raises(AssertionError, match=problem):
                session.check(command)
        else:
            session.check(command)
    finally:
        session.close()


def test_directory_and_variables_stay(tmp_path: Path) -> None:
    session = Session(tmp_path, {"PATH": "/usr/bin:/bin"})
    try:
        session.check(Command("mkdir a; cd a; NAME=b", (), ""))
        session.check(Command("cat; echo $PWD/$NAME", (f"{tmp_path}/a/b",), ""))
    finally:
        session.close()
