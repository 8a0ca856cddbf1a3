"""When a chroot is made, what is in it, and what is said when it cannot be."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from toolkit.core import files, process
from toolkit.core.errors import UserError
from toolkit.debian import build_user, chroot
from toolkit.debian.build_user import Account
from toolkit.debian.chroot import Recipe
from toolkit.project.settings import Settings

RECIPE = Recipe(
    suite="trixie",
    architecture="amd64",
    sources=("deb [signed-by=/k.gpg] http://mirror.example/debian trixie main",),
    depends={"Build-Depends": "debhelper-compat (= 13), python3-dev", "Build-Conflicts": "other"},
)
UNMET = """\
The following packages have unmet dependencies:
 builddeps:/tmp/x : Depends: libone-dev (>= 2) but it is not installable
                    Depends: libtwo-dev but it is not going to be installed
"""
DAY = 24 * 60 * 60
MIRROR = "http://mirror.example/debian"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(project=tmp_path / "project", toolkit=tmp_path / "project/common")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Return the names of the chroots that were made, which takes no time here."""
    names: list[str] = []

    def bootstrap(words: list[str], recipe: Recipe, user: Account, base: Path, log: Path) -> None:
        names.append(recipe.name)
        (base / "chroot.tar.zst").write_bytes(b"a chroot")
        (base / "os-release").write_text('ID=debian\nVERSION_ID="13"\n')

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(chroot, "bootstrap", bootstrap)
    user = Account(name="me", uid=0, gid=0, is_other=False)
    monkeypatch.setattr(build_user, "account", lambda: user)
    return names


def change(path: Path, **values: Any) -> None:
    stamp = path.with_name(f"{path.name}.json")
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), **values}))


def test_is_made_once_and_kept_for_some_days(made: list[str], settings: Settings) -> None:
    first = chroot.provide(RECIPE, settings, 7)
    assert chroot.provide(RECIPE, settings, 7) == first
    assert (first.suite, first.release) == ("trixie", "13")
    assert made == [RECIPE.name]
    stamp = json.loads(first.path.with_name(f"{first.path.name}.json").read_text())
    assert stamp["sources"] == list(RECIPE.sources)
    assert stamp["sha256"] == files.sha256(first.path)


def test_an_old_one_is_made_again(made: list[str], settings: Settings) -> None:
    path = chroot.provide(RECIPE, settings, 7).path
    change(path, created=int(time.time()) - 8 * DAY)
    chroot.provide(RECIPE, settings, 9)
    assert len(made) == 1
    chroot.provide(RECIPE, settings, 7)
    assert len(made) == 2


def test_an_age_of_nothing_makes_it_now(made: list[str], settings: Settings) -> None:
    chroot.provide(RECIPE, settings, 7)
    chroot.provide(RECIPE, settings, 0)
    assert len(made) == 2


@pytest.mark.parametrize("stamp", ["", "[]", "{}", "not JSON", '{"created": "x", "sha256": 5, "release": "13"}'])
def test_one_without_a_stamp_is_made_again(made: list[str], settings: Settings, stamp: str) -> None:
    path = chroot.provide(RECIPE, settings, 7).path
    path.with_name(f"{path.name}.json").write_text(stamp)
    chroot.provide(RECIPE, settings, 7)
    assert len(made) == 2


def test_a_damaged_one_is_noticed_and_made_again(
    made: list[str], settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    path = chroot.provide(RECIPE, settings, 7).path
    path.write_bytes(b"a chroof")
    chroot.provide(RECIPE, settings, 7)
    assert path.read_bytes() == b"a chroot"
    assert f"{path} is damaged" in capsys.readouterr().err


def test_one_that_cannot_be_made_leaves_the_old_one(
    made: list[str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise UserError("no such mirror")

    path = chroot.provide(RECIPE, settings, 7).path
    monkeypatch.setattr(chroot, "bootstrap", fail)
    with pytest.raises(UserError, match="no such mirror"):
        chroot.provide(RECIPE, settings, 0)
    assert sorted(entry.name for entry in path.parent.iterdir()) == [path.name, f"{path.name}.json"]
    assert path.read_bytes() == b"a chroot"


def test_other_dependencies_or_another_mirror_make_another_one() -> None:
    others = [
        replace(RECIPE, depends={"Build-Depends": "debhelper-compat (= 13)"}),
        replace(RECIPE, suite="bookworm"),
        replace(RECIPE, sources=("deb http://other.example/debian trixie main",)),
        replace(RECIPE, architecture="arm64"),
    ]
    assert len({recipe.name for recipe in [RECIPE, *others]}) == 5
    assert RECIPE.name.startswith("trixie-amd64-")


def test_asks_apt_for_all_build_dependencies(tmp_path: Path) -> None:
    assert "Build-Depends: debhelper-compat (= 13), python3-dev\nBuild-Conflicts: other\n\nPackage:" in RECIPE.control
    words = chroot.command(RECIPE, tmp_path)
    assert words[-3:] == ["trixie", f"{tmp_path}/chroot.tar.zst", RECIPE.sources[0]]
    assert RECIPE.mirror == "http://mirror.example/debian"


@pytest.mark.parametrize(
    ("output", "what", "hint"),
    [
        (
            "E: The repository 'http://mirror.example/debian trixiee Release' does not have a Release file.\n",
            "http://mirror.example/debian has no suite trixiee",
            "MIRROR=",
        ),
        (UNMET, "trixie lacks build dependencies of debian/control: libone-dev (>= 2), libtwo-dev", "one | other"),
        (
            "The following packages have unmet dependencies:\n builddeps:/x : Depends: debhelper-compat (= 14)\nE: x\n",
            "trixie lacks build dependencies of debian/control: debhelper-compat (= 14)",
            "write `debhelper-compat (= 13)`",
        ),
        ("tar: x: Cannot write: No space left on device\n", "trixie: no space left for the chroot", "TMPDIR="),
        (
            "Err:1 ... NO_PUBKEY 6ED0E7B82643E131\n",
            "http://mirror.example/debian: this machine does not have the key of trixie",
            "/usr/share/keyrings/debian-archive-keyring.gpg",
        ),
        ("Temporary failure resolving 'mirror.example'\n", "http://mirror.example/debian: not reached", "MIRROR="),
        ("E: something else\n", "the chroot of trixie could not be made", "chroot.log"),
    ],
)
def test_says_what_is_wrong(output: str, what: str, hint: str) -> None:
    error = chroot.explain(process.CommandError(["mmdebstrap"], 1, output), RECIPE, Path("chroot.log"))
    assert error.what == what
    assert hint in error.hint


def test_profiles_decide_what_a_chroot_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEB_BUILD_PROFILES", raising=False)
    plain = chroot.recipe(None, "trixie", MIRROR)
    monkeypatch.setenv("DEB_BUILD_PROFILES", "pkg.app.small  nodoc nodoc")
    chosen = chroot.recipe(None, "trixie", MIRROR)
    assert (plain.profiles, chosen.profiles) == ((), ("nodoc", "pkg.app.small"))
    assert plain.name != chosen.name
    told = [" ".join(chroot.command(each, tmp_path)) for each in (plain, chosen)]
    assert ["--build-profiles" in words for words in told] == [False, True]
    assert "build-dep --build-profiles=nodoc,pkg.app.small /" in told[1]


@pytest.mark.parametrize("word", ["no,doc", "nodoc;id", "!nodoc", "-nodoc", "NoDoc"])
def test_what_is_no_profile_is_refused(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEB_BUILD_PROFILES", f"nodoc {word}")
    with pytest.raises(UserError, match=f"DEB_BUILD_PROFILES: no profile: {word}"):
        chroot.recipe(None, "trixie", MIRROR)
