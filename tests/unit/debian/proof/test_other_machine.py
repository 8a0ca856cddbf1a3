"""A build on the simulated other machine, also where the kernel allows no namespaces."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
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


def read(words: Sequence[str], places: tuple[Path, Path]) -> str:
    """Return what a command prints on the other machine, in a tree."""
    tree, original = places
    with other_machine.simulated(os.environ, tree) as there:
        return process.read(there.command(words, original), cwd=tree, env=there.variables)


@pytest.mark.usefixtures("_without_namespaces")
def test_without_namespaces_the_rest_differs(places: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    here = process.read(["uname", "-r", "-v", "-m"]).split()
    there = read(["uname", "-r", "-v", "-m"], places).split()
    assert there[0] != here[0]
    assert there[1:-1] != here[1:-1]
    assert there[-1] == here[-1]
    assert read(LOOK, places).splitlines() == [str(places[0]), "0077", "1", "content"]
    varied = other_machine.varied(places[0])
    assert not {"user", "host name", "file system", "order of files", "processors in /proc and /sys"} & set(varied)
    assert "this kernel allows no namespaces" in capsys.readouterr().err


def test_the_tree_is_seen_by_the_build_alone(places: tuple[Path, Path]) -> None:
    assert read(["uname", "-n"], places) == "other-machine\n"
    assert list(places[0].iterdir()) == []


def test_the_other_machine_has_one_processor_more_with_fewer_features(places: tuple[Path, Path]) -> None:
    code = (
        "import os, re; text = open('/proc/cpuinfo').read();"
        "flags = re.search('(?:flags|Features).*', text)[0].split();"
        "print(os.cpu_count(), os.sysconf('SC_NPROCESSORS_CONF'), text.count('processor\\t'), len(flags))"
    )
    look = [sys.executable, "-c", code]
    here, there = (list(map(int, said.split())) for said in (process.read(look), read(look, places)))
    assert there[0] == there[2] == here[0] + 1
    assert there[1] > here[1]
    assert there[3] < here[3]


def test_what_is_varied_is_said_and_so_is_no_other_file_system_where_there_is_none() -> None:
    varied = set(other_machine.varied(Path("/usr")))
    assert varied >= {"kernel release and version", "file system", "processors in /proc and /sys"}
    assert "file system" not in other_machine.varied(Path("/dev/shm"))


def test_a_locale_that_sorts_otherwise_is_preferred() -> None:
    assert other_machine.other_locale(["C", "C.utf8", "POSIX", "en_US.utf8", "fr_FR.utf8"]) == "fr_FR.utf8"
    assert other_machine.other_locale(["C", "C.utf8", "POSIX", "en_US.utf8"]) == "POSIX"


def test_an_interpreter_of_the_other_machine_is_another_user(places: tuple[Path, Path]) -> None:
    code = "import os; print(os.getuid())"
    assert read([sys.executable, "-c", code], places) == "4321\n"
    with pytest.raises(UserError):
        read(["false"], places)


def test_a_build_on_the_other_machine_finds_no_repository_of_the_project(tmp_path: Path) -> None:
    process.run(["git", "init", "--quiet", tmp_path])
    tree = tmp_path / "build" / "tree"
    tree.mkdir(parents=True)
    look = ["git", "rev-parse", "--show-toplevel"]
    assert process.read(look, cwd=tree) == f"{tmp_path}\n"
    with (
        other_machine.simulated(os.environ, tree) as there,
        pytest.raises(process.CommandError, match="not a git repository"),
    ):
        process.read(look, cwd=tree, env=there.variables)


@pytest.mark.skipif(not other_machine.has_clock(), reason="faketime is not installed")
def test_a_build_on_the_other_machine_can_sleep_and_wait_though_the_clock_is_moved(tmp_path: Path) -> None:
    code = "import threading, time; time.sleep(0.01); threading.Event().wait(0.01); print(time.time())"
    with other_machine.simulated(os.environ, tmp_path) as there:
        said = process.read([sys.executable, "-c", code], env=there.variables)
    assert float(said) > time.time() + 300 * 24 * 60 * 60
