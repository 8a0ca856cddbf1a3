"""Files appear whole or not at all; directories are swapped."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.core import files


def test_a_written_file_has_the_modes_of_any_new_file(tmp_path: Path) -> None:
    os.umask(0o022)
    files.write_atomic(tmp_path / "a", "text")
    assert (tmp_path / "a").read_text() == "text"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644
    assert os.listdir(tmp_path) == ["a"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("old")

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        files.write_atomic(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("exchange", [True, False], ids=["in one step", "by two renames"])
def test_a_swap_leaves_only_the_new_directory(tmp_path: Path, exchange: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not exchange:
        monkeypatch.setattr(files, "_exchange", lambda first, second: False)
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    files.swap_directory(tmp_path / "new", tmp_path / "old")
    assert os.listdir(tmp_path) == ["old"]
    assert os.listdir(tmp_path / "old") == ["new"]


def test_a_swap_into_nothing_is_a_rename(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    files.swap_directory(tmp_path / "new", tmp_path / "old")
    assert os.listdir(tmp_path) == ["old"]


def test_read_only_directories_are_removed_too(tmp_path: Path) -> None:
    locked = tmp_path / "a" / "b"
    locked.mkdir(parents=True)
    (locked / "file").touch()
    locked.chmod(0o500)
    files.remove_tree(tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_temporary_directory_never_outlives_its_block(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), files.temporary_directory(tmp_path, "x-") as path:
        (path / "file").touch()
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


_HOLD = """
import sys, pathlib
sys.path.insert(0, sys.argv[1])
from toolkit.core import files
with files.exclusive(pathlib.Path(sys.argv[2]), "test"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_says_that_it_waits_and_then_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scripts = Path(files.__file__).parents[2]
    command = [sys.executable, "-c", _HOLD, str(scripts), str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        second = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert second.stdout is not None
        assert "waiting: another test" in second.stdout.readline()
        holder.stdin.close()
        assert second.communicate()[0] == "held\n"
        assert second.returncode == 0


def test_a_sweep_takes_what_is_nobodys_and_leaves_what_is_in_use(tmp_path: Path) -> None:
    (tmp_path / "x-left").mkdir()
    (tmp_path / "y-other").mkdir()
    with files.temporary_directory(tmp_path, "x-") as used:
        files.sweep(tmp_path, "x-")
        assert sorted(path.name for path in tmp_path.iterdir()) == [used.name, "y-other"]
