"""A build on the simulated other machine, also where the kernel allows no namespaces."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.debian.proof import other_machine

LOOK = ["sh", "-c", "pwd; umask; nproc; cat file"]


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Return an empty tree, and an original with a file; there are letters in their names that a shell would read."""
    tree, original = tmp_path / "a tree's", tmp_path / "$original"
    tree.mkdir()
    original.mkdir()
    (original / "file").write_text("content\n")
    return tree, original


@pytest.fixture
def _without_namespaces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Let unshare(1) fail as it does where the kernel forbids namespaces."""
    (tmp_path / "unshare").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    other_machine.is_allowed.cache_clear()
    yield
    other_machine.is_allowed.cache_clear()


@pytest.mark.usefixtures("_without_namespaces")
def test_without_namespaces_the_rest_differs(places: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    tree, original = places
    said = process.read(other_machine.command(LOOK, original), cwd=tree)
    assert said.splitlines() == [str(tree), "0077", "1", "content"]
    assert not {"user", "host name", "order of files"} & set(other_machine.varied())
    assert "this kernel allows no namespaces" in capsys.readouterr().err


def test_the_tree_is_seen_by_the_build_alone(places: tuple[Path, Path]) -> None:
    tree, original = places
    said = process.read(other_machine.command(["uname", "-n"], original), cwd=tree)
    assert said == "other-machine\n"
    assert list(tree.iterdir()) == []


def test_a_locale_that_sorts_otherwise_is_preferred() -> None:
    assert other_machine.other_locale(["C", "C.utf8", "POSIX", "en_US.utf8", "fr_FR.utf8"]) == "fr_FR.utf8"
    assert other_machine.other_locale(["C", "C.utf8", "POSIX", "en_US.utf8"]) == "POSIX"


def test_an_interpreter_of_the_other_machine_is_another_user(places: tuple[Path, Path]) -> None:
    tree, original = places
    code = "import os; print(os.getuid())"
    assert process.read(other_machine.command([sys.executable, "-c", code], original), cwd=tree) == "4321\n"
    with pytest.raises(UserError):
        process.read(other_machine.command(["false"], original), cwd=tree)


def test_a_build_on_the_other_machine_finds_no_repository_of_the_project(tmp_path: Path) -> None:
    process.run(["git", "init", "--quiet", tmp_path])
    tree = tmp_path / "build" / "tree"
    tree.mkdir(parents=True)
    look = ["git", "rev-parse", "--show-toplevel"]
    assert process.read(look, cwd=tree) == f"{tmp_path}\n"
    with (
        other_machine.environment(os.environ, tree) as varied,
        pytest.raises(process.CommandError, match="not a git repository"),
    ):
        process.read(look, cwd=tree, env=varied)


@pytest.mark.skipif(not other_machine.has_clock(), reason="faketime is not installed")
def test_a_build_on_the_other_machine_can_sleep_and_wait_though_the_clock_is_moved(tmp_path: Path) -> None:
    code = "import threading, time; time.sleep(0.01); threading.Event().wait(0.01); print(time.time())"
    with other_machine.environment(os.environ, tmp_path) as varied:
        said = process.read([sys.executable, "-c", code], env=varied)
    assert float(said) > time.time() + 300 * 24 * 60 * 60
