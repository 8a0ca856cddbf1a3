"""What is built for a service has all that it requires."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.workshop import HERE
from tests.unit.locks import line, lock_of
from tests.wheel_files import make_wheel
from toolkit.build import completeness, interpreters
from toolkit.core.errors import UserError
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.interpreter import Interpreter
from toolkit.model.lock import DirectRequirement, LocalPackage
from toolkit.project import discovery
from toolkit.project.settings import Settings
from toolkit.vendored.check import Problem
from toolkit.wheel import metadata

SERVICE = LocalPackage(name="yc-app", path="app")


@pytest.fixture
def here() -> Interpreter:
    return replace(interpreters.find((HERE,)), marker_environment={"python_version": "3.11", "sys_platform": "linux"})


def found(root: Path, here: Interpreter, *lines: DirectRequirement, **requires: str) -> list[Problem]:
    """Return the problems of a project with the service app and the library six, of what is installed.

    `requires` are requirements by name, between semicolons and blanks; a name may have a version: `six_1_0`.
    """
    for name, directory in (("yc-app", "app"), ("six", "libsix")):
        (root / directory).mkdir(parents=True)
        text = f'[project]\nname = "{name}"\nversion = "1.0"\n'
        (root / directory / "pyproject.toml").write_text(text, encoding="utf-8")
    (root / "app/bin").mkdir()
    project = discovery.discover(Settings(project=root))
    installed = {}
    for key, texts in requires.items():
        name = key.replace("_", "-")
        needed = tuple(filter(None, (text.strip() for text in texts.split("|"))))
        installed[name] = CoreMetadata(name=name, version="1.0", requires=needed)
    lock = lock_of(local=(SERVICE,), direct=lines)
    return list(completeness.problems(project, lock, installed, here))


def test_what_was_found_to_be_complete_is_asked_again_when_anything_changes(tmp_path: Path, here: Interpreter) -> None:
    assert found(tmp_path / "project", here) == []
    root, kept = tmp_path / "project", tmp_path / "build/complete/app"
    service = make_wheel(tmp_path, "yc-app", {"app.py": ""}, metadata="Requires-Dist: web\n")
    web = make_wheel(tmp_path, "web", {"web.py": ""})
    lock = lock_of(local=(SERVICE,))

    def require(*wheels: Path) -> None:
        completeness.require(discovery.discover(Settings(project=root)), lock, wheels, here, kept)

    with pytest.raises(UserError, match="requires `web`, which is not installed"):
        require(service)
    assert not kept.exists()
    require(service, web)
    read: list[Path] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metadata, "read", read.append)
        require(web, service)
    assert read == []
    with pytest.raises(UserError, match="requires `web`, which is not installed"):
        require(service)
    make_wheel(tmp_path, "web", {"web.py": ""}, metadata="Requires-Dist: gone\n")
    with pytest.raises(UserError, match="requires `gone`, which is not installed"):
        require(service, web)


APP_NEEDS_WEB = line("yc-app", "web", "web", "app/requirements.txt:1")


def test_what_is_complete_has_no_problems(tmp_path: Path, here: Interpreter) -> None:
    complete = {"yc_app": "web>=1", "web": "Wire_X ; python_version >= '3'", "wire_x": "no requirement @@ at all"}
    assert found(tmp_path, here, APP_NEEDS_WEB, **complete) == []


def test_the_chain_to_what_is_missing(tmp_path: Path, here: Interpreter) -> None:
    (problem,) = found(tmp_path, here, APP_NEEDS_WEB, yc_app="", web="wire", wire="idna>=3")
    assert problem.what == "yc-app -> web -> wire requires `idna>=3`, which is not installed"
    assert problem.hint == (
        "if wire is to have it, add the line `idna>=3` to the dependencies in app/pyproject.toml and run `make vendor`"
    )


def test_a_local_package_of_another_version(tmp_path: Path, here: Interpreter) -> None:
    (problem,) = found(tmp_path, here, APP_NEEDS_WEB, yc_app="", web="six>=1.5", six="")
    assert problem.what == "yc-app -> web requires `six>=1.5`, but installed is six 1.0 from libsix/"
    assert problem.hint == "bring libsix/ to a version that fits, or take another version of web"


def test_a_local_package_that_was_left_out(tmp_path: Path, here: Interpreter) -> None:
    (problem,) = found(tmp_path, here, APP_NEEDS_WEB, yc_app="", web="six")
    assert problem.hint == "run `make vendor`: libsix/ is the package of that name"


def test_what_only_the_setup_of_a_service_declares(tmp_path: Path, here: Interpreter) -> None:
    (problem,) = found(tmp_path, here, yc_app="idna>=3")
    assert problem.what == "yc-app requires `idna>=3`, which is not installed"
    assert problem.hint == (
        "add the line `idna>=3` to the dependencies in app/pyproject.toml and run `make vendor`, "
        "or remove it from what yc-app declares"
    )


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("web", []),
        ("web[fast]", ["`quick`"]),
        ("web[all]", ["`quick`", "`other`"]),
        ("web[fast] ; sys_platform == 'win32'", []),
    ],
)
def test_extras_count_where_they_are_asked_for(
    tmp_path: Path, here: Interpreter, text: str, missing: list[str]
) -> None:
    web = "quick ; extra == 'fast' | other ; extra == 'all' | web[fast] ; extra == 'all' | x ; sys_platform == 'win32'"
    problems = found(tmp_path, here, line("yc-app", "web", text, "app/requirements.txt:1"), yc_app="", web=web)
    assert [problem.what.split()[4].rstrip(",") for problem in problems] == missing


def test_what_only_tests_ask_for_need_not_be_there(tmp_path: Path, here: Interpreter) -> None:
    tests = line("yc-app", "web", "web[fast]", "app/test-requirements.txt:1", tests=True)
    assert found(tmp_path, here, tests, yc_app="web", web="quick ; extra == 'fast'") == []


def test_what_is_taken_without_its_requirements_needs_none(tmp_path: Path, here: Interpreter) -> None:
    (tmp_path / "app").mkdir(parents=True)
    rule = "web --platform linux_x86_64 --no-deps\n"
    (tmp_path / "other").mkdir()
    (tmp_path / "other/setup.py").write_text("from setuptools import setup\nsetup(name='other')\n", encoding="utf-8")
    (tmp_path / "other/vendor.txt").write_text(rule, encoding="utf-8")
    (tmp_path / "app").rmdir()
    assert found(tmp_path, here, APP_NEEDS_WEB, yc_app="", web="idna") == []
