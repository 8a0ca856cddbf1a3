"""The guide, typed from its first line to its last by somebody who has just cloned the toolkit."""

from __future__ import annotations

import os
from pathlib import Path

from tests import console
from tests.e2e.machine import TOOLKIT

GUIDE = TOOLKIT / "docs" / "guide.md"
#: Submodules are cloned from directories here, which git allows only when told.
_GIT = '[user]\nname = A Developer\nemail = developer@example.com\n[protocol "file"]\nallow = always\n'


def home(directory: Path) -> dict[str, str]:
    """Make a home with a name for git in it, and return the variables that make it one; pip's configuration stays."""
    (directory / ".gitconfig").write_text(_GIT)
    own = [Path.home() / ".config/pip/pip.conf", Path.home() / ".pip/pip.conf"]
    pip = next(({"PIP_CONFIG_FILE": str(path)} for path in own if path.is_file()), {})
    return {"HOME": str(directory), **pip}


def test_every_command_does_what_the_guide_shows(environment: dict[str, str], tmp_path: Path) -> None:
    commands = list(console.read(GUIDE))
    assert len(commands) > 30
    variables = {**environment, **home(tmp_path), "TOOLKIT": os.fspath(TOOLKIT)}
    session = console.Session(tmp_path, variables)
    try:
        for command in commands:
            session.check(command)
    finally:
        session.close()
