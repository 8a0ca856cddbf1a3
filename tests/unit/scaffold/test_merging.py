"""Three-way merges of what templates gave: what people have changed stays."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from toolkit.core.errors import UserError
from toolkit.scaffold import merging
from toolkit.scaffold.merging import File, Step
from toolkit.scaffold.templates import Entry

OLD = b"one\ntwo\nthree\nfour\nfive\nsix\n"
NEW = OLD.replace(b"six", b"6")
MINE = OLD.replace(b"one", b"1")
LINK = File(link="common/x")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def plan(scratch: Path, ours: File | None, base: File | None, theirs: File | None) -> Step | None:
    """Return what is done with one file."""
    root = scratch.parent / "project"
    root.mkdir()
    if ours and ours.link:
        (root / "f").symlink_to(ours.link)
    elif ours:
        (root / "f").write_bytes(ours.content)
        (root / "f").chmod(0o755 if ours.is_executable else 0o644)
    base_files, their_files = ({PurePosixPath("f"): file} if file else {} for file in (base, theirs))
    found = merging.plan(root, base_files, their_files, scratch)
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize("ours", [None, File(content=OLD), File(content=MINE), LINK])
def test_what_the_templates_have_not_changed_stays_as_people_have_it(scratch: Path, ours: File | None) -> None:
    assert plan(scratch, ours, File(content=OLD), File(content=OLD)) is None


@pytest.mark.parametrize("base", [None, File(content=OLD), LINK])
def test_what_is_so_already_needs_nothing(scratch: Path, base: File | None) -> None:
    assert plan(scratch, File(content=NEW), base, File(content=NEW)) is None


@pytest.mark.parametrize(
    ("base", "theirs", "verb"),
    [
        (None, File(content=NEW), "WRITE"),
        (File(content=OLD), File(content=NEW), "UPDATE"),
        (LINK, File(content=NEW), "UPDATE"),
        (File(content=OLD), LINK, "UPDATE"),
        (File(content=OLD), File(content=OLD, is_executable=True), "UPDATE"),
        (File(content=OLD), None, "REMOVE"),
    ],
)
def test_what_nobody_has_changed_follows_the_templates(
    scratch: Path, base: File | None, theirs: File | None, verb: str
) -> None:
    found = plan(scratch, base, base, theirs)
    assert found
    assert (found.verb, found.old, found.new) == (verb, base, theirs)


@pytest.mark.parametrize(
    ("ours", "base", "theirs", "note"),
    [
        (None, File(content=OLD), File(content=NEW), "it was removed here, and has changed in the templates"),
        (File(content=MINE), File(content=OLD), None, "it was changed here, and the templates have it no more"),
        (File(content=MINE), None, File(content=NEW), "it is not from a template"),
        (File(content=MINE), LINK, File(content=NEW), "it is yours: the templates had a link, or have one now"),
        (LINK, File(content=OLD), File(content=NEW), "it is yours: the templates had a link, or have one now"),
        (File(content=b"\0"), File(content=OLD), File(content=NEW), "it cannot be merged: it is no text"),
    ],
)
def test_what_cannot_be_merged_stays_and_is_said(
    scratch: Path, ours: File | None, base: File | None, theirs: File | None, note: str
) -> None:
    found = plan(scratch, ours, base, theirs)
    assert found
    assert (found.verb, found.new, found.note) == ("KEEP", ours, note)


def test_changes_of_both_sides_are_merged(scratch: Path) -> None:
    found = plan(scratch, File(content=MINE), File(content=OLD), File(content=NEW))
    assert found
    assert (found.verb, found.new) == ("MERGE", File(content=OLD.replace(b"one", b"1").replace(b"six", b"6")))


@pytest.mark.parametrize(
    ("ours", "theirs", "wanted"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_who_changes_the_mode_decides_it(scratch: Path, ours: bool, theirs: bool, wanted: bool) -> None:
    found = plan(
        scratch, File(content=MINE, is_executable=ours), File(content=OLD), File(content=NEW, is_executable=theirs)
    )
    assert found
    assert found.new
    assert found.new.is_executable is wanted


def test_a_conflict_is_marked_as_git_does(scratch: Path) -> None:
    found = plan(scratch, File(content=b"mine\n"), File(content=b"old\n"), File(content=b"new\n"))
    assert found
    assert found.new
    assert found.verb == "CLASH"
    assert found.new.content == b"<<<<<<< here\nmine\n=======\nnew\n>>>>>>> templates now\n"


@pytest.mark.parametrize(("ours", "content"), [(OLD, NEW), (MINE, MINE.replace(b"six", b"6"))])
def test_a_file_that_has_another_name_now_takes_along_what_was_changed(
    scratch: Path, ours: bytes, content: bytes
) -> None:
    root = scratch.parent
    (root / "old").write_bytes(ours)
    base = {PurePosixPath("old"): File(content=OLD), PurePosixPath("other"): File(content=b"x\n")}
    theirs = {PurePosixPath("new"): File(content=NEW), PurePosixPath("more"): File(content=b"y\n")}
    new, removed = (step for step in merging.plan(root, base, theirs, scratch) if step.path.name in ("new", "old"))
    assert (new.old, new.new, new.note) == (None, File(content=content), "was old")
    assert (removed.verb, removed.note) == ("REMOVE", "it is new now")


def test_a_file_that_was_removed_does_not_come_back_under_another_name(scratch: Path) -> None:
    base, theirs = {PurePosixPath("old"): File(content=OLD)}, {PurePosixPath("new"): File(content=NEW)}
    found = merging.plan(scratch.parent, base, theirs, scratch)
    assert [(step.verb, step.path.name) for step in found] == [("KEEP", "new")]


def test_parts_stand_in_the_order_in_which_a_project_has_them(tmp_path: Path) -> None:
    entries = [
        Entry(path=PurePosixPath("control"), text="Source: x\n"),
        *(Entry(path=PurePosixPath("control"), text=f"# why\n{name}\n", is_part=True) for name in ("a", "b", "c")),
    ]
    (tmp_path / "control").write_text("Source: x\n\nb\n\na\nmore\n")
    found = merging.compose(entries, tmp_path)[PurePosixPath("control")]
    assert found.content == b"Source: x\n\n# why\nb\n\n# why\na\n\n# why\nc\n"


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", ".git/hooks/x", "a/../../x"])
def test_no_path_leads_out_of_the_project(tmp_path: Path, path: str) -> None:
    with pytest.raises(UserError, match="not a path in the project"):
        merging.compose([Entry(path=PurePosixPath(path), text="x")], tmp_path)


def test_a_directory_in_the_way_is_refused(scratch: Path) -> None:
    (scratch.parent / "f").mkdir()
    with pytest.raises(UserError, match="a directory, where a file"):
        merging.plan(scratch.parent, {}, {PurePosixPath("f"): File(content=NEW)}, scratch)
