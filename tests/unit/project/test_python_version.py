""".python-version: which interpreters a package is for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from toolkit.core.errors import UserError
from toolkit.model.targets import Targets
from toolkit.project import python_version
from toolkit.requirements import lock_inputs

if TYPE_CHECKING:
    from tests.unit.conftest import Workspace


def read(workspace: Workspace) -> Targets:
    project = workspace.service("svc", "svc").discover()
    return python_version.read(project, project.services[0])


def test_without_the_file_the_running_interpreter_counts(workspace: Workspace) -> None:
    found = read(workspace)
    assert found == Targets(pythons=(f"3.{sys.version_info.minor}",))


def test_several_lines_minor_and_exact(workspace: Workspace) -> None:
    found = read(workspace.write({"svc/.python-version": "# ours\n3.11.7\n\n3.13  # next\n3.11\n"}))
    assert (found.pythons, found.exact, found.file) == (("3.11", "3.13"), ("3.11.7",), "svc/.python-version")
    assert found.origins == {"3.11": "svc/.python-version:2", "3.13": "svc/.python-version:4"}


def test_the_package_s_file_comes_before_the_project_s(workspace: Workspace) -> None:
    assert read(workspace.write({".python-version": "3.12"})).file == ".python-version"
    assert read(workspace.write({"svc/.python-version": "3.11"})).pythons == ("3.11",)


@pytest.mark.parametrize(
    "text", ["three", "3", "2.7", "3.11.x", "pypy3.10", "3.13t", "3.11.2.1", "system", "mail-relay"]
)
def test_what_is_not_a_version_is_refused_with_its_line(workspace: Workspace, text: str) -> None:
    with pytest.raises(UserError) as caught:
        read(workspace.write({"svc/.python-version": f"3.11\n{text}\n"}))
    assert caught.value.what == f"svc/.python-version:2: not a Python version: `{text}`"
    assert "3.11" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("3", "another version on another machine; "),
        ("system", "another version on another machine; "),
        ("pypy3.10-7.3.12", "CPython; "),
        ("miniconda3-latest", "CPython; "),
        ("3.13.1t", "lock; "),
        ("3.14.0rc1", "not released"),
        ("mail-relay", "a virtual environment of pyenv"),
        ("3.11.7/envs/mail", "a virtual environment of pyenv"),
    ],
)
def test_what_pyenv_alone_knows_is_refused_with_the_reason(workspace: Workspace, text: str, reason: str) -> None:
    with pytest.raises(UserError) as caught:
        read(workspace.write({"svc/.python-version": text}))
    assert reason in caught.value.hint and caught.value.hint.endswith("such as 3.11 or 3.11.7")


def test_a_branch_that_is_developed_is_its_minor_version(workspace: Workspace) -> None:
    found = read(workspace.write({"svc/.python-version": "3.14-dev\n"}))
    assert (found.pythons, found.exact) == (("3.14",), ())


@pytest.mark.parametrize(
    ("files", "where"),
    [
        (
            {"svc/setup.py": "from setuptools import setup\nsetup(name='svc',\n  python_requires='>=3.11')\n"},
            "svc/setup.py:3",
        ),
        ({"svc/setup.cfg": "[metadata]\nname=svc\n[options]\npython_requires = >=3.11\n"}, "svc/setup.cfg:4"),
        (
            {
                "svc/requirements.txt": "lib\n",
                "lib/setup.py": "from setuptools import setup\nsetup(name='lib', python_requires='>=3.11')\n",
            },
            "lib/setup.py:2",
        ),
    ],
)
def test_so_is_one_that_a_setup_py_or_a_library_excludes(
    workspace: Workspace, files: dict[str, str], where: str
) -> None:
    workspace.service("svc", "svc").write({**files, "svc/.python-version": "3.10\n"})
    project = workspace.discover()
    with pytest.raises(UserError) as caught:
        lock_inputs.read(project, project.services[0], ("linux",))
    assert caught.value.what == f"{where}: python_requires is `>=3.11`, but svc/.python-version:1 is Python 3.10"


def test_a_file_without_a_version_is_refused(workspace: Workspace) -> None:
    with pytest.raises(UserError, match=r"svc/.python-version: no version in it"):
        read(workspace.write({"svc/.python-version": "# none\n"}))


def read_inputs(workspace: Workspace) -> lock_inputs.LockInputs:
    project = workspace.service("svc", "svc").discover()
    return lock_inputs.read(project, project.services[0], ("linux",))


def requiring(workspace: Workspace, specifier: str) -> Workspace:
    text = f"[project]\nname = 'svc'\nrequires-python = '{specifier}'\n"
    return workspace.write({"svc/pyproject.toml": text, "svc/.python-version": "3.11\n3.12\n"})


@pytest.mark.parametrize("specifier", [">=3.11", ">=3.11.4,<4", "~=3.11", ">=3.10,!=3.12.0"])
def test_interpreters_that_the_package_declares_it_runs_on(workspace: Workspace, specifier: str) -> None:
    assert read_inputs(requiring(workspace, specifier)).targets.pythons == ("3.11", "3.12")


def test_an_interpreter_that_the_package_excludes_is_told_with_both_places(workspace: Workspace) -> None:
    with pytest.raises(UserError) as caught:
        read_inputs(requiring(workspace, ">=3.12"))
    assert caught.value.what == (
        "svc/pyproject.toml:3: requires-python is `>=3.12`, but svc/.python-version:1 is Python 3.11"
    )


def test_a_requires_python_that_is_none_is_named(workspace: Workspace) -> None:
    with pytest.raises(UserError, match=r"svc/pyproject\.toml:3: requires-python is no specifier: `x`"):
        read_inputs(requiring(workspace, "x"))
