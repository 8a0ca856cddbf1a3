"""Cargo.lock in all its versions."""

from __future__ import annotations

import pytest

from tests.unit.rust_trees import SHA256, SOURCE
from toolkit.core.errors import UserError
from toolkit.crates import cargo_lock
from toolkit.model.crates import CrateId, LockedCrate

ONE = CrateId("one", "1.0.0", SOURCE)
TWO = CrateId("two", "2.0.0", SOURCE)
OLD = CrateId("two", "1.0.0", SOURCE)
#: The same crates, as each version of the format writes them.
FORMS = {
    1: f"""
[[package]]
name = "app"
version = "0.1.0"
dependencies = ["one 1.0.0 ({SOURCE})", "two 2.0.0 ({SOURCE})"]
[[package]]
name = "one"
version = "1.0.0"
source = "{SOURCE}"
dependencies = ["two 1.0.0 ({SOURCE})"]
[[package]]
name = "two"
version = "1.0.0"
source = "{SOURCE}"
[[package]]
name = "two"
version = "2.0.0"
source = "{SOURCE}"
[metadata]
"checksum one 1.0.0 ({SOURCE})" = "{SHA256}"
"checksum two 1.0.0 ({SOURCE})" = "{SHA256}"
"checksum two 2.0.0 ({SOURCE})" = "{SHA256}"
other = "word"
""",
    3: f"""
version = 3
[[package]]
name = "app"
version = "0.1.0"
dependencies = ["one", "two 2.0.0"]
[[package]]
name = "one"
version = "1.0.0"
source = "{SOURCE}"
checksum = "{SHA256}"
dependencies = ["two 1.0.0"]
[[package]]
name = "two"
version = "1.0.0"
source = "{SOURCE}"
checksum = "{SHA256}"
[[package]]
name = "two"
version = "2.0.0"
source = "{SOURCE}"
checksum = "{SHA256}"
""",
}
FORMS[2] = FORMS[3].replace("version = 3\n", "", 1)
FORMS[4] = FORMS[3].replace("version = 3\n", "version = 4\n", 1)


def parse(text: str) -> tuple[LockedCrate, ...]:
    return cargo_lock.parse(text.encode(), "some-1.tar.gz: Cargo.lock")


@pytest.mark.parametrize("version", FORMS)
def test_each_version_of_the_format_tells_the_same(version: int) -> None:
    app, one, *two = parse(FORMS[version])
    assert app == LockedCrate(name="app", version="0.1.0", dependencies=(ONE, TWO))
    assert one == LockedCrate(name="one", version="1.0.0", source=SOURCE, checksum=SHA256, dependencies=(OLD,))
    assert [(item.id, item.checksum) for item in two] == [(OLD, SHA256), (TWO, SHA256)]


def test_where_a_crate_comes_from() -> None:
    sources = ("", "sparse+https://index.example/", "git+https://example.com/x?rev=1#abc", SOURCE, "local+x")
    origins = [LockedCrate(name="x", version="1.0.0", source=source).origin for source in sources]
    assert origins == ["path", "registry", "git", "registry", "other"]


def test_a_crate_of_the_tree_beside_one_of_the_registry() -> None:
    text = f"""
version = 3
[[package]]
name = "app"
version = "0.1.0"
dependencies = ["one 1.0.0", "one 1.0.0 ({SOURCE})"]
[[package]]
name = "one"
version = "1.0.0"
[[package]]
name = "one"
version = "1.0.0"
source = "{SOURCE}"
"""
    assert parse(text)[0].dependencies == (CrateId("one", "1.0.0"), ONE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version = 0", "its version is `0`, and 1 to 4 are known"),
        ("version = true", "its version is `True`, and 1 to 4 are known"),
        ("package = 3", "package is no list: `3`"),
        ("[[package]]\nname = 'a'", "package[0].version is missing"),
        ("[[package]]\nname = '../a'\nversion = '1.0.0'", "package[0].name is not as it can be: `'../a'`"),
        ("[[package]]\nname = 'a'\nversion = '1/0'", "no version: `1/0`"),
        ("[[package]]\nname = 'a'\nversion = '1.0.0'\n" * 2, "a 1.0.0 stands there twice"),
        (
            "[[package]]\nname = 'a'\nversion = '1.0.0'\ndependencies = ['b']",
            "the dependency `b` is none of its crates",
        ),
        (
            "[[package]]\nname = 'a'\nversion = '1.0.0'\nchecksum = 'x'",
            "package[0].checksum is not as it can be: `'x'`",
        ),
    ],
)
def test_what_is_no_lock_is_one_error(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(text)
    assert caught.value.what == f"some-1.tar.gz: Cargo.lock: not a Cargo.lock: {message}"


def test_a_format_that_is_newer_than_what_is_known_is_told_as_such() -> None:
    with pytest.raises(UserError) as caught:
        parse("version = 5")
    assert caught.value.what == "some-1.tar.gz: Cargo.lock: its format is version 5, and 4 is the newest known here"


def test_what_is_patched_though_nothing_needs_it_is_known() -> None:
    unused = "[[patch.unused]]\nname = 'b'\nversion = '1.0.0'\nsource = 'git+https://code.example/b#1'\n"
    found = parse(f"[[package]]\nname = 'a'\nversion = '1.0.0'\n{unused}")
    assert [(item.name, item.origin) for item in found] == [("a", "path"), ("b", "git")]


def test_far_more_versions_of_one_crate_than_anybody_has_are_refused() -> None:
    text = "".join(f"[[package]]\nname = 'a'\nversion = '1.0.{n}'\n" for n in range(101))
    with pytest.raises(UserError, match="more than 100 versions of a"):
        parse(text)
