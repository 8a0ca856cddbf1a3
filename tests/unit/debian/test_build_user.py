"""Who makes chroots and builds in them, and where."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.debian import build_user
from toolkit.debian.build_user import Account


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Account:
    """Return this user, with their directories below the test's."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return Account(name="me", uid=os.getuid(), gid=os.getgid(), is_other=False)


@pytest.fixture
def ranges(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for variable, name in (("SUBUID", "subuid"), ("SUBGID", "subgid")):
        (tmp_path / name).write_text("")
        monkeypatch.setattr(build_user, variable, tmp_path / name)
    monkeypatch.setattr(build_user, "_PROGRAMS", ())
    return tmp_path


def test_a_user_without_a_range_is_told_the_command_that_gives_one(
    monkeypatch: pytest.MonkeyPatch, ranges: Path
) -> None:
    (ranges / "subuid").write_text("a:100000:65536\nb:300000:1000\n")
    monkeypatch.setattr(build_user, "SYSTEM_USER", "nobody")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UserError) as caught:
        build_user.account()
    assert caught.value.what.startswith("nobody has no range of ids")
    assert caught.value.hint.endswith("usermod --add-subuids 301000-366535 --add-subgids 301000-366535 nobody")


def test_root_works_as_another_user(monkeypatch: pytest.MonkeyPatch, ranges: Path) -> None:
    for name in ("subuid", "subgid"):
        (ranges / name).write_text("nobody:100000:65536\n")
    monkeypatch.setattr(build_user, "SYSTEM_USER", "nobody")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    account = build_user.account()
    assert account.is_other
    assert account.command(["x"])[:3] == ["setpriv", "--reuid", str(account.uid)]


def test_root_is_told_when_that_user_is_missing(monkeypatch: pytest.MonkeyPatch, ranges: Path) -> None:
    monkeypatch.setattr(build_user, "SYSTEM_USER", "no-such-user")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UserError, match="there is no user no-such-user") as caught:
        build_user.account()
    assert "make setup" in caught.value.hint


def test_missing_tools_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_user, "PATH", "/none")
    with pytest.raises(UserError, match="lacks what chroots need: mmdebstrap sbuild uidmap zstd\n"):
        build_user.account()


def test_commands_see_proxies_but_no_settings_of_the_caller(
    user: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    found = user.environment(tmp_path)
    assert found["http_proxy"] == "http://proxy.example:3128"
    assert "PYTHONPATH" not in found
    assert found["HOME"] == str(tmp_path)


def test_the_workspace_is_open_to_the_users_of_a_chroot_and_gone_afterwards(user: Account, tmp_path: Path) -> None:
    with build_user.workspace(user) as base:
        assert base.parent == tmp_path
        assert base.stat().st_mode & 0o777 == 0o755
        (base / "root").mkdir()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_removed_but_not_what_is_in_use(user: Account, tmp_path: Path) -> None:
    left, used, foreign = (tmp_path / name for name in ("python-common-left.tmp", "python-common-used.tmp", "other"))
    for path in (left, used, foreign):
        (path / "root").mkdir(parents=True)
    descriptor = os.open(used, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with build_user.workspace(user):
            assert [path.exists() for path in (left, used, foreign)] == [False, True, True]
            # What the killed run had started was still writing.
            (left / "root").mkdir(parents=True)
        assert [path.exists() for path in (left, used, foreign)] == [False, True, True]
    finally:
        os.close(descriptor)
