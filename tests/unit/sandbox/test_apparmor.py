"""Where AppArmor bars user namespaces, bubblewrap gets a profile, once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from toolkit.core import process
from toolkit.sandbox import apparmor


@pytest.mark.parametrize(("restriction", "expected"), [("1\n", True), ("0\n", False), (None, False)])
def test_a_profile_is_missing_where_namespaces_are_barred(
    tmp_path: Path, restriction: str | None, *, expected: bool
) -> None:
    if restriction is not None:
        (tmp_path / "restriction").write_text(restriction)
    (tmp_path / "profiles").mkdir()
    assert apparmor.is_missing(tmp_path / "restriction", tmp_path / "profiles") is expected


def test_one_that_is_there_will_do_whoever_wrote_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "restriction").write_text("1\n")
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    started: list[object] = []
    monkeypatch.setattr(process, "run", started.append)
    apparmor.install(profiles)
    assert not apparmor.is_missing(tmp_path / "restriction", profiles)
    assert started == [["apparmor_parser", "--replace", profiles / "python-common-bwrap"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("profile bwrap /usr/bin/bwrap flags=(attach_disconnected,mediate_deleted) {\n  userns,\n}\n", False),
        ("/usr/bin/bwrap flags=(unconfined) {\n  userns,\n}\n", False),
        ("profile viewer /usr/bin/viewer {\n  /usr/bin/bwrap ix,\n}\n", True),
        ("# profile bwrap /usr/bin/bwrap {\n", True),
    ],
)
def test_a_profile_of_another_program_that_starts_it_will_not_do(tmp_path: Path, text: str, *, expected: bool) -> None:
    (tmp_path / "restriction").write_text("1\n")
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/some").write_text(text)
    assert apparmor.is_missing(tmp_path / "restriction", tmp_path / "profiles") is expected


def test_the_line_for_root_writes_the_same_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for path in (first, second):
        path.mkdir()
    monkeypatch.setattr(process, "run", lambda _: "")
    apparmor.install(first)
    line = apparmor.commands(second).partition(" && ")[0]
    subprocess.run(["sh", "-c", line], check=True)
    assert [path.read_text() for path in first.iterdir()] == [path.read_text() for path in second.iterdir()]
