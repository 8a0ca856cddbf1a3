"""`make clean` says what it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from toolkit.core import console, files
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
    monkeypatch.setattr(files, "remove", interrupted)
    assert console.run_main(lambda: command_line.main(["clean", "--project", str(workspace.root)])) == 130
    assert capsys.readouterr().err == "interrupted: a part of build/ is gone\n"
