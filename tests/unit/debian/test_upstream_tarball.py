"""The upstream tarball of a source package: made of what does not change, or the one that was published."""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.core.deb822 import Paragraph
from toolkit.core.errors import UserError
from toolkit.debian import upstream_tarball
from toolkit.project import changelog
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
    upstream_tarball.write(CONTROL, tree)
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


def test_a_second_revision_has_the_tarball_of_the_first() -> None:
    heading, last = "app (1:1.0-1) unstable; urgency=medium", " -- A <a@b.example>  Thu, 01 Jan 1970 00:01:40 +0000"
    first = f"{heading}\n\n  * One.\n\n{last}\n"
    older = first.replace("1.0-1", "0.9-1").replace("00:01:40", "00:00:40")
    second = first.replace("1.0-1", "1.0-2").replace("00:01:40", "00:02:40")
    path = Path("debian/changelog")
    entry = changelog.newest(f"{second}\n{first}\n{older}", path, "app")
    assert (entry.signature().timestamp, entry.upstream_since()) == (160, 100)
    assert changelog.newest(first, path, "app").upstream_since() == 100
    assert changelog.newest(f"{second}\n{older}", path, "app").upstream_since() == 160


class Place:
    """A project `work/app`, its exported tree, and the tarball that was made of it."""

    def __init__(self, directory: Path) -> None:
        self.project = directory / "work" / "app"
        self.dist = self.project / "dist"
        self.dist.mkdir(parents=True)
        self.tree = directory / "build" / "app-1.0"
        self.made = written(self.tree, "a", "b/c", "debian/rules")

    def publish(self, directory: Path, suffix: str = "xz") -> Path:
        """Put the tarball, of other bytes than ours, into a directory."""
        directory.mkdir(exist_ok=True)
        path = directory / f"app_1.0.orig.tar.{suffix}"
        with gzip.open(self.made) as source, lzma.open(path, "wb") as target:
            shutil.copyfileobj(source, target)
        self.made.unlink()
        return path

    def place(self) -> list[str]:
        upstream_tarball.place(CONTROL, self.tree, self.project, self.dist)
        return sorted(path.name for path in self.tree.parent.iterdir() if path.is_file())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_one_that_lies_beside_the_project_is_taken_with_its_signature(place: Place) -> None:
    published = place.publish(place.project.parent)
    published.with_name(f"{published.name}.asc").write_text("signed")
    assert place.place() == ["app_1.0.orig.tar.xz", "app_1.0.orig.tar.xz.asc"]
    assert (place.tree.parent / published.name).read_bytes() == published.read_bytes()


def test_one_of_an_earlier_revision_in_dist_is_taken(place: Place) -> None:
    published = place.publish(place.dist / "bookworm")
    assert place.place() == [published.name]


def test_one_of_another_version_or_source_is_not(place: Place) -> None:
    published = place.publish(place.project.parent)
    for name in ("app_1.0.1.orig.tar.xz", "app-x_1.0.orig.tar.xz", "app_1.0.orig.tar.xz.asc", "app_1x0.orig.tar.xz"):
        shutil.copy(published, published.with_name(name))
    published.unlink()
    assert place.place() == ["app_1.0.orig.tar.gz"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda tree: (tree / "a").write_text("other"), "a differs"),
        (lambda tree: (tree / "a").chmod(0o755), "a differs"),
        (lambda tree: (tree / "b/c").unlink(), "b/c is in the tarball alone"),
        (lambda tree: (tree / "b/new").write_text(""), "b/new is in the project alone"),
        (lambda tree: ((tree / "link").unlink(), (tree / "link").symlink_to("b")), "link differs"),
        (lambda tree: ((tree / "a").unlink(), (tree / "a").symlink_to("b")), "a differs"),
        (lambda tree: ((tree / "a").unlink(), (tree / "b/c").unlink()), "a is in the tarball alone and 1 more"),
    ],
)
def test_a_project_that_is_not_what_was_published_is_an_error(
    place: Place, change: Callable[[Path], object], told: str
) -> None:
    published = place.publish(place.project.parent)
    change(place.tree)
    with pytest.raises(UserError) as caught:
        place.place()
    assert caught.value.what == f"{published}: the project is not what this tarball holds of 1.0: {told}"


def test_what_changed_in_debian_alone_is_no_difference(place: Place) -> None:
    published = place.publish(place.project.parent)
    (place.tree / "debian/control").write_text("new")
    assert place.place() == [published.name]


def test_a_version_that_is_built_again_with_other_files_gets_a_new_one(place: Place) -> None:
    published = place.publish(place.dist)
    (place.tree / "a").write_text("other")
    (place.dist / "app_1.0-2.dsc").touch()
    assert place.place() == ["app_1.0.orig.tar.gz"]
    (place.dist / "app_1.0-2.dsc").rename(place.dist / "app_1.0-1.dsc")
    with pytest.raises(UserError, match=f"{published}: the project is not what"):
        place.place()


@pytest.mark.parametrize("content", [b"", b"no tarball", b"\xfd7zXZ\x00\x00", None])
def test_what_is_no_tarball_is_named(place: Place, content: bytes | None) -> None:
    published = place.publish(place.project.parent)
    whole = published.read_bytes()
    published.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(UserError, match=f"{published}: not a sound tarball"):
        place.place()


def repack(
    published: Path, change: Callable[[tarfile.TarInfo], tarfile.TarInfo | None], *more: tarfile.TarInfo
) -> None:
    """Write a tarball again, its members changed, with more of them."""
    with tarfile.open(published) as old, tarfile.open(published.with_name("new"), "w:xz") as new:
        for member in old:
            content = old.extractfile(member) if member.isfile() else None
            if changed := change(member):
                new.addfile(changed, content)
        for member in more:
            new.addfile(member)
    published.with_name("new").replace(published)


def test_a_debian_directory_in_it_and_no_top_directory_are_no_difference(place: Place) -> None:
    published = place.publish(place.project.parent)
    repack(published, lambda member: member, tarfile.TarInfo("app-1.0/debian/rules"))
    assert place.place() == [published.name]

    def flat(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        member.name = member.name.removeprefix("app-1.0").lstrip("/")
        return member if member.name else None

    repack(published, flat)
    assert place.place() == [published.name]


def test_a_hard_link_to_nowhere_is_no_sound_tarball(place: Place) -> None:
    published = place.publish(place.project.parent)
    link = tarfile.TarInfo("app-1.0/d")
    link.type, link.linkname = tarfile.LNKTYPE, "app-1.0/nowhere"
    repack(published, lambda member: member, link)
    with pytest.raises(UserError, match=f"{published}: not a sound tarball"):
        place.place()
