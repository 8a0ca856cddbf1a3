"""Files appear whole or not at all; what has to go goes; two runs wait for each other."""

import errno
import fcntl
import os
import queue
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

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


def test_read_only_directories_are_removed_too(tmp_path: Path) -> None:
    locked = tmp_path / "a" / "b"
    locked.mkdir(parents=True)
    (locked / "file").touch()
    locked.chmod(0o500)
    files.remove(tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_directories_are_removed_that_nobody_may_enter(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "shut" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    for directory in (inner, inner.parent, tmp_path / "a"):
        directory.chmod(0)
    remove = f"import pathlib; from toolkit.core import files; files.remove(pathlib.Path({str(tmp_path / 'a')!r}))"
    # Root may enter them by a capability.
    without = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    subprocess.run([*without, sys.executable, "-c", remove], cwd=Path(files.__file__).parents[2], check=True)
    assert os.listdir(tmp_path) == []


def test_a_directory_deeper_than_any_path_is_removed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").touch()
    here = os.open(tmp_path / "a", os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d" * 100, dir_fd=here)
        below = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
        os.symlink("/", "link", dir_fd=below)
        os.close(here)
        here = below
    os.close(here)
    files.remove(tmp_path / "a")
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


def test_who_waited_for_a_directory_that_was_removed_has_the_new_one(tmp_path: Path) -> None:
    directory, steps = tmp_path / "build", SimpleQueue[str]()

    def wait() -> None:
        with files.exclusive(directory, "test"):
            steps.put("held")
            # A third one has to wait for this one.
            third = os.open(directory, os.O_RDONLY)
            with pytest.raises(BlockingIOError):
                fcntl.flock(third, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(third)

    with ThreadPoolExecutor(1) as pool:
        with files.exclusive(directory, "test"):
            second = pool.submit(wait)
            with pytest.raises(queue.Empty):
                steps.get(timeout=0.2)
            directory.rmdir()
        second.result(timeout=20)


@pytest.mark.parametrize("count", [1, 3])
def test_the_last_lines_of_a_file_are_read_without_the_rest(tmp_path: Path, count: int) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"\xff" * 3_000_000 + b"\n1\n\xff2\n3\n")
    assert files.last_lines(path, count) == ["1", "\ufffd2", "3"][-count:]
    path.write_text("short")
    assert files.last_lines(path, count) == ["short"]


def test_a_copy_has_the_mode_that_a_link_would_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_unused: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", link)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_text("#!/bin/sh\n")
    source.chmod(0o755)
    files.link_or_copy(source, target)
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("#!/bin/sh\n", 0o755)
