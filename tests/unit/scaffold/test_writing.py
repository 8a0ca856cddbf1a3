"""New files beside a project's own."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from toolkit.core.errors import UserError
from toolkit.scaffold import writing
from toolkit.scaffold.templates import Entry

CONTROL = "Source: mail\n\nPackage: one\n# said by hand\nDescription: ünd\n"
PART = "Package: two\nArchitecture: any\n"


def entry(path: str, text: str = "", **kind: bool) -> Entry:
    return Entry(path=PurePosixPath(path), text=text, **kind)  # type: ignore[arg-type]


ENTRIES = [
    entry("debian/control", "Source: mail\n"),
    entry("debian/control", PART, is_part=True),
    entry("service/setup.py", "setup()\n"),
    entry("service/bin/run", "#!/bin/sh\n", is_executable=True),
    Entry(path=PurePosixPath("Makefile"), link="common/project.mk"),
]


def snapshot(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): os.readlink(path) if path.is_symlink() else path.read_text()
        for path in root.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def verbs(root: Path) -> dict[str, str]:
    return {str(change.entry.path): change.verb for change in writing.plan(root, ENTRIES)}


def test_what_is_missing_is_written(tmp_path: Path) -> None:
    written = writing.apply(tmp_path, writing.plan(tmp_path, ENTRIES))
    assert written == ["Makefile", "debian/control", "service/bin/run", "service/setup.py"]
    assert snapshot(tmp_path) == {
        "Makefile": "common/project.mk",
        "debian/control": f"Source: mail\n\n{PART}",
        "service/setup.py": "setup()\n",
        "service/bin/run": "#!/bin/sh\n",
    }
    assert os.access(tmp_path / "service/bin/run", os.X_OK)
    assert not os.access(tmp_path / "service/setup.py", os.X_OK)


def test_the_second_time_everything_is_kept(tmp_path: Path) -> None:
    writing.apply(tmp_path, writing.plan(tmp_path, ENTRIES))
    before = snapshot(tmp_path)
    assert set(verbs(tmp_path).values()) == {"KEEP"}
    assert writing.apply(tmp_path, writing.plan(tmp_path, ENTRIES)) == []
    assert snapshot(tmp_path) == before


def test_a_changed_file_is_kept_and_told_from_one_that_is_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writing.apply(tmp_path, writing.plan(tmp_path, ENTRIES))
    (tmp_path / "service/setup.py").write_text("mine\n")
    (tmp_path / "Makefile").unlink()
    (tmp_path / "Makefile").write_text("include common/project.mk\n")
    changes = writing.plan(tmp_path, ENTRIES)
    writing.report(changes)
    writing.apply(tmp_path, changes)
    assert capsys.readouterr().out == (
        "  KEEP    Makefile: it is not as it would be written\n"
        "  KEEP    debian/control\n"
        "  KEEP    service/bin/run\n"
        "  KEEP    service/setup.py: it is not as it would be written\n"
    )
    assert (tmp_path / "service/setup.py").read_text() == "mine\n"


@pytest.mark.parametrize("end", ["", "\n", "\n\n\n"])
def test_a_part_goes_to_the_end_of_what_is_there_and_the_rest_stays(tmp_path: Path, end: str) -> None:
    control = tmp_path / "debian/control"
    control.parent.mkdir()
    control.write_bytes((CONTROL.rstrip() + end).encode() + b"")
    control.chmod(0o640)
    assert verbs(tmp_path)["debian/control"] == "ADD"
    writing.apply(tmp_path, writing.plan(tmp_path, ENTRIES))
    assert control.read_text() == f"{CONTROL}\n{PART}"
    assert control.stat().st_mode & 0o777 == 0o640


def test_bytes_of_another_encoding_survive(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"caf\xe9\n")
    writing.apply(tmp_path, writing.plan(tmp_path, [entry("list", "item\n", is_part=True)]))
    assert (tmp_path / "list").read_bytes() == b"caf\xe9\n\nitem\n"


def test_a_link_to_a_shared_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("first\n")
    (tmp_path / "list").symlink_to("shared")
    writing.apply(tmp_path, writing.plan(tmp_path, [entry("list", "item\n", is_part=True)]))
    assert (tmp_path / "list").is_symlink()
    assert (tmp_path / "shared").read_text() == "first\n\nitem\n"


def test_a_file_where_a_directory_has_to_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "service").write_text("")
    with pytest.raises(UserError, match=f"{tmp_path}/service: not a directory\n"):
        writing.plan(tmp_path, ENTRIES)


def test_nothing_is_left_when_it_fails_half_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian/control").write_text(CONTROL)
    (tmp_path / "debian/tests").write_text("Tests: one\n")
    before = snapshot(tmp_path)
    changes = writing.plan(tmp_path, [*ENTRIES, entry("debian/tests", "Tests: two\n", is_part=True)])
    rename = os.replace

    def fail(source: Path, target: Path) -> None:
        if Path(target) == tmp_path / "debian/tests" and Path(source).name == "tests":
            assert (tmp_path / "debian/control").read_text() != CONTROL
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        writing.apply(tmp_path, changes)
    assert snapshot(tmp_path) == before
    assert not (tmp_path / "service").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["debian"]
