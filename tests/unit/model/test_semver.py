"""Requirements and the order of versions, as cargo has them."""

from __future__ import annotations

import itertools

import pytest

from toolkit.model import semver


@pytest.mark.parametrize(
    ("requirement", "fitting", "others"),
    [
        ("1.2.3", "1.2.3 1.2.4 1.10.0 1.2.3+build", "1.2.2 2.0.0 0.9.9 2.0.0-rc.1 1.3.0-alpha"),
        ("^1.2", "1.2.0 1.9.9", "1.1.9 2.0.0"),
        ("1", "1.0.0 1.9.0", "0.9.0 2.0.0"),
        ("0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0 1.0.0"),
        ("0.0.3", "0.0.3", "0.0.2 0.0.4 0.1.0"),
        ("0.0", "0.0.0 0.0.9", "0.1.0"),
        ("0", "0.0.0 0.9.9", "1.0.0"),
        ("0.0.0", "0.0.0", "0.0.1"),
        ("~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0"),
        ("~1.2", "1.2.0 1.2.9", "1.1.9 1.3.0"),
        ("~1", "1.0.0 1.9.9", "0.9.9 2.0.0"),
        ("=1.2.3", "1.2.3 1.2.3+b", "1.2.4 1.2.3-rc.1"),
        ("=1.2", "1.2.0 1.2.9", "1.3.0"),
        (">1.2", "1.3.0 2.0.0", "1.2.0 1.2.9 1.1.0"),
        (">=1.2, <1.5", "1.2.0 1.4.9", "1.5.0 1.1.0"),
        (" > 1.0.0 , <= 2 ", "1.0.1 2.9.9", "1.0.0 3.0.0"),
        ("<1.2.3", "1.2.2 0.1.0", "1.2.3 1.2.3-rc.1 1.0.0-rc.1"),
        ("*", "0.0.0 9.9.9", "1.0.0-rc.1"),
        ("1.*", "1.0.0 1.9.9", "0.9.9 2.0.0"),
        ("1.2.x", "1.2.0 1.2.9", "1.3.0"),
        ("=1.*.*", "1.0.0 1.9.9", "2.0.0"),
        (">=1.*", "1.0.0 2.9.9", "0.9.9"),
        ("1.2.3-beta.2", "1.2.3-beta.2 1.2.3-beta.11 1.2.3 1.4.0", "1.2.3-beta.1 1.2.3-alpha 1.2.4-beta.3"),
        (">=1.0.0-rc.1, <1.0.0", "1.0.0-rc.1 1.0.0-rc.2", "1.0.0 1.0.0-beta"),
    ],
)
def test_what_a_requirement_asks_for(requirement: str, fitting: str, others: str) -> None:
    assert [version for version in fitting.split() if not semver.matches(requirement, version)] == []
    assert [version for version in others.split() if semver.matches(requirement, version)] == []


def test_the_order_of_versions_is_that_of_the_standard() -> None:
    # https://semver.org/#spec-item-11
    order = "0.9.10 1.0.0-1 1.0.0-2 1.0.0-11 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2"
    versions = [
        *order.split(),
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.0+1",
        "1.0.0+2",
        "1.0.1",
        "1.10.0",
        "2.0.0",
    ]
    keys = [semver.key(version) for version in versions]
    assert all(first < second for first, second in itertools.pairwise(keys))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "01.2.3",
        "1.2.3-",
        "1.2.3-01",
        "1.2.3+",
        "v1.2.3",
        "1.2.3\n",
        "1.2.３",
        "9" * 30 + ".0.0",
        "18446744073709551616.0.0",
        "1.2.3-" + "a" * 300,
    ],
)
def test_what_is_no_version_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(no version|a number of more than 64 bits): `"):
        semver.key(text)


@pytest.mark.parametrize(
    "text", ["", ",", "1,", "1.*.1", "*, 1", ">", ">*", "==1", "1 2", "1.0 .2", "1\n", "1," * 40 + "1"]
)
def test_what_is_no_requirement_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"^no requirement of a version: `"):
        semver.check(text)


@pytest.mark.parametrize(
    ("version", "shared"),
    [("1.2.3", (1,)), ("0.2.3", (0, 2)), ("0.0.3", (0, 0, 3)), ("0.0.0", (0, 0, 0)), ("2.0.0-a", (2,))],
)
def test_compatible_versions_share_the_first_number_that_is_not_zero(version: str, shared: tuple[int, ...]) -> None:
    assert semver.compatible(version) == shared


def test_the_version_of_a_toolchain_may_be_short() -> None:
    assert [semver.toolchain(text) for text in ("1", "1.70", "1.70.1")] == [(1, 0, 0), (1, 70, 0), (1, 70, 1)]
    with pytest.raises(ValueError, match="no version of Rust: `nightly`"):
        semver.toolchain("nightly")
