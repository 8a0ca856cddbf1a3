"""What a development environment has from the index: wheels of locked versions, and what is the developer's own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from tests.integration.test_develop import ask, home, names
from tests.integration.workshop import Workshop, provide_tools

__all__ = ["home"]


@pytest.fixture
def vendored(shop: Workshop, index: LocalIndex) -> Workshop:
    """Return a project whose dependencies have wheels in the index too, which say that they are."""
    provide_tools()
    for name in ("fast", "wire"):
        sdists.publish(index, name, "1.0")
        index.add(f"{name}-1.0-py3-none-any.whl", wheel(name))
    sdists.publish(index, "source-only", "1.0")
    shop.service("app", "fast", "wire", "source-only").write({"app/yc_app.py": ""})
    assert shop.vendor().status == 0
    return shop


def wheel(name: str, text: str = "FROM = 'wheel'\n") -> bytes:
    return sdists.make_wheel(name, "1.0", modules={name: text})


def develop(shop: Workshop, *options: str, status: int = 0) -> str:
    done = shop.develop("--index-url", shop.index.url, *options)
    assert done.status == status, done.out + done.err
    return done.out


def test_wheels_of_the_locked_versions_are_taken_and_the_rest_is_built(
    vendored: Workshop, home: Path, index: LocalIndex
) -> None:
    sdists.publish(index, "fast", "2.0")
    assert "SOURCE  no wheel fits, so built from vendor/: source-only 1.0" in develop(vendored, "--binary")
    assert ask(home / "project", "import fast, wire; print(fast.FROM, wire.FROM)") == "wheel wheel"
    assert names(home / "project") == ["app", "fast", "source-only", "wire"]


def test_without_binary_everything_is_built_again(vendored: Workshop, home: Path) -> None:
    develop(vendored, "--binary")
    assert "CHANGE  fast 1.0, put in again" in develop(vendored)
    assert ask(home / "project", "import fast; print(fast.VERSION)") == "1.0"


def test_the_lock_says_which_wheels_may_be_taken(vendored: Workshop, index: LocalIndex) -> None:
    packages = {item.name: item for item in vendored.lock().packages}
    [offered] = packages["fast"].offered
    assert (offered.name, offered.sha256) == ("fast-1.0-py3-none-any.whl", hashlib.sha256(wheel("fast")).hexdigest())
    assert packages["source-only"].offered == ()
    assert "fast-1.0-py3-none-any.whl" not in vendored.vendored()


def test_a_second_environment_asks_the_index_for_nothing(vendored: Workshop, home: Path, index: LocalIndex) -> None:
    develop(vendored, "--binary")
    before = index.requests.copy()
    develop(vendored, "--binary", "-n", "second", "--no-index")
    assert "up to date" in develop(vendored, "--binary")
    assert index.requests == before


@pytest.mark.parametrize("text", ["EVIL = 1\n", "EVIL = 'wheel'\n"])
def test_a_wheel_that_was_replaced_is_refused(vendored: Workshop, home: Path, index: LocalIndex, text: str) -> None:
    develop(vendored)
    index.add("wire-1.0-py3-none-any.whl", wheel("wire", text))
    what, hint = vendored.develop("--index-url", index.url, "--binary").error
    assert re.match(r"wire-1.0-py3-none-any.whl: http\S+ is not the file that was promised .*: (larger|it has)", what)
    assert hint.startswith("do not use it")
    assert ask(home / "project", "import wire; print(wire.VERSION)") == "1.0"


def test_a_wheel_that_came_later_is_not_taken(vendored: Workshop, home: Path, index: LocalIndex) -> None:
    index.add("source_only-1.0-py3-none-any.whl", wheel("source_only"))
    assert "built from vendor/: source-only 1.0" in develop(vendored, "--binary")


def test_an_index_that_does_not_answer_leaves_the_old_environment(
    vendored: Workshop, home: Path, index: LocalIndex
) -> None:
    develop(vendored)
    index.fails("/files/wire-1.0-py3-none-any.whl", "status", status=403)
    for options in (["--binary"], ["--binary", "--force"]):
        what, _ = vendored.develop("--index-url", index.url, *options).error
        assert what.endswith("/files/wire-1.0-py3-none-any.whl answers 403 Forbidden")
        assert ask(home / "project", "import wire; print(wire.VERSION)") == "1.0"


@pytest.mark.parametrize("shown", [str, Path.as_uri], ids=["path", "URL"])
def test_wheels_may_be_files_of_a_directory(
    vendored: Workshop, home: Path, tmp_path: Path, index: LocalIndex, shown: Callable[[Path], str]
) -> None:
    shelf = tmp_path / "a shelf"
    shelf.mkdir()
    for name in ("fast", "wire"):
        (shelf / f"{name}-1.0-py3-none-any.whl").write_bytes(wheel(name))
    before = index.requests.copy()
    done = vendored.develop("--binary", "--no-index", "--find-links", shown(shelf))
    assert done.status == 0, done.err
    assert ask(home / "project", "import wire; print(wire.FROM)") == "wheel"
    assert index.requests == before


def test_a_wheel_that_is_nowhere_is_said_when_no_index_may_be_asked(
    vendored: Workshop, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "fast-1.0-py3-none-any.whl").write_bytes(wheel("fast", "EVIL = 1\n"))
    what, hint = vendored.develop("--binary", "--no-index", "--find-links", str(tmp_path)).error
    assert what.startswith("fast-1.0-py3-none-any.whl: neither the cache nor a directory of --find-links has")
    assert "without --binary" in hint
    assert not (home / "project").exists()


@pytest.mark.parametrize("member", ["../../../../evil", "evil-1.0.data/data/../../../../evil"])
def test_a_wheel_that_writes_outside_is_refused_before_anything_opens_it(
    shop: Workshop, index: LocalIndex, home: Path, member: str
) -> None:
    provide_tools()
    sdists.publish(index, "evil", "1.0")
    index.add("evil-1.0-py3-none-any.whl", sdists.make_wheel("evil", "1.0", modules={member: ""}))
    shop.service("app", "evil")
    assert shop.vendor().status == 0
    what, hint = shop.develop("--index-url", index.url, "--binary").error
    assert what.startswith("evil-1.0-py3-none-any.whl looks like an attack: ")
    assert hint.startswith("do not use this version")
    assert not (home / "project").exists()
    assert not list(home.parent.rglob("evil.py"))


@pytest.mark.parametrize("damage", ["no RECORD", "twice"])
def test_what_is_not_whole_is_put_in_again(vendored: Workshop, home: Path, damage: str) -> None:
    develop(vendored, "--binary")
    [information] = (home / "project").glob("lib/*/site-packages/wire-1.0.dist-info")
    if damage == "twice":
        information.with_name("wire-0.9.dist-info").mkdir()
    else:
        (information / "RECORD").unlink()
    assert "CHANGE  wire" in develop(vendored, "--binary")
    assert ask(home / "project", "import wire; print(wire.FROM)") == "wheel"
    assert "up to date" in develop(vendored, "--binary")


def test_a_lock_without_wheels_says_how_to_get_them(shop: Workshop, index: LocalIndex, home: Path) -> None:
    sdists.publish(index, "fast", "1.0")
    shop.service("app", "fast")
    shop.vendor()
    assert shop.develop("--binary").error[0] == "the locks name no wheel that fits"


def test_a_developers_own_requirements_come_and_go(vendored: Workshop, home: Path, index: LocalIndex) -> None:
    sdists.publish(index, "shell", "3.0", requires=["fast>=1", "lens"])
    index.add("lens-1.0-py3-none-any.whl", wheel("lens"))
    sdists.publish(index, "fast", "2.0")
    vendored.write({"local-requirements.txt": "shell  # mine\n"})
    develop(vendored)
    assert names(home / "project") == ["app", "fast", "lens", "shell", "source-only", "wire"]
    assert ask(home / "project", "import fast, shell; print(fast.VERSION, shell.VERSION)") == "1.0 3.0"
    before = index.requests.copy()
    assert "up to date" in develop(vendored)
    assert index.requests == before
    (vendored.root / "local-requirements.txt").unlink()
    assert "REMOVE  shell 3.0" in develop(vendored)


def test_what_contradicts_the_lock_is_refused(vendored: Workshop, home: Path) -> None:
    vendored.write({"app/local-requirements.txt": "fast>1\n"})
    what, _ = vendored.develop("--index-url", vendored.index.url).error
    assert "app/local-requirements.txt:1" in what
    assert not (home / "project").exists()


def test_local_requirements_may_be_files_of_a_directory(
    vendored: Workshop, home: Path, tmp_path: Path, index: LocalIndex
) -> None:
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "lens-1.0-py3-none-any.whl").write_bytes(wheel("lens"))
    vendored.write({"local-requirements.txt": "lens\n"})
    before = sum(index.requests.values())
    done = vendored.develop("--no-index", "--find-links", str(tmp_path / "shelf"))
    assert done.status == 0, done.err
    assert "lens" in names(home / "project")
    assert sum(index.requests.values()) == before


def make_other(directory: Path) -> Path:
    package = directory / "more_lib"
    package.mkdir(parents=True)
    (package / "setup.py").write_text('from setuptools import setup\nsetup(name="more-lib", version="1.0")\n')
    (package / "more_lib.py").write_text("ANSWER = 42\n")
    (package / "requirements.txt").write_text("lens\napp\n")
    return directory


@pytest.mark.parametrize("how", ["option", "path", "clone"])
def test_another_project_is_linked_with_what_it_requires(
    vendored: Workshop, home: Path, tmp_path: Path, index: LocalIndex, how: str
) -> None:
    index.add("lens-1.0-py3-none-any.whl", wheel("lens"))
    other = make_other(vendored.root / ".clone" if how == "clone" else tmp_path / "other")
    if how == "clone":
        vendored.write({"local-requirements.txt": ".clone/more_lib\n"})
    elif how == "path":
        vendored.write({"local-requirements.txt": "../other\n"})
    develop(vendored, *(["-A", str(other)] if how == "option" else []))
    assert names(home / "project") == ["app", "fast", "lens", "more-lib", "source-only", "wire"]
    assert ask(home / "project", "import more_lib; print(more_lib.__file__)") == str(other / "more_lib" / "more_lib.py")


def test_another_project_stands_for_a_locked_distribution_of_its_name(
    vendored: Workshop, home: Path, tmp_path: Path
) -> None:
    package = tmp_path / "wire"
    package.mkdir()
    (package / "setup.py").write_text('from setuptools import setup\nsetup(name="wire", version="9.0")\n')
    (package / "wire.py").write_text("FROM = 'clone'\n")
    develop(vendored, "-A", str(package))
    assert ask(home / "project", "import wire; print(wire.FROM)") == "clone"
    assert "ADD     wire 1.0" in develop(vendored)
    assert ask(home / "project", "import wire; print(wire.VERSION)") == "1.0"


def test_what_is_remembered_is_no_secret(vendored: Workshop, home: Path, index: LocalIndex) -> None:
    index.add("lens-1.0-py3-none-any.whl", wheel("lens"))
    vendored.write({"local-requirements.txt": "lens\n"})
    develop(vendored)
    state = json.loads((home / "project" / ".python-common.json").read_text())
    assert [item["name"] for item in state["personal"]["wheels"]] == ["lens"]
    assert index.url not in json.dumps(state)


def test_a_path_that_leads_nowhere_is_said(vendored: Workshop, home: Path) -> None:
    vendored.write({"local-requirements.txt": "fast\n../nothing\n"})
    what, _ = vendored.develop().error
    assert what.startswith("local-requirements.txt:2: there is no directory")
    assert vendored.develop("-A", "nothing").status == 1
