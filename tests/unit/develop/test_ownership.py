"""Projects of one name have an environment each, and find their own again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.develop import ownership, workon
from toolkit.develop.workon import State


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKON_HOME", str(tmp_path / "envs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def make(root: Path, name: str | None = None, *, force: bool = False) -> str:
    """Make an environment as far as its owner is concerned, and return its name."""
    root.mkdir(parents=True, exist_ok=True)
    with ownership.reserved(root.resolve(), name, force=force) as prefix:
        prefix.mkdir(parents=True, exist_ok=True)
        workon.write(prefix, State(project=str(root.resolve()), interpreter="", full_version=""))
    return prefix.name


def test_the_name_is_the_directorys(top: Path) -> None:
    assert make(top / "a" / "shop") == "shop"
    assert make(top / "a" / "shop") == "shop"
    assert ownership.own(top / "a" / "shop") == top / "envs" / "shop"
    assert ownership.own(top / "b" / "shop") is None


def test_a_second_project_of_the_name_has_another_and_is_told(top: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(top / "a" / "shop")
    assert capsys.readouterr().out == ""
    assert make(top / "b" / "shop") == "shop-b"
    assert capsys.readouterr().out == (f"shop is the environment of {top}/a/shop, so that of {top}/b/shop is shop-b\n")
    assert make(top / "a" / "shop") == "shop"
    assert make(top / "b" / "shop") == "shop-b"


def test_directories_of_one_name_are_told_apart_by_a_number(top: Path) -> None:
    names = [make(top / each / "b" / "shop") for each in "abcd"]
    assert names == ["shop", "shop-b", "shop-2", "shop-3"]
    assert [make(top / each / "b" / "shop") for each in "dcba"] == names[::-1]


def test_what_is_somebody_elses_is_passed_over(top: Path) -> None:
    make(top / "a" / "shop")
    (top / "envs" / "shop-b").mkdir()
    assert make(top / "b" / "shop") == "shop-2"


def test_a_project_finds_its_own_when_the_better_name_is_free(top: Path) -> None:
    make(top / "a" / "shop")
    make(top / "b" / "shop")
    shutil.rmtree(top / "envs" / "shop")
    assert make(top / "b" / "shop") == "shop-b"


def test_the_environment_of_a_project_that_is_gone_is_taken_over(top: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(top / "a" / "shop")
    (top / "a" / "shop").rename(top / "shop")
    assert make(top / "shop") == "shop"
    told = f"{top}/envs/shop is the environment of {top}/a/shop, which is gone: it is taken over\n"
    assert capsys.readouterr().out == told


def test_a_link_to_a_project_is_the_project(top: Path) -> None:
    make(top / "a" / "shop")
    (top / "link").symlink_to(top / "a")
    assert make(top / "link" / "shop") == "shop"


def test_a_name_that_another_project_has_is_refused(top: Path) -> None:
    make(top / "a" / "shop")
    with pytest.raises(UserError, match=f"it is the environment of {top}/a/shop") as caught:
        make(top / "b" / "other", "shop")
    assert "--force takes it over" in caught.value.hint
    assert make(top / "b" / "other", "mine") == "mine"


@pytest.mark.parametrize("name", [None, "shop"])
def test_force_takes_over_and_says_so(top: Path, capsys: pytest.CaptureFixture[str], name: str | None) -> None:
    make(top / "a" / "shop")
    assert make(top / "b" / "shop", name, force=True) == "shop"
    assert capsys.readouterr().out == f"{top}/envs/shop is the environment of {top}/a/shop: it is taken over\n"
    assert make(top / "a" / "shop") == "shop-a"


def test_force_makes_ones_own_again(top: Path) -> None:
    make(top / "a" / "shop")
    make(top / "b" / "shop")
    assert make(top / "b" / "shop", force=True) == "shop-b"


def test_the_owner_is_known_of_an_environment_of_an_older_release(top: Path) -> None:
    make(top / "a" / "shop")
    (top / "envs" / "shop" / ".python-common.json").write_text(f'{{"format": 1, "project": "{top}/a/shop"}}')
    assert make(top / "b" / "shop") == "shop-b"
