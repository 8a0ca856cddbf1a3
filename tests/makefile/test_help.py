"""`make help`."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from tests.makefile.project import TOOLKIT, VERBS, Project


def test_lists_every_target_and_every_setting(project: Project) -> None:
    shown = project.make("help").stdout
    settings = re.findall(r"^([A-Z0-9_]+) \?=", (TOOLKIT / "project.mk").read_text(), re.M)
    listed = set(re.findall(r"^  (\S+)", shown, re.M))
    assert len(settings) > 10
    assert len(VERBS) > 10
    assert listed == {*VERBS, "completion", "completion-fish", "completion-zsh", "help", *settings}


def test_tells_of_the_development_environment(project: Project) -> None:
    assert "./create-virtual-environment" in project.make("help").stdout


def test_shows_defaults_but_no_formulas(project: Project) -> None:
    shown = project.make("help").stdout
    assert "[uv]" in shown
    assert "$(" not in shown


def test_starts_no_python(project: Project, tmp_path: Path) -> None:
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    for name in ("python3", "python"):
        (bin_directory / name).write_text('#!/bin/sh\ntouch "$0-was-started"\n')
        (bin_directory / name).chmod(0o755)
    project.make("help", PATH=f"{bin_directory}:{os.environ['PATH']}", PYTHON3=str(bin_directory / "python3"))
    assert sorted(path.name for path in bin_directory.iterdir()) == ["python", "python3"]


def test_is_plain_where_it_is_not_a_terminal(project: Project) -> None:
    assert "\033" not in project.make("help").stdout


@pytest.mark.parametrize(("no_color", "is_coloured"), [("", True), ("1", False)])
def test_is_coloured_on_a_terminal(project: Project, no_color: str, is_coloured: bool) -> None:
    reader, writer = pty.openpty()
    try:
        environment = {"PATH": os.environ["PATH"], "NO_COLOR": no_color}
        subprocess.run(["make", "help"], cwd=project.root, env=environment, stdout=writer, check=True)
        assert (b"\033[1m" in os.read(reader, 4096)) is is_coloured
    finally:
        os.close(reader)
        os.close(writer)


def test_fits_a_terminal_of_a_hundred_columns(project: Project) -> None:
    assert max(map(len, project.make("help").stdout.splitlines())) <= 100


def test_in_the_toolkits_own_checkout_lists_its_own_targets() -> None:
    shown = subprocess.run(
        ["make", "help"], cwd=TOOLKIT, env={"PATH": os.environ["PATH"]}, text=True, capture_output=True, check=True
    ).stdout
    assert re.search(r"^  example ", shown, re.M)
    assert len(re.findall(r"^  lint ", shown, re.M)) == 1
