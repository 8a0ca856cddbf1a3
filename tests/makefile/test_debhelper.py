"""debhelper's own makefile build system drives the makefile: `debian/rules` of a service is `%: dh $@`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.makefile.project import Project, parse

pytestmark = pytest.mark.skipif(not shutil.which("dh"), reason="debhelper is not installed: `make setup` installs it")

_CONTROL = """\
Source: sample
Maintainer: Somebody <somebody@example.com>
Build-Depends: debhelper-compat (= 13)

Package: yc-sample
Architecture: any
Description: sample
"""


@pytest.fixture
def debian(project: Project) -> Project:
    directory = project.root / "debian"
    directory.mkdir()
    (directory / "control").write_text(_CONTROL)
    (directory / "changelog").write_text(
        "sample (1.0) unstable; urgency=low\n\n  * One.\n\n -- Somebody <somebody@example.com>  "
        "Mon, 02 Nov 2026 10:00:00 +0000\n"
    )
    return project


def run(project: Project, *words: str, **more: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(project.root), **more}
    return subprocess.run(
        words,
        cwd=project.root,
        env=environment,
        text=True,
        check=True,
        timeout=60,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ).stdout


@pytest.mark.parametrize(
    ("tool", "verb"),
    [("dh_auto_build", "build"), ("dh_auto_test", "test"), ("dh_auto_install", "install"), ("dh_auto_clean", "clean")],
)
def test_each_step_of_a_package_build_runs_its_verb(debian: Project, tool: str, verb: str) -> None:
    shown = run(debian, tool)
    assert debian.verbs() == [verb]
    parse(verb, debian.calls()[verb])
    assert "warning" not in shown


def test_install_goes_below_the_directory_of_the_package(debian: Project) -> None:
    run(debian, "dh_auto_install")
    assert Path(parse("install", debian.calls()["install"]).destdir) == debian.root / "debian" / "yc-sample"


def test_parallel_builds_change_nothing(debian: Project) -> None:
    run(debian, "dh_auto_build", DEB_BUILD_OPTIONS="parallel=4")
    assert debian.verbs() == ["build"]


def test_tests_can_be_left_out(debian: Project) -> None:
    run(debian, "dh_auto_test", DEB_BUILD_OPTIONS="nocheck")
    assert debian.verbs() == []


def test_the_dist_directory_outlives_a_clean(debian: Project) -> None:
    (debian.root / "build").mkdir()
    (debian.root / "dist").mkdir()
    run(debian, "dh_auto_clean", REAL_VERB="clean")
    assert (debian.root / "dist").is_dir()
    assert not (debian.root / "build").exists()
