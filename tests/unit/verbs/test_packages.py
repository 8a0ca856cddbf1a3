"""What verbs of packages take for no suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.core.errors import UserError
from toolkit.verbs import command_line

if TYPE_CHECKING:
    from tests.unit.conftest import Workspace


def test_blanks_are_no_suites_to_rebuild(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(*_: object) -> None:
        raise UserError("built twice")

    workspace.package("lib", "lib")
    monkeypatch.setattr("toolkit.debian.deb_build.prepare", prepare)
    with pytest.raises(UserError, match="built twice"):
        command_line.main(["reproducible", "--project", str(workspace.root), "--suites", " "])
