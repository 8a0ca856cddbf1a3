"""An interpreter too old for the toolkit is told so, before anything else fails."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[3] / "scripts" / "toolkit" / "__init__.py"


def test_an_old_interpreter_is_refused_in_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    with pytest.raises(SystemExit, match=r"needs 3\.11 or later\n hint: .*PYTHON3="):
        runpy.run_path(str(PACKAGE))


def test_this_interpreter_is_not() -> None:
    runpy.run_path(str(PACKAGE))
