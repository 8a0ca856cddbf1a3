"""An update of a scaffold is done whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from toolkit.scaffold import update
from toolkit.scaffold.merging import File, Step


def snapshot(root: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(root)): (
            os.readlink(path) if path.is_symlink() else path.read_text(),
            path.lstat().st_mode & 0o777,
        )
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture
def steps(tmp_path: Path) -> list[Step]:
    for name in ("plain", "script", "in/gone"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old\n")
    (tmp_path / "plain").chmod(0o640)
    (tmp_path / "link").symlink_to("plain")
    old, new = File(content=b"old\n"), File(content=b"new\n")
    return [
        Step(verb="UPDATE", path=PurePosixPath("plain"), old=old, new=new),
        Step(verb="UPDATE", path=PurePosixPath("script"), old=old, new=File(content=b"new\n", is_executable=True)),
        Step(verb="UPDATE", path=PurePosixPath("link"), old=File(link="plain"), new=File(content=b"a file\n")),
        Step(verb="REMOVE", path=PurePosixPath("in/gone"), old=old),
        Step(verb="WRITE", path=PurePosixPath("new/file"), new=new),
        Step(verb="KEEP", path=PurePosixPath("kept"), old=old, new=old),
    ]


def test_files_are_as_they_are_planned(tmp_path: Path, steps: list[Step], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.core.git.note_new", lambda root, paths: None)
    update.apply(tmp_path, steps)
    assert snapshot(tmp_path) == {
        "link": ("a file\n", 0o644),
        "new/file": ("new\n", 0o644),
        "plain": ("new\n", 0o640),
        "script": ("new\n", 0o755),
    }
    assert not (tmp_path / "in").exists()


def test_when_anything_fails_all_is_as_it_was(tmp_path: Path, steps: list[Step]) -> None:
    before = snapshot(tmp_path)
    with pytest.raises(OSError, match="plain/below"):
        update.apply(tmp_path, [*steps, Step(verb="WRITE", path=PurePosixPath("plain/below"), new=File(content=b"x"))])
    assert snapshot(tmp_path) == before
