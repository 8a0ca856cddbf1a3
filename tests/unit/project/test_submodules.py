"""Submodules of a project, by a file that anybody may have written."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.project import submodules


def listed(root: Path, *paths: str) -> None:
    (root / ".gitmodules").write_text("".join(f'[submodule "{path}"]\n\tpath = {path}\n' for path in paths))


def test_they_are_read_in_their_order(tmp_path: Path) -> None:
    listed(tmp_path, "vendor", "a b/common", '"quoted"')
    assert submodules.paths(tmp_path) == ["vendor", "a b/common", "quoted"]
    assert list(submodules.uninitialised(tmp_path)) == []


@pytest.mark.parametrize("path", [".", "./", "..", "a/../..", "/", "/etc", "link", "link/below"])
def test_what_git_takes_for_none_is_none(tmp_path: Path, path: str) -> None:
    (tmp_path / "link").symlink_to(".")
    listed(tmp_path, path, "vendor")
    (tmp_path / "vendor").mkdir()
    assert submodules.paths(tmp_path) == ["vendor"]
    assert list(submodules.uninitialised(tmp_path)) == [tmp_path / "vendor"]
