"""The line that mends a build which lacks a module."""

from __future__ import annotations

import pytest

from toolkit.build import missing_modules


@pytest.mark.parametrize(
    ("output", "line"),
    [
        ("ModuleNotFoundError: No module named 'pkg_resources'", "thing: setuptools<82"),
        ("x\nModuleNotFoundError: No module named 'distutils.core'\n", "thing: setuptools"),
        ("error: invalid command 'bdist_wheel'", "thing: wheel"),
        ("ModuleNotFoundError: No module named 'numpy'", "thing: numpy"),
        ("ModuleNotFoundError: No module named 'setuptools_scm.git'", "thing: setuptools-scm"),
        ("ModuleNotFoundError: No module named 'Cython'\n….ModuleNotFoundError: No module named 'pbr'", "thing: pbr"),
    ],
)
def test_the_line(output: str, line: str) -> None:
    assert f"add the line `{line}` to a build-requirements.txt" in missing_modules.suggestion(
        output, "thing", local=False
    )


def test_a_package_of_the_project_says_it_itself() -> None:
    found = missing_modules.suggestion("ModuleNotFoundError: No module named 'pkg_resources'", "app", local=True)
    assert "add `setuptools<82` to `requires` of [build-system] in its pyproject.toml" in found


@pytest.mark.parametrize("output", ["", "error: command 'gcc' failed", "ModuleNotFoundError: No module named 'helper'"])
def test_nothing_is_missing(output: str) -> None:
    assert missing_modules.suggestion(output, "thing", local=False) == ""
