"""The interpreter to develop with: .python-version's, from pyenv, then from the system."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from toolkit.build import interpreters, pyenv
from toolkit.core.errors import UserError
from toolkit.develop import interpreter_choice
from toolkit.model.interpreter import Interpreter

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
FULL = ".".join(map(str, sys.version_info[:3]))
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that puts versions into a pyenv; each is a file that tells its version when it is probed."""
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    plain = interpreters.probe

    def probe(path: Path) -> Interpreter | None:
        if not path.is_relative_to(pyenv.root()):
            return plain(path) if path == Path(f"/usr/bin/python{HERE}") else None
        version = path.parents[1].name
        return Interpreter(
            path=path,
            version=pyenv.minor(version),
            full_version=version,
            soabi="other",
            include=Path("/none"),
            marker_environment={},
        )

    def put(*versions: str) -> None:
        for version in versions:
            path = pyenv.root() / "versions" / version / "bin" / f"python{pyenv.minor(version)}"
            path.parent.mkdir(parents=True)
            path.write_text("")

    monkeypatch.setattr(interpreters, "probe", probe)
    return put


def choose(workspace: Workspace, said: str, requested: str = "") -> Interpreter:
    workspace.service("app", "app").write({".python-version": f"{said}\n"})
    project = workspace.discover()
    minors = tuple(pyenv.minor(word) for word in said.split())
    return interpreter_choice.choose(project, project.locked, minors, requested)


def test_pyenvs_newest_comes_before_the_systems(workspace: Workspace, install: Install) -> None:
    install("3.77.9", "3.77.10", "3.78.1")
    assert choose(workspace, "3.77").full_version == "3.77.10"


def test_a_patch_version_is_taken_where_it_is_there(
    workspace: Workspace, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("3.77.9", "3.77.10")
    assert choose(workspace, "3.77.9").full_version == "3.77.9"
    assert capsys.readouterr().err == ""


def test_another_patch_version_is_taken_with_a_warning(
    workspace: Workspace, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("3.77.9")
    assert choose(workspace, "3.77.4").full_version == "3.77.9"
    assert "`pyenv install 3.77.4` gets it" in capsys.readouterr().err


def test_environments_and_other_implementations_of_pyenv_are_passed_over(install: Install) -> None:
    install("3.77.9", "pypy3.10-7.3.12", "3.77.9t", "my-env")
    assert list(pyenv.versions()) == ["3.77.9"]


def test_no_interpreter_says_which_there_are_and_how_to_get_it(workspace: Workspace, install: Install) -> None:
    install("3.77.9")
    with pytest.raises(UserError, match=r"no interpreter for Python 3\.79 .*; there is: 3\.77\.9 \(pyenv\)") as caught:
        choose(workspace, "3.79")
    assert "pyenv install 3.79" in caught.value.hint


@pytest.mark.parametrize("requested", ["3.77.9", "3.77"])
def test_a_version_may_be_asked_for(workspace: Workspace, install: Install, requested: str) -> None:
    install("3.77.9")
    assert choose(workspace, "3.78 3.77", requested).full_version == "3.77.9"


def test_a_version_that_is_not_locked_is_refused(workspace: Workspace, install: Install) -> None:
    install("3.76.1")
    with pytest.raises(UserError, match=r"is Python 3\.76, but vendor/ is locked for 3\.77") as caught:
        choose(workspace, "3.77", "3.76.1")
    assert "make vendor" in caught.value.hint


def test_what_is_no_interpreter_is_refused(workspace: Workspace, install: Install) -> None:
    with pytest.raises(UserError, match="--python nonsense: no such interpreter; there is: "):
        choose(workspace, HERE, "nonsense")


def test_extensions_are_built_by_the_distributions_own_only_where_that_is_the_same(install: Install) -> None:
    other = Interpreter(
        path=Path("/opt/python"),
        version=HERE,
        full_version=FULL,
        soabi="other",
        include=Path("/opt/include"),
        marker_environment={},
    )
    assert interpreter_choice.builder(other) == other
