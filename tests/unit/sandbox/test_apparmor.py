"""Where AppArmor bars user namespaces, bubblewrap gets a profile, once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from toolkit.core import process
from toolkit.sandbox import apparmor, confined


@pytest.fixture(autouse=True)
def parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where AppArmor's own program is."""
    path = tmp_path / "sbin"
    path.mkdir()
    (path / "apparmor_parser").touch(0o755)
    monkeypatch.setattr(apparmor, "_PATH", str(path))
    return path / "apparmor_parser"


@pytest.mark.parametrize(("restriction", "expected"), [("1\n", True), ("0\n", False), (None, False)])
def test_a_profile_is_missing_where_namespaces_are_barred(
    tmp_path: Path, restriction: str | None, *, expected: bool
) -> None:
    if restriction is not None:
        (tmp_path / "restriction").write_text(restriction)
    (tmp_path / "profiles").mkdir()
    assert apparmor.is_missing(tmp_path / "restriction", tmp_path / "profiles") is expected


def test_a_container_that_has_no_apparmor_of_its_own_lacks_nothing(tmp_path: Path, parser: Path) -> None:
    (tmp_path / "restriction").write_text("1\n")
    assert not apparmor.is_missing(tmp_path / "restriction", tmp_path / "profiles")
    (tmp_path / "profiles").mkdir()
    parser.unlink()
    assert not apparmor.is_missing(tmp_path / "restriction", tmp_path / "profiles")


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


@pytest.mark.parametrize(
    ("missing", "barring", "user", "expected"),
    [
        (True, True, 1000, "run `make setup`, which lets bubblewrap make them past this system's AppArmor"),
        (False, True, 1000, "as root, on the host: `sysctl kernel.apparmor_restrict_unprivileged_userns=0`"),
        (False, True, 0, "in a container, let it make namespaces"),
    ],
)
def test_who_has_no_sandbox_is_told_what_helps(
    monkeypatch: pytest.MonkeyPatch, user: int, expected: str, *, missing: bool, barring: bool
) -> None:
    monkeypatch.setattr(apparmor, "is_missing", lambda: missing)
    monkeypatch.setattr(apparmor, "is_barring", lambda: barring)
    monkeypatch.setattr(confined, "_kernel_says", lambda _: "")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert confined._advice().startswith(expected)
