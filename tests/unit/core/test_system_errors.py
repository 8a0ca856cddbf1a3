"""Faults of the machine: which directory, what is the matter with it, and what helps."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from toolkit.core import console, files, process, system_errors
from toolkit.core.errors import UserError


def fault(number: int, *names: str) -> OSError:
    return OSError(number, os.strerror(number), *names[:1], None, *names[1:])


def test_a_full_disk_is_named_with_the_room_it_has(tmp_path: Path) -> None:
    error = system_errors.explain(fault(errno.ENOSPC, str(tmp_path / "gone" / "file")))
    assert error.what == f"{tmp_path}/gone/file: No space left on device"
    assert error.hint.startswith(f"free some space for {tmp_path} on the file system /")
    assert " MB are free" in error.hint


def test_of_a_copy_the_file_that_was_to_be_written_is_named(tmp_path: Path) -> None:
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        error = system_errors.explain(fault(number, "/cache/file", str(tmp_path / "copy")))
        assert error.what == f"{tmp_path}/copy: {os.strerror(number)}"
    # A source that cannot be read is what is wrong in all other cases.
    assert system_errors.explain(fault(errno.EACCES, "/cache/file", "/copy")).what.startswith("/cache/file: ")


def test_a_tree_that_could_not_be_copied_is_told_by_its_first_file(tmp_path: Path) -> None:
    reason = str(fault(errno.ENOSPC, str(tmp_path / "copy" / "a")))
    error = system_errors.explain(shutil.Error([("/from/a", str(tmp_path / "copy" / "a"), reason), ("x", "y", "z")]))
    assert error.what == f"{tmp_path}/copy/a: No space left on device"
    assert error.hint.startswith("free some space")
    assert system_errors.explain(shutil.Error("odd")).what == "odd"


def test_a_fault_without_a_name_shows_the_room_of_all_that_is_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/shm")
    error = system_errors.explain(fault(errno.ENOSPC))
    assert error.what == "No space left on device"
    assert "for /dev/shm on the file system /dev/shm, where " in error.hint and str(Path.cwd()) in error.hint


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.EROFS, "read-only"),
        (errno.EACCES, "who owns it"),
        (errno.EPERM, "who owns it"),
        (errno.ENAMETOOLONG, "shorter path"),
        (errno.EMFILE, "ulimit -n"),
        (errno.EAGAIN, "ulimit -u"),
        (errno.EFBIG, "ulimit -f"),
        (errno.ENOTDIR, "V=2"),
    ],
)
def test_each_fault_has_its_hint(number: int, hint: str) -> None:
    error = system_errors.explain(fault(number, "/x"))
    assert error.what == f"/x: {os.strerror(number)}"
    assert hint in error.hint


def test_writing_names_the_file(tmp_path: Path) -> None:
    # A device that is always full (full(4)).
    with (
        pytest.raises(OSError, match="No space") as caught,
        system_errors.naming(tmp_path / "file"),
        open("/dev/full", "wb") as stream,
    ):
        stream.write(b"x")
    assert caught.value.filename == str(tmp_path / "file")
    with pytest.raises(OSError) as caught, system_errors.naming(tmp_path / "file"):
        raise OSError(errno.ECONNRESET, "reset")
    assert caught.value.filename is None


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise fault(errno.ENOSPC)

    monkeypatch.setattr(os, "fchmod", full)
    with pytest.raises(OSError, match="No space") as caught:
        files.write_atomic(tmp_path / "file", b"x", 0o644)
    assert caught.value.filename == str(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_program_without_room_is_told_as_that(capsys: pytest.CaptureFixture[str]) -> None:
    def build() -> None:
        try:
            process.run(["cp", "/etc/passwd", "/dev/full"])
        except process.CommandError as error:
            raise UserError("six: cannot be built", "take its wheels", error.output) from None

    assert console.run_main(build) == 1
    error, hint = capsys.readouterr().err.splitlines()[-2:]
    assert error == "error: six: cannot be built"
    assert hint.startswith(" hint: No space left on device: free some space for ")


def test_other_programs_keep_their_hints(capsys: pytest.CaptureFixture[str]) -> None:
    def build() -> None:
        try:
            process.run(["false"])
        except process.CommandError as error:
            raise UserError("six: cannot be built", "mend it", error.output) from None

    console.run_main(build)
    assert capsys.readouterr().err == "error: six: cannot be built\n hint: mend it\n"


def test_a_note_of_somebody_else_is_no_hint() -> None:
    cause = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
    cause.add_note("decoding with 'utf-8-sig' codec failed")
    error = UserError("app/requirements.txt:1: not UTF-8 text", "save it as UTF-8")
    error.__context__ = cause
    assert system_errors.corrected(error) is error
