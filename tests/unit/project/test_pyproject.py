"""The build system of a source tree, with the defaults of the standard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from toolkit.core.errors import UserError
from toolkit.project import pyproject
from toolkit.project.pyproject import BuildSystem

if TYPE_CHECKING:
    from pathlib import Path


def test_a_tree_that_declares_nothing_is_built_by_setuptools_as_of_old(tmp_path: Path) -> None:
    assert pyproject.read(tmp_path) == {}
    system = pyproject.build_system({"project": {"name": "x"}}, "x")
    assert (system.backend, system.requires) == ("setuptools.build_meta:__legacy__", ("setuptools>=40.8.0",))


def test_what_is_declared_is_taken_and_the_backend_may_be_left_out() -> None:
    table = {"requires": ["maker>1"], "build-backend": "maker.api", "backend-path": ["."]}
    assert pyproject.build_system({"build-system": table}, "x") == BuildSystem(
        requires=("maker>1",), backend="maker.api", backend_path=(".",)
    )
    assert pyproject.build_system({"build-system": {"requires": []}}, "x").backend == pyproject.LEGACY_BACKEND
    # As flit-core 2 has it.
    assert pyproject.build_system({"build-system": {**table, "backend-path": "."}}, "x").backend_path == (".",)


@pytest.mark.parametrize(
    "table",
    [
        "text",
        {},
        {"requires": "maker"},
        {"requires": [1]},
        {"requires": [], "build-backend": 1},
        {"requires": [], "backend-path": "src"},
        5,
        {"requires": [], "backend-path": 7},
        {"requires": [], "backend-path": ["a\n"]},
        {"requires": [], "backend-path": ["../../.."]},
        {"requires": [], "backend-path": [".", "a/../../b"]},
        {"requires": [], "backend-path": ["/usr/lib"]},
        {"requires": [], "build-backend": "maker; import os"},
        {"requires": ["six\n--index-url http://evil"]},
        {"requires": ["maker @ git+https://example.org/maker"]},
    ],
)
def test_a_table_that_is_not_as_the_standard_has_it_is_refused(table: Any) -> None:
    with pytest.raises(UserError, match=r"some-1\.tar\.gz: .*build-system") as caught:
        pyproject.build_system({"build-system": table}, "some-1.tar.gz")
    assert "choose another version" in caught.value.hint


@pytest.mark.parametrize("content", [b"[", b"\xff"])
def test_what_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(UserError, match=r"pyproject\.toml: not a TOML file"):
        pyproject.read(tmp_path)
