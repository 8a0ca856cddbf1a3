"""The upstream tarball of a source package."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

from toolkit.core.deb822 import Paragraph
from toolkit.debian import source_package
from toolkit.project.changelog import Entry
from toolkit.project.debian_control import Control

CONTROL = Control(
    path=Path("debian/control"),
    source=Paragraph(fields={"source": "app"}, line=1),
    binaries={},
    changelog=Entry(
        path=Path("debian/changelog"),
        version="1:1.0-2",
        line=1,
        last=(5, " -- A <a@b.example>  Thu, 01 Jan 1970 00:01:40 +0000"),
    ),
    format="3.0 (quilt)",
)


def written(tree: Path, *names: str) -> Path:
    """Return the tarball of a tree that has files of these names."""
    for name in names:
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tree / "link").symlink_to("a")
    source_package.write_upstream_tarball(CONTROL, tree)
    return tree.parent / "app_1.0.orig.tar.gz"


def test_the_tarball_has_all_but_debian_and_tells_nothing_of_its_maker(tmp_path: Path) -> None:
    with tarfile.open(written(tmp_path / "tree", "a", "lib/debian/b", "debian/rules")) as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == [
        "app-1.0",
        "app-1.0/a",
        "app-1.0/lib",
        "app-1.0/lib/debian",
        "app-1.0/lib/debian/b",
        "app-1.0/link",
    ]
    assert {(member.uid, member.gid, member.uname, member.gname, member.mtime) for member in members} == {
        (0, 0, "", "", 100)
    }


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    one = written(tmp_path / "1" / "tree", "a", "b", "debian/rules")
    os.utime(tmp_path / "1" / "tree" / "a", (1, 1))
    assert written(tmp_path / "2" / "tree", "b", "a", "debian/rules").read_bytes() == one.read_bytes()
