"""`make clean` says what it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from toolkit.core import console
from toolkit.verbs import command_line

if TYPE_CHECKING:
    from tests.unit.conftest import Workspace


def test_an_interrupted_clean_does_not_say_that_all_is_there(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(path: Path) -> None:
        (path / "first").unlink()
        raise KeyboardInterrupt

    workspace.write({"build/first": "", "build/second": ""})
    # By the name of who has the function as a default: imported later, it would keep this one for all other tests.
    monkeypatch.setattr("toolkit.core.directories.files.remove", interrupted)
    assert console.run_main(lambda: command_line.main(["clean", "--project", str(workspace.root)])) == 130
    assert capsys.readouterr().err == "interrupted: a part of build/ is gone\n"
