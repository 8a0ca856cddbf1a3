"""What `make setup` would install, and how it asks for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolkit.core import debian_packages, process
from toolkit.core.errors import UserError
from toolkit.debian import build_user
from toolkit.debian import machine_setup as system_packages
from toolkit.sandbox import apparmor
from toolkit.verbs import command_line


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the commands that would have been run."""
    found: list[list[str]] = []
    monkeypatch.setattr(process, "run", lambda words, **options: found.append(list(words)))
    return found


def test_the_list_gives_a_reason_for_every_package() -> None:
    packages = debian_packages.read(["build", "sbuild", "test"])
    assert {"debhelper", "python3-packaging", "mmdebstrap"} <= packages.keys()
    assert all(packages.values())


def test_packages_that_only_chroots_need_are_left_out_of_a_build() -> None:
    assert "mmdebstrap" not in debian_packages.read(["build"])


def test_installs_what_is_missing_and_only_that(
    monkeypatch: pytest.MonkeyPatch, commands: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = debian_packages.read(["build"])
    monkeypatch.setattr(system_packages, "read_installed", lambda: set(wanted) - {"debhelper", "git"})
    monkeypatch.setattr(system_packages, "are_lists_old", lambda directory, now: False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert command_line.main(["setup", "--groups", "build"]) == 0
    [command] = commands
    assert command[0] == "apt-get"
    assert command[-2:] == ["debhelper", "git"]
    printed = capsys.readouterr().out
    assert printed.startswith("  SETUP   this machine lacks:\n")
    assert wanted["debhelper"] in printed


def test_says_so_and_runs_nothing_when_all_is_there(
    monkeypatch: pytest.MonkeyPatch, commands: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system_packages, "read_installed", lambda: set(debian_packages.read(["build"])))
    assert command_line.main(["setup", "--groups", "build"]) == 0
    assert (commands, capsys.readouterr().out) == ([], "  SETUP   nothing is missing\n")


def test_fetches_the_lists_first_when_they_are_old(monkeypatch: pytest.MonkeyPatch, commands: list[list[str]]) -> None:
    monkeypatch.setattr(system_packages, "are_lists_old", lambda directory, now: True)
    system_packages.install(["git"])
    assert [command[-1] for command in commands] == ["update", "git"]


def test_lists_are_old_when_there_are_none_or_a_day_has_passed(tmp_path: Path) -> None:
    now = tmp_path.stat().st_mtime
    assert system_packages.are_lists_old(tmp_path, now)
    (tmp_path / "example_dists_bookworm_main_binary-amd64_Packages.lz4").touch()
    os.utime(tmp_path, (now, now))
    assert not system_packages.are_lists_old(tmp_path, now + 3600)
    assert system_packages.are_lists_old(tmp_path, now + 2 * 24 * 3600)


def test_becomes_root_through_sudo_in_the_same_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sudo").write_text("")
    (tmp_path / "sudo").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execvp", lambda program, words: started.append(words))
    monkeypatch.setattr("sys.argv", ["verb.py", "setup", "--groups", "build"])
    system_packages.become_root("apt-get install git")
    [words] = started
    assert words[0] == "sudo"
    assert words[-4:] == ["verb.py", "setup", "--groups", "build"]


def test_without_sudo_says_what_root_has_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError) as caught:
        system_packages.become_root("apt-get install debhelper git")
    assert caught.value.hint == "run as root: apt-get install debhelper git"


def test_a_machine_without_dpkg_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="dpkg-query"):
        system_packages.read_installed()


@pytest.fixture
def ranges(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a directory with files of subordinate ids, where one user has a range."""
    for variable, name in (("SUBUID", "subuid"), ("SUBGID", "subgid")):
        (tmp_path / name).write_text("somebody:100000:65536\n")
        monkeypatch.setattr(build_user, variable, tmp_path / name)
    return tmp_path


def test_prepares_the_user_that_acts_for_root_and_the_one_behind_sudo(
    monkeypatch: pytest.MonkeyPatch, ranges: Path, commands: list[list[str]]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "developer")
    assert system_packages.unprepared_users() == ["sbuild", "developer"]
    monkeypatch.setenv("SUDO_USER", "somebody")
    assert system_packages.unprepared_users() == ["sbuild"]
    system_packages.prepare_user("no-such-user")
    ids = "165536-231071"
    assert commands == [
        ["useradd", "--system", "--user-group", "--shell", "/usr/sbin/nologin", "no-such-user"],
        ["usermod", "--add-subuids", ids, "--add-subgids", ids, "no-such-user"],
    ]


def test_a_range_of_group_ids_is_wanted_too(monkeypatch: pytest.MonkeyPatch, ranges: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "somebody")
    (ranges / "subgid").write_text("")
    assert system_packages.unprepared_users() == ["sbuild", "somebody"]


@pytest.mark.parametrize("user", [0, 1000])
def test_where_apparmor_bars_namespaces_bubblewrap_gets_a_profile(
    user: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, commands: list[list[str]]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(system_packages, "read_installed", lambda: {*debian_packages.read(["build"])})
    installed: list[str] = []
    monkeypatch.setattr(apparmor, "is_missing", lambda: True)
    monkeypatch.setattr(apparmor, "install", lambda: installed.append("profile"))
    if user == 0:
        system_packages.run(["build"])
        assert (installed, commands) == (["profile"], [])
    else:
        with pytest.raises(UserError) as caught:
            system_packages.run(["build"])
        assert caught.value.hint == f"run as root: {apparmor.commands()}"
        assert not installed
