"""What one build is given of this machine."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.build import wheel_build
from toolkit.build.wheel_build import Job
from toolkit.sandbox import confined


@pytest.fixture
def job(tmp_path: Path) -> Job:
    scratch = tmp_path / "scratch"
    scratch.mkdir(0o700)
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.symlink_to(sys.executable)
    return Job(
        name="x",
        version="1",
        source=scratch / "source",
        python=python,
        scratch=scratch,
        log=tmp_path / "log",
        sandbox=confined.default(),
        identity="0123",
        jobs=3,
    )


def test_makefiles_of_cmake_use_all_processors_unless_the_project_says_otherwise(job: Job) -> None:
    name = "CMAKE_BUILD_PARALLEL_LEVEL"
    chosen = replace(job, variables={name: "1"})
    assert [wheel_build._environment(it, wheel_build._view(it))[name] for it in (job, chosen)] == ["3", "1"]


def test_nobody_else_can_enter_what_a_build_keeps(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CCACHE_DIR", str(tmp_path / "kept"))
    for path in wheel_build._view(job).own:
        above = [parent for parent in path.parents if tmp_path in parent.parents]
        assert any(parent.stat().st_mode & 0o077 == 0 for parent in above), path


def test_a_compiler_that_the_caller_chooses_is_a_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    usual = wheel_build.toolchain(rust=False)
    monkeypatch.setenv("CC", "clang")
    assert wheel_build.toolchain(rust=False) == {**usual, "CC": "clang"}
