"""Scripts start their interpreter, whatever its path and whatever options they give it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.wheel import scripts

PYTHON = Path("/x/python")


@pytest.fixture(params=["plain", "with a space", "it's quoted", "с буквами", "long" * 40])
def python(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return an interpreter at a path of each kind."""
    path = tmp_path / str(request.param) / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.symlink_to(sys.executable)
    return path


def run(directory: Path, script: bytes, *arguments: str) -> str:
    path = directory / "script"
    path.write_bytes(script)
    path.chmod(0o755)
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("options", ["", " -u", " -u -B", " -X dev"])
@pytest.mark.parametrize("start", ["#!/usr/bin/env -S python3", "#!python"])
def test_a_script_runs_with_its_options_in_whatever_path(
    python: Path, tmp_path: Path, start: str, options: str
) -> None:
    code = "import sys\nprint(sys.executable, sys.argv[1:], sys.orig_argv[1:-3], sep='|')\n"
    script = scripts.with_interpreter(f"{start}{options}\n{code}".encode(), python)
    assert run(tmp_path, script, "a b", "c") == f"{python}|['a b', 'c']|{options.split()}\n"


def test_an_entry_point_runs_in_whatever_path(python: Path, tmp_path: Path) -> None:
    (tmp_path / "parcel.py").write_text("import sys\nclass Main:\n    def run(): print('ran', sys.argv[1:])\n")
    assert run(tmp_path, scripts.entry_point(python, "parcel : Main.run [extra]"), "a b") == "ran ['a b']\n"


def test_a_future_import_stays_the_first_statement(tmp_path: Path) -> None:
    python = tmp_path / "with a space" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    script = b"#!/usr/bin/python3\n# a comment\nfrom __future__ import annotations\nprint('ran')\n"
    assert run(tmp_path, scripts.with_interpreter(script, python)) == "ran\n"


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("#!/usr/bin/env python3", "#!/x/python"),
        ("#!/usr/bin/python", "#!/x/python"),
        ("#!python", "#!/x/python"),
        ("#!/usr/bin/python3.11 -u", "#!/x/python -u"),
        ("#!/usr/bin/env -S python3 -u -B", "#!/usr/bin/env -S /x/python -u -B"),
        ("#!/bin/sh", "#!/bin/sh"),
        ("#!/usr/bin/perl -w # not python3", "#!/usr/bin/perl -w # not python3"),
        ("#!/opt/python3/run", "#!/opt/python3/run"),
        ("import os", "import os"),
    ],
)
def test_only_scripts_of_python_get_the_interpreter(first: str, expected: str) -> None:
    assert scripts.with_interpreter(f"{first}\nrest\n".encode(), PYTHON) == f"{expected}\nrest\n".encode()


def test_a_script_with_dos_line_ends_can_be_started() -> None:
    assert scripts.with_interpreter(b"#!/usr/bin/env python3\r\nprint()\r\n", PYTHON) == b"#!/x/python\nprint()\r\n"
