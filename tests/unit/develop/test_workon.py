"""Where environments stand, under which names, and what becomes of the one that was there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from toolkit.core import files
from toolkit.core.errors import UserError
from toolkit.develop import workon
from toolkit.develop.workon import Check, Link, State

STATE = State(
    project="/project",
    interpreter="/usr/bin/python3",
    full_version="3.11.2",
    distributions={"one": "1"},
    links=("bin/yc-app",),
    linked={
        "app": Link(
            identity="2",
            information="app-1.dist-info",
            roots=("/project/app",),
            mapped={"acme.mapped": "/project/app/code"},
            merges=True,
            modules=("yc_app", "acme.mapped"),
            commands={"app-run": "yc_app:run"},
            scripts={"tool": "/project/app/tools/tool"},
        )
    },
    check=Check(key="3", problems=("yc_app cannot be imported",)),
)


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    (tmp_path / "shop" / "bin").mkdir(parents=True)
    (tmp_path / "shop" / "bin" / "python").write_text("old")
    return tmp_path / "shop"


@pytest.mark.parametrize("name", ["shop", "shop-2.0", "mail_relay", "мой проект", "a b"])
def test_names_that_workon_takes(name: str) -> None:
    assert workon.check_name(name) == name


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "-n", "a\nb", "$HOME", "`id`", " a", "it's"])
def test_names_that_no_directory_or_no_shell_takes(name: str) -> None:
    with pytest.raises(UserError, match="is no name for an environment"):
        workon.check_name(name)


def test_the_home_is_where_virtualenvwrapper_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKON_HOME", str(tmp_path / "new" / "home"))
    assert workon.home() == tmp_path / "new" / "home"
    monkeypatch.delenv("WORKON_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert workon.home() == tmp_path / ".virtualenvs"


def test_a_home_that_is_a_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WORKON_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(UserError, match="environments cannot be kept here") as caught:
        workon.home()
    assert "WORKON_HOME" in caught.value.hint


def test_what_was_written_is_read(prefix: Path) -> None:
    workon.write(prefix, STATE)
    assert workon.read(prefix) == STATE


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 0}', '{"format": 1, "links": [], "linked": []}'])
def test_an_unfinished_environment_is_ours_without_a_state(prefix: Path, content: str) -> None:
    (prefix / ".python-common.json").write_text(content)
    assert workon.is_ours(prefix)
    assert workon.read(prefix) is None


@pytest.mark.parametrize("anew", [True, False])
def test_the_old_environment_stays_when_the_new_one_fails(prefix: Path, *, anew: bool) -> None:
    with pytest.raises(RuntimeError), workon.replacing(prefix, anew=anew) as root:
        (root / "bin").mkdir(parents=True, exist_ok=True)
        (root / "bin" / "other").write_text("new")
        raise RuntimeError
    assert [path.name for path in (prefix / "bin").iterdir()] == ["python"]
    assert os.listdir(prefix.parent) == ["shop"]


def test_until_the_new_one_is_whole_the_old_one_is_there(prefix: Path) -> None:
    (prefix / "bin" / "python3").symlink_to("python")
    with workon.replacing(prefix, anew=False) as root:
        files.write_atomic(root / "bin" / "python", "new")
        assert (prefix / "bin" / "python3").read_text() == "old"
    assert (prefix / "bin" / "python3").read_text() == "new"
    assert os.listdir(prefix.parent) == ["shop"]


def test_a_new_environment_takes_the_users_hooks_along(prefix: Path) -> None:
    (prefix / "bin" / "postactivate").write_text("export MINE=1\n")
    with workon.replacing(prefix, anew=True) as root:
        (root / "bin").mkdir(parents=True)
    assert (prefix / "bin" / "postactivate").read_text() == "export MINE=1\n"
    assert not (prefix / "bin" / "python").exists()
    assert os.listdir(prefix.parent) == ["shop"]


def test_what_killed_runs_have_left_goes(prefix: Path) -> None:
    (prefix.parent / ".shop-x1y2z3.tmp" / "shop").mkdir(parents=True)
    workon.recover(prefix)
    assert (prefix / "bin" / "python").read_text() == "old"
    assert os.listdir(prefix.parent) == ["shop"]


def test_what_a_killed_run_has_put_aside_comes_back(prefix: Path) -> None:
    prefix.rename(prefix.with_name(".shop.old"))
    workon.recover(prefix)
    assert (prefix / "bin" / "python").read_text() == "old"
    assert os.listdir(prefix.parent) == ["shop"]


@pytest.mark.parametrize(
    "change",
    [
        {"links": ["../../outside"]},
        {"links": ["bin/../../outside"]},
        {"links": ["bin/.."]},
        {"links": "abc"},
        {"distributions": []},
        {"distributions": {"one": 1}},
        {"personal": 5},
        {"linked": [1]},
        {"linked": {"app": 1}},
        {"linked": {"app": {"identity": "1", "information": "../outside.dist-info"}}},
        {"check": {"key": 1}},
        {"format": True},
        {"project": None},
    ],
    ids=str,
)
def test_a_state_that_was_edited_is_none(prefix: Path, change: dict[str, object]) -> None:
    workon.write(prefix, STATE)
    path = prefix / ".python-common.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **change}))
    assert workon.read(prefix) is None


def test_a_state_that_is_nested_deeply_is_none(prefix: Path) -> None:
    (prefix / ".python-common.json").write_text("[" * 100_000)
    assert workon.read(prefix) is None
