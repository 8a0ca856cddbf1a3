"""`make vendor FROM=...`: versions that another tool has locked are taken where they fit."""

from __future__ import annotations

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from tests.integration.workshop import Workshop

_UV = """version = 1
requires-python = ">=3.11"

[[package]]
name = "app"
source = { virtual = "." }
dependencies = [{ name = "web" }]

[[package]]
name = "Wire"
version = "1.1"
source = { registry = "https://host/simple" }

[[package]]
name = "web"
version = "1.0"
source = { registry = "https://host/simple" }

[[package]]
name = "check"
version = "1.0"
source = { registry = "https://host/simple" }

[[package]]
name = "unused"
version = "7.0"
source = { registry = "https://host/simple" }
"""
_POETRY = """[[package]]
name = "wire"
version = "1.1"
optional = false
markers = {main = "python_version >= '3.11'"}

[[package]]
name = "web"
version = "1.0"
markers = "python_version >= '3.11'"

[[package]]
name = "check"
version = "1.0"

[metadata]
lock-version = "2.1"
"""
_PYLOCK = """lock-version = "1.0"
created-by = "other"

[[packages]]
name = "wire"
version = "1.1"

[[packages]]
name = "web"
version = "1.0"
marker = "python_version >= '3.11'"

[[packages]]
name = "check"
version = "1.0"
"""


@pytest.fixture
def shelf(index: LocalIndex) -> LocalIndex:
    for version in ("1.0", "1.1", "2.0"):
        sdists.publish(index, "web", version, requires=["wire"])
        sdists.publish(index, "wire", version)
        sdists.publish(index, "check", version)
    return index


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
@pytest.mark.parametrize(("name", "lock"), [("uv.lock", _UV), ("poetry.lock", _POETRY), ("pylock.toml", _PYLOCK)])
def test_versions_are_taken_where_they_fit(
    shop: Workshop, shelf: LocalIndex, name: str, lock: str, resolver: str
) -> None:
    shop.service("app", "web").write({name: lock, "app/test-requirements.txt": "check\n"})
    done = shop.vendor("--from", name, "--resolver", resolver)
    assert done.status == 0, done.err
    assert shop.keys() == ["web==1.0", "wire==1.1"]
    assert list(map(str, shop.lock().test_requires)) == ["check==1.0"]
    assert f"{name}: all of its versions that are needed are taken (3)" in done.out
    # From now on the own lock says it.
    assert shop.vendor().out == "  VENDOR  vendor/ is up to date\n"


def test_what_does_not_fit_is_said_in_one_line(shop: Workshop, shelf: LocalIndex) -> None:
    lock = _UV.replace('"1.1"', '"9.9"')
    shop.service("app", "web>1", "check").write({"uv.lock": lock})
    done = shop.vendor("--from", "uv.lock")
    assert done.status == 0, done.err
    assert shop.keys() == ["check==1.0", "web==2.0", "wire==2.0"]
    assert "uv.lock: 2 of 3 versions do not fit: web 1.0 -> 2.0; wire 9.9 -> 2.0" in done.out


def test_they_come_before_what_is_locked(shop: Workshop, shelf: LocalIndex) -> None:
    assert shop.service("app", "web", "check").vendor().status == 0
    shop.write({"uv.lock": _UV})
    done = shop.vendor("--from", "uv.lock", "--dry-run")
    assert "* web 2.0 -> 1.0" in done.out
    assert shop.keys() == ["check==2.0", "web==2.0", "wire==2.0"]
    assert shop.vendor("--from", "uv.lock").status == 0
    assert shop.keys() == ["check==1.0", "web==1.0", "wire==1.1"]


def test_a_version_for_each_interpreter(shop: Workshop, shelf: LocalIndex) -> None:
    package = '[[package]]\nname = "web"\nversion = "{}"\nresolution-markers = ["python_full_version {}"]\n'
    shop.service("app", "web<1.1; python_version < '3.12'", "web>1; python_version >= '3.12'").write(
        {
            "uv.lock": package.format("1.0", "< '3.12'") + package.format("1.1", ">= '3.12'"),
            ".python-version": "3.11\n3.12\n",
        }
    )
    done = shop.vendor("--from", "uv.lock")
    assert done.status == 0, done.err
    assert shop.keys() == ["web==1.0", "web==1.1", "wire==2.0"]


@pytest.mark.parametrize(
    ("lock", "what"),
    [
        ("[[package]]\nname = \n", "uv.lock:2: not a TOML file: Invalid value"),
        ("[[package]]\nname = '''", "uv.lock:1: not a TOML file: "),
        ("version = 1\n", "uv.lock:1: neither a uv.lock, a poetry.lock nor a pylock.toml"),
        ("package = 1\n", "uv.lock:1: neither a uv.lock, a poetry.lock nor a pylock.toml"),
        ("package = [1]\n", "uv.lock:1: not a table: `1`"),
        ('[[package]]\nname = "a"\nversion = "1"\n\n[[package]]\nversion = "1"\n', "uv.lock:5: name is missing"),
        ('[[package]]\nname = "a b"\nversion = "1"\n', "uv.lock:1: name is not as it can be: `'a b'`"),
        ('[[package]]\nname = "a\\nb"\nversion = "1"\n', "uv.lock:1: name is not as it can be"),
        ('[[package]]\nname = "a"\nversion = "one"\n', "uv.lock:1: a has no version: `one`"),
        ('[[package]]\nname = "a"\nversion = 1\n', "uv.lock:1: version is no text: `1`"),
        ('[[package]]\nname = "a"\nversion = "1"\nmarkers = "x y"\n', "uv.lock:1: not a marker: `x y`"),
        (f'[[package]]\nname = "a"\nversion = "1"\nmarkers = "{"(" * 3000}"\n', "uv.lock:1: not a marker: `((("),
        ("a." * 5000 + "b = 1\n", "uv.lock:1: not a TOML file"),
        ("a = " + "[" * 5000 + "\n", "uv.lock:1: not a TOML file"),
        ("\ud800", "uv.lock:1: not a TOML file"),
    ],
)
def test_a_lock_that_makes_no_sense_is_told_with_its_line(
    shop: Workshop, shelf: LocalIndex, lock: str, what: str
) -> None:
    shop.service("app", "web")
    (shop.root / "uv.lock").write_bytes(lock.encode("utf-8", "surrogatepass"))
    said, hint = shop.vendor("--from", "uv.lock").error
    assert said.startswith(what)
    assert hint
    assert not (shop.root / "vendor").exists()


def test_a_lock_that_is_not_there(shop: Workshop) -> None:
    assert shop.service("app").vendor("--from", "uv.lock").error[0] == "FROM=uv.lock: No such file or directory"


def test_of_versions_for_several_machines_those_count_that_are_for_these(shop: Workshop, index: LocalIndex) -> None:
    for version in ("1.0", "2.0", "3.0"):
        sdists.publish(index, "wire", version)
    here, elsewhere = "sys_platform == 'linux'", "sys_platform == 'win32'"
    table = '[[package]]\nname = "wire"\nversion = "{}"\nresolution-markers = ["{}"]\n'
    shop.service("app", "wire").write({"uv.lock": table.format("1.0", here) + table.format("2.0", elsewhere)})
    done = shop.vendor("--from", "uv.lock")
    assert done.status == 0, done.err
    assert shop.keys() == ["wire==1.0"]
