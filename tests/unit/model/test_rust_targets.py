"""Conditions of targets, on the machines that a lock is for."""

from __future__ import annotations

import pytest

from toolkit.model import rust_targets

LINUX = rust_targets.machines(["linux"])
BOTH = rust_targets.machines(["linux", "darwin"])


@pytest.mark.parametrize(
    "condition",
    [
        "cfg(unix)",
        'cfg(target_os = "linux")',
        'cfg(all(unix, not(target_os = "macos")))',
        'cfg(any(windows, target_arch="aarch64"))',
        'cfg(target_endian = "big")',
        'cfg(target_pointer_width = "32")',
        'cfg(not(target_has_atomic = "64"))',
        'cfg(all(target_arch = "powerpc64", target_endian = "little", target_env = "gnu"))',
        'cfg(not(any(target_family = "wasm", windows,)))',
        "cfg(not(docsrs))",
        "cfg(all())",
        "cfg(true)",
        "cfg(r#unix)",
        "x86_64-unknown-linux-gnu",
        "riscv64gc-unknown-linux-gnu",
    ],
)
def test_conditions_that_hold_on_a_debian_machine(condition: str) -> None:
    assert rust_targets.holds(condition, LINUX)


@pytest.mark.parametrize(
    "condition",
    [
        "cfg(windows)",
        "cfg(docsrs)",
        "cfg(any(loom, tokio_unstable))",
        "cfg(any())",
        "cfg(false)",
        'cfg(target_os = "macos")',
        'cfg(all(target_arch = "x86_64", target_pointer_width = "32"))',
        'cfg(target_env = "musl")',
        'cfg(target_vendor = "apple")',
        "x86_64-pc-windows-gnu",
        "wasm32-unknown-unknown",
    ],
)
def test_conditions_that_hold_on_none(condition: str) -> None:
    assert not rust_targets.holds(condition, LINUX)


def test_macos_counts_where_it_is_asked_for() -> None:
    assert rust_targets.holds('cfg(target_os = "macos")', BOTH)
    assert rust_targets.holds('cfg(target_vendor = "apple")', BOTH)
    assert not rust_targets.holds("cfg(windows)", BOTH)
    assert rust_targets.machines(["plan9"]) == ()


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "cfg()",
        "cfg(unix",
        "cfg(unix))",
        "cfg(a b)",
        "cfg(not(a, b))",
        "cfg(some(a))",
        "cfg(a = b)",
        "cfg(unix) x",
        "cfg(" * 3,
        "cfg(" + "not(" * 2000 + "a" + ")" * 2001,
        "cfg(" + "not(" * 40 + "a" + ")" * 41,
        'cfg(a = "b)',
        "a b",
        "cfg(,)",
        'cfg("a")',
        "cfg(=)",
    ],
)
def test_what_is_no_condition_is_an_error(condition: str) -> None:
    with pytest.raises(ValueError, match=r"^(no condition of a target|a condition of more than 4096 characters): `"):
        rust_targets.holds(condition, LINUX)


def test_without_machines_nothing_is_needed_but_what_is_needed_everywhere() -> None:
    assert not rust_targets.holds("cfg(unix)", ())
