"""Directories are replaced whole, whatever happens; temporary ones do not outlive their use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from toolkit.core import directories


@pytest.mark.parametrize("exchange", [True, False], ids=["in one step", "by two renames"])
def test_a_swap_leaves_only_the_new_directory(tmp_path: Path, exchange: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not exchange:
        monkeypatch.setattr(directories, "_exchange", lambda first, second: False)
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    directories.replace(tmp_path / "new", tmp_path / "old")
    assert os.listdir(tmp_path) == ["old"]
    assert os.listdir(tmp_path / "old") == ["new"]


def test_a_swap_into_nothing_is_a_rename(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    directories.replace(tmp_path / "new", tmp_path / "old")
    assert os.listdir(tmp_path) == ["old"]


@pytest.mark.parametrize("is_done", [True, False], ids=["after", "before"])
def test_a_replacement_makes_good_what_a_kill_left_of_the_one_before(tmp_path: Path, is_done: bool) -> None:
    """Killed before or after the second of two renames."""
    for name in (".old.old", "new", *(["old"] if is_done else [])):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    directories.recover(tmp_path / "old")
    assert os.listdir(tmp_path / "old") == ["old" if is_done else ".old.old"]
    directories.replace(tmp_path / "new", tmp_path / "old")
    assert os.listdir(tmp_path) == ["old"]
    assert os.listdir(tmp_path / "old") == ["new"]


@pytest.mark.parametrize("was_there", [True, False])
def test_what_was_put_aside_comes_back_when_its_successor_fails(tmp_path: Path, was_there: bool) -> None:
    target = tmp_path / "a"
    if was_there:
        (target / "old").mkdir(parents=True)
    with pytest.raises(KeyboardInterrupt), directories.put_aside(target):
        (target / "new").mkdir(parents=True)
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.rglob("*")] == (["a", "old"] if was_there else [])


def test_what_was_put_aside_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "a" / "old").mkdir(parents=True)
    with directories.put_aside(tmp_path / "a", tmp_path / "backup") as old:
        assert os.listdir(old) == ["old"]
        (tmp_path / "a").mkdir()
    assert sorted(os.listdir(tmp_path)) == ["a", "backup"]


def test_a_temporary_directory_never_outlives_its_block(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), directories.temporary(tmp_path, "x-") as path:
        (path / "file").touch()
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


def test_the_next_one_takes_what_is_nobodys_and_leaves_what_is_in_use(tmp_path: Path) -> None:
    for name in ("x-left.tmp", "y-other.tmp", "x-a-users-own"):
        (tmp_path / name).mkdir()
    with directories.temporary(tmp_path, "x-") as used, directories.temporary(tmp_path, "x-") as second:
        assert set(os.listdir(tmp_path)) == {used.name, second.name, "y-other.tmp", "x-a-users-own"}


def test_one_of_a_run_that_was_killed_goes_with_the_next(tmp_path: Path) -> None:
    code = f"""
import os, pathlib, signal
from toolkit.core import directories
with directories.temporary(pathlib.Path({str(tmp_path)!r}), "x-") as path:
    (path / "file").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], cwd=Path(directories.__file__).parents[2], check=False)
    [left] = os.listdir(tmp_path)
    with directories.temporary(tmp_path, "x-") as used:
        assert os.listdir(tmp_path) == [used.name] != [left]


def test_a_sweep_leaves_links_and_what_others_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    common = tmp_path / "common"
    (tmp_path / "elsewhere" / "kept").mkdir(parents=True)
    (common / "x-other.tmp").mkdir(parents=True)
    (common / "x-link.tmp").symlink_to(tmp_path / "elsewhere")
    own, status = os.getuid(), Path.stat

    def of_system(path: Path, **how: bool) -> os.stat_result:
        found = status(path, **how)
        return os.stat_result((*found[:4], own + 1, *found[5:])) if path == common else found

    monkeypatch.setattr(Path, "stat", of_system)
    monkeypatch.setattr(os, "geteuid", lambda: own + 2)
    directories.sweep(common, "x-")
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "common",
        "elsewhere",
        "kept",
        "x-link.tmp",
        "x-other.tmp",
    ]
    directories.sweep(common, "x-", owners={own})
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["common", "elsewhere", "kept", "x-link.tmp"]


def test_what_cannot_be_removed_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "x-left.tmp").mkdir()

    def fail(path: Path) -> None:
        raise PermissionError(path)

    directories.sweep(tmp_path, "x-", fail)
    with directories.temporary(tmp_path, "x-") as used:
        assert os.listdir(tmp_path) == [used.name]


def test_one_that_a_sweep_takes_before_it_has_its_lock_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def swept(*given: object, **how: object) -> str:
        path = tmp_path / f"x-{len(made)}"
        path.mkdir()
        made.append(str(path))
        if len(made) == 1:
            shutil.rmtree(path)
        return str(path)

    monkeypatch.setattr(tempfile, "mkdtemp", swept)
    with directories.temporary(tmp_path, "x-") as used:
        assert used.name == "x-1"
    assert len(made) == 2


def test_sweeps_and_makers_that_race_never_share_a_directory(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def make() -> None:
        try:
            for _ in range(50):
                with directories.temporary(tmp_path, "x-") as path:
                    (path / "file").touch()
                    directories.sweep(tmp_path, "x-")
                    assert (path / "file").exists()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert os.listdir(tmp_path) == []


def test_a_directory_at_a_path_takes_the_place_of_what_a_killed_run_left(tmp_path: Path) -> None:
    path = tmp_path / "own" / "place"
    path.mkdir(parents=True)
    (path / "left").touch()
    with pytest.raises(ZeroDivisionError), directories.at(path) as made:
        assert made == path and list(path.iterdir()) == []
        (path / "new").touch()
        raise ZeroDivisionError
    assert not path.exists()
