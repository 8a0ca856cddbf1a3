"""What a package build says and how it ends is that of the verbs inside it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.debian import deb_build

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"
#: A verb as dh runs it.
VERB = """
import sys
from toolkit.core import console
from toolkit.core.errors import UserError

def work():
    console.step("INSTALL", "app")
    raise UserError("app: its tests fail", "mend them", "AssertionError")

sys.exit(console.run_main(work))
"""


def build(tmp_path: Path, script: str) -> UserError:
    """Run a package build that is this shell script; `verb` in it is a verb that fails."""
    program = tmp_path / "build"
    program.write_text(f"#!/bin/sh\nverb() {{ '{sys.executable}' -c '{VERB}'; }}\n{script}\n")
    program.chmod(0o755)
    with pytest.raises(UserError) as caught:
        deb_build.run([str(program)], tmp_path, {**os.environ, "PYTHONPATH": str(SCRIPTS)}, tmp_path / "logs")
    return caught.value


def test_the_error_of_a_verb_ends_the_build_with_its_own_hint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = build(
        tmp_path, 'echo "  DH      starts"; echo "warning: of a compiler" >&2; verb; echo make: Error 1; exit 2'
    )
    assert (error.what, error.hint, error.details) == ("app: its tests fail", "mend them", "AssertionError")
    assert capsys.readouterr() == ("  INSTALL app\n", "")


def test_an_error_that_rules_ignore_is_not_what_ended_the_build(tmp_path: Path) -> None:
    error = build(tmp_path, "verb || true; seq 20; echo 'error: of a compiler'; exit 2")
    assert error.what == "dpkg-buildpackage failed with status 2"
    assert error.details.endswith("20\nerror: of a compiler\n")


def test_a_build_without_a_verb_shows_all_that_it_printed(tmp_path: Path) -> None:
    error = build(tmp_path, "echo 'error: of a compiler'; exit 2")
    assert (error.what, error.details) == ("dpkg-buildpackage failed with status 2", "error: of a compiler\n")


def test_the_error_that_ended_a_build_is_found_however_much_was_printed_before(tmp_path: Path) -> None:
    error = build(tmp_path, "seq 500000; verb; exit 2")
    assert (error.what, error.hint) == ("app: its tests fail", "mend them")


def test_a_quotation_of_an_error_is_not_what_ended_the_build(tmp_path: Path) -> None:
    error = build(tmp_path, "verb || true; seq 20; echo '  | error: app: its tests fail'; exit 2")
    assert error.what == "dpkg-buildpackage failed with status 2"
