"""Which suites have too old a Rust for a lock, and what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.locks import distribution, lock_of
from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.debian import rust_toolchains, suites

_POLICY = """\
rustc:
  Installed: (none)
  Candidate: {}
  Version table:
     1.63.0+dfsg1-2 500
rustc-web:
  Installed: {}
  Candidate: {}
"""
_NEW = replace(distribution("new"), rust=True, rust_version="1.90", rust_version_of="a 1.0.0")
_OLD = replace(distribution("old"), rust=True, rust_version="1.64", rust_version_of="old 1")
LOCKS = [lock_of(_NEW, _OLD, distribution("pure"))]


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "own", lambda: "other")
    rust_toolchains._of_apt.cache_clear()


def told(*declared: str, suite: str = "bookworm") -> str:
    return "\n".join(rust_toolchains.too_old(LOCKS, declared, [suite, suite]))


def test_what_the_better_of_the_declared_packages_compiles_is_no_problem() -> None:
    assert told("cargo-web", "cargo") == told() == ""


def test_a_newer_package_of_the_suite_is_the_advice() -> None:
    text = told("cargo", "debhelper")
    assert text.count("the Rust of bookworm (cargo: 1.63.0, as of 20") == 1
    assert "too old for new 1 (1.90, which a 1.0.0 asks for), old 1 (1.64)\n" in text
    assert text.endswith("write `cargo-web | cargo` in the place of `cargo` in Build-Depends")


def test_where_nothing_of_a_suite_does_there_are_other_ways() -> None:
    text = told("cargo-web", "cargo", suite="noble")
    assert "(in vendor.txt: new), or leave noble out of SUITES" in text and "old 1" not in text


@pytest.mark.parametrize(("declared", "suite"), [("rustup", "noble"), ("cargo-1.91", "noble"), ("cargo", "unknown")])
def test_of_what_nobody_has_looked_up_nothing_is_said(declared: str, suite: str) -> None:
    assert told(declared, suite=suite) == ""


@pytest.mark.parametrize(
    ("declared", "names", "version"),
    [
        ([], ["bookworm", "noble"], "1.75.0"),
        (["cargo"], ["trixie", "bookworm", "unknown"], "1.63.0"),
        (["cargo-web", "cargo"], ["bookworm", "forky"], "1.96.0"),
        (["rustup"], ["bookworm"], ""),
        ([], [], ""),
    ],
)
def test_the_oldest_rust_of_several_suites(declared: list[str], names: list[str], version: str) -> None:
    assert rust_toolchains.oldest(declared, names) == version


def test_apt_knows_this_machine_s_own_suite_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "own", lambda: "bookworm")
    policy = _POLICY.format("1.63.0+dfsg1-2", "(none)", "1:1.89.0+dfsg1-1~deb12u2")
    monkeypatch.setattr(process, "read", lambda words: policy)
    assert "(cargo-web: 1.89.0) is" in told("cargo-web", "cargo")


def test_without_apt_the_table_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "own", lambda: "bookworm")

    def missing(words: object) -> str:
        raise UserError("apt-cache: no such program")

    monkeypatch.setattr(process, "read", missing)
    assert "(cargo: 1.63.0" in told("cargo")
