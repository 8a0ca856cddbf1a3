"""The interpreter to build with is one that .python-version allows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.build import interpreters
from toolkit.core.errors import UserError
from toolkit.model.interpreter import select
from toolkit.model.pins import Pinned

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_the_asked_for_interpreter_is_probed() -> None:
    found = interpreters.find([RUNNING], sys.executable)
    assert found.version == RUNNING
    assert found.full_version.startswith(RUNNING)
    assert found.soabi.startswith("cpython-")


def test_a_version_may_be_asked_for() -> None:
    assert interpreters.find([RUNNING], RUNNING).version == RUNNING


def test_an_interpreter_of_another_version_is_refused() -> None:
    with pytest.raises(UserError, match=r"\.python-version says 3\.99"):
        interpreters.find(["3.99"], sys.executable)


def test_a_program_that_is_no_interpreter_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho hello\n")
    program.chmod(0o755)
    with pytest.raises(UserError, match="no such interpreter"):
        interpreters.find([RUNNING], str(program))


def test_a_version_that_is_not_there_names_what_is() -> None:
    with pytest.raises(UserError, match=r"no interpreter for Python 3\.99") as caught:
        interpreters.find(["3.99"])
    assert re.match(
        r"add to .python-version what there is \((3\.\d+, )*3\.\d+\) and run `make vendor`, ", caught.value.hint
    )


def test_references_are_selected_by_their_markers() -> None:
    found = interpreters.find([RUNNING], sys.executable)
    references = (
        Pinned("a", "1"),
        Pinned("b", "2", "python_version < '3'"),
        Pinned("c", "3", "sys_platform == 'linux' or sys_platform == 'darwin'"),
    )
    assert select(references, found) == ("a==1", "c==3")


def test_nothing_that_an_active_environment_has_installed_is_run(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "active"], check=True)
    site_packages = next((tmp_path / "active" / "lib").glob("python3.*/site-packages"))
    (site_packages / "foreign.pth").write_text(f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).touch()\n")
    found = interpreters.probe(tmp_path / "active" / "bin" / "python3")
    own = interpreters.probe(Path(sys.executable))
    assert found
    assert own
    assert found.path == own.path
    assert not (tmp_path / "ran").exists()
