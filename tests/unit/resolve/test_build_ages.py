"""Bounds for what builds an sdist that is older than what it uses."""

from __future__ import annotations

import pytest

from toolkit.resolve import build_ages

PKG_RESOURCES = ("pkg_resources",)
OLD = "2020-06-22T23:32:10.000001Z"


@pytest.mark.parametrize(
    ("requirements", "uploaded", "words", "bounds"),
    [
        (["setuptools>=40.8.0"], OLD, PKG_RESOURCES, ["setuptools<82"]),
        (["setuptools", "wheel"], OLD, ("pkg_resources", "use_2to3"), ["setuptools<58"]),
        (["setuptools"], "2022-01-01", ("use_2to3",), []),
        (["setuptools"], OLD, ("msvccompiler", "pkg_resources"), ["setuptools<74"]),
        (["setuptools"], OLD, (), []),
        (["Cython>=0.29", "setuptools"], OLD, (), ["cython<3"]),
        (["cython!=0.28"], "2023-07-16T00:00:00", (), ["cython<3"]),
        (["cython"], "2024-01-01", (), []),
        (["setuptools"], "2026-02-08T00:00:00Z", PKG_RESOURCES, []),
        # Names a bound, or a version.
        (["setuptools<81"], OLD, PKG_RESOURCES, []),
        (["setuptools", "setuptools==80 ; python_version < '3'"], OLD, PKG_RESOURCES, []),
        (["cython~=0.29"], OLD, (), []),
        (["other"], OLD, PKG_RESOURCES, []),
        # Nothing tells its age.
        (["cython"], "", (), []),
    ],
)
def test_bounds(requirements: list[str], uploaded: str, words: tuple[str, ...], bounds: list[str]) -> None:
    assert list(build_ages.bounds(requirements, uploaded, words, ["3.11"])) == bounds


def test_a_release_that_the_interpreter_does_not_run_is_no_way_out() -> None:
    words = ("use_2to3", "pkg_resources")
    assert list(build_ages.bounds(["setuptools"], OLD, words, ["3.11", "3.13"])) == ["setuptools<82"]


def test_the_reason_is_told() -> None:
    found = build_ages.bounds(["setuptools"], OLD, PKG_RESOURCES, ["3.11"])
    assert found == {"setuptools<82": "of 2020-06-22, before setuptools 82 removed pkg_resources"}
