"""Whatever a lock holds that was edited by hand, it is a lock or one `UserError` of one line."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.foreign_values import one_error, tables, toml, values
from tests.unit.locks import distribution, lock_of, needs
from toolkit.core.errors import UserError
from toolkit.model.lock import LocalPackage
from toolkit.model.pins import Pinned
from toolkit.vendored import lock_file
from toolkit.vendored.dependency_graph import DependencyGraph
from toolkit.vendoring import lock_writer

KEYS = (
    *(
        "lock-version",
        "packages",
        "tool",
        "python-common",
        "pythons",
        "platforms",
        "inputs",
        "name",
        "version",
        "sdist",
    ),
    *(
        "path",
        "size",
        "hashes",
        "sha256",
        "url",
        "wheels",
        "marker",
        "requires",
        "build-requires",
        "offered",
        "local",
        "direct",
    ),
)
SHA256 = "0" * 64


def parse(content: bytes) -> None:
    with one_error():
        DependencyGraph(lock=lock_file.parse(content, "app", "vendor/pylock.app.toml"))


@given(
    tables(*KEYS),
    st.dictionaries(st.sampled_from(["pythons", "platforms", "inputs", "local", "direct"]), values(*KEYS)),
)
def test_any_tables(table: dict[str, Any], own: dict[str, Any]) -> None:
    parse(toml({"lock-version": "1.0", **table, "tool": {"python-common": own}}))


@given(st.lists(tables(*KEYS), max_size=2), tables(*KEYS), values(*KEYS))
def test_any_packages(packages: list[dict[str, Any]], own: dict[str, Any], sdist: Any) -> None:
    known = {"name": "six", "version": "1", "sdist": {"path": "a", "size": 1, "hashes": {"sha256": SHA256}}}
    every = [{**known, **package} for package in packages] + [{**known, "sdist": sdist}]
    parse(
        toml(
            {
                "lock-version": "1.0",
                "packages": every,
                "tool": {"python-common": {"pythons": [], "platforms": [], "inputs": {}, **own}},
            }
        )
    )


@given(st.binary(max_size=40), st.integers(0, 4000))
def test_any_change_of_a_sound_lock(change: bytes, place: int) -> None:
    text = WHOLE[:place] + change + WHOLE[place + len(change) :]
    parse(text)


def written(directory: Path) -> bytes:
    path = lock_file.path_of(directory, "app")
    lock_writer.write(path, replace(needs().lock, local=(LocalPackage(name="app", path="app"),)))
    return path.read_bytes()


@pytest.fixture(scope="module", autouse=True)
def whole(tmp_path_factory: pytest.TempPathFactory) -> None:
    global WHOLE
    WHOLE = written(tmp_path_factory.mktemp("lock"))


WHOLE = b""


@pytest.mark.parametrize(
    ("pattern", "new", "said"),
    [
        (r"size = \d+", "size = -1", r"packages\[0\].sdist.size is no number from 0 on"),
        (r"size = \d+", "size = true", r"size is no number"),
        (r"size = \d+", "size = '1'", r"size is no number"),
        (r'sha256 = "\w+"', 'sha256 = "abc"', r"sdist.hashes.sha256 is not as it can be"),
        (r'sha256 = "\w+"', "sha256 = []", r"sha256 is no text"),
        (r'^name = "\w+"', r'name = "six\\n"', r"packages\[0\].name is not as it can be: `'six\\n'`"),
        (r'^name = "\w+"', 'name = "../six"', r"name is not as it can be"),
        (r'^version = "\w+"', r'version = "1\\u001b[2J"', r"version is not as it can be"),
        (r'path = "[^"]+"', 'path = "../x"', r"leaves vendor/"),
        (r'path = "[^"]+"', r'path = "a\\\\b"', r"leaves vendor/"),
        (r'path = "[^"]+"', r'path = "a\\nb"', r"is not as it can be"),
        (r'path = "app"', 'path = "a/../../b"', r"local\[0\].path is not as it can be"),
        (r'path = "app"', 'path = "/etc"', r"local\[0\].path is not as it can be"),
        (r"^lock-version = .*", "lock-version = 1.0", r"lock-version is no text"),
        (r"^pythons = \[[^]]*\]", "pythons = 3.11", r"pythons is no list"),
        (r"^pythons = \[[^]]*\]", "pythons = [3.11]", r"pythons is no text"),
        (r"^pythons = \[[^]]*\]", "", r"pythons is missing"),
        (r"^pythons = \[[^]]*\]", "pythons = ['3']", r"pythons is not as it can be: `'3'`"),
        (r"^pythons = \[[^]]*\]", "pythons = ['x.y']", r"pythons is not as it can be"),
        (r"^pythons = \[[^]]*\]", "pythons = []", r"it is for no version of Python"),
        (r"^platforms = \[[^]]*\]", "platforms = ['amiga']", r"platforms is not as it can be"),
        (r"\.inputs\]$", r'.inputs]\n"a\\nerror: b" = "1"', r"inputs has the file `a\\nerror: b`"),
        (r"\.inputs\]$", f'.inputs]\n"{"a" * 256}" = "1"', r"inputs has the file `a{120}\.\.\.`"),
        (r"size = \d+", f"size = {10**400}", r"size is no number"),
        (r'^version = "\w+"', f'version = "{"1" * 5000}"', r"version is not as it can be"),
    ],
)
def test_an_edited_lock_is_told_where_it_is_wrong(pattern: str, new: str, said: str) -> None:
    text, count = re.subn(f"(?m){pattern}", new, WHOLE.decode(), count=1)
    assert count == 1
    with pytest.raises(UserError, match=said) as caught:
        lock_file.parse(text.encode(), "app", "vendor/pylock.app.toml")
    assert caught.value.what.startswith("vendor/pylock.app.toml: not a lock of this toolkit: ")
    assert caught.value.what.isprintable()


def test_a_lock_that_is_nested_deeply_or_not_utf8_is_one_error() -> None:
    for content in (b"a=" + b"[" * 100_000, b"a='\xff'"):
        with pytest.raises(UserError, match="not a TOML file"):
            lock_file.parse(content, "app", "vendor/pylock.app.toml")


def test_what_is_locked_twice_is_refused(tmp_path: Path) -> None:
    six = distribution("six")
    other = replace(six, files=(replace(six.files[0], sha256="0" * 64),))
    for packages, builds, said in (
        ((six, six), (), "six==1 is in it twice"),
        ((six,), (other,), "six==1 is in it twice"),
        ((six,), (replace(other, name="seven"),), "two files of the name `six-1.tar.gz`"),
        ((replace(six, offered=(replace(six.files[0], size=7),)),), (), "two files of the name `six-1.tar.gz`"),
    ):
        lock_writer.write(tmp_path / "lock", lock_of(*packages, build_packages=builds))
        with pytest.raises(UserError, match=re.escape(said)):
            lock_file.parse((tmp_path / "lock").read_bytes(), "app", "vendor/pylock.app.toml")


@pytest.mark.parametrize("who", ["a package", "a local package", "the tests", "developers"])
def test_what_is_required_is_locked(tmp_path: Path, who: str) -> None:
    gone = (Pinned("gone", "1"),)
    lock = lock_of(
        replace(distribution("six"), build_requires=gone if who == "a package" else ()),
        local=(LocalPackage(name="app", path="app", build_requires=gone if who == "a local package" else ()),),
        test_requires=gone if who == "the tests" else (),
        dev_requires=gone if who == "developers" else (),
    )
    lock_writer.write(tmp_path / "lock", lock)
    with pytest.raises(UserError, match="gone==1, which is required, is not in it"):
        lock_file.parse((tmp_path / "lock").read_bytes(), "app", "vendor/pylock.app.toml")
