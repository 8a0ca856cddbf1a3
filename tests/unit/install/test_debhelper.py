from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from toolkit.build import interpreters
from toolkit.core.errors import UserError
from toolkit.install import debhelper
from toolkit.install.service_environment import Installed, ServiceEnvironment
from toolkit.model.interpreter import Interpreter

SYSTEM = Path("/usr/bin/python3")
CONTROL = "Source: some\n\nPackage: yc-any\nArchitecture: any\n\nPackage: yc-all\nArchitecture: all\n"


@pytest.fixture
def python() -> Interpreter:
    found = interpreters.probe(SYSTEM.resolve())
    if not found:
        pytest.skip("no system interpreter")
    return found


@pytest.fixture
def project(workspace: Workspace) -> Workspace:
    workspace.service("any", "any").service("all", "all").write(
        {
            "debian/control": CONTROL,
            "debian/changelog": "some (1.0) unstable; urgency=low\n",
            "debian/rules": "",
            "debian/source/format": "3.0 (native)\n",
        }
    )
    return workspace


def installed(workspace: Workspace, name: str, python: Interpreter, *, is_pure: bool) -> Installed:
    service = workspace.discover().find(name)
    assert service
    plan = ServiceEnvironment(service=service, wheels=(), interpreter=python, prefix=Path("/usr/lib/yc", name))
    return Installed(plan=plan, root=workspace.root, scripts=(), is_pure=is_pure, left_out=(), owners={})


def packaging(workspace: Workspace) -> debhelper.Packaging:
    found = debhelper.find(workspace.settings(), workspace.root / "debian/tmp")
    assert found
    return found


@pytest.mark.parametrize("destdir", ["debian/tmp", "debian/yc-any"])
def test_finds_debhelper_at_work_by_where_it_installs(project: Workspace, destdir: str) -> None:
    assert debhelper.find(project.settings(), project.root / destdir)


@pytest.mark.parametrize("destdir", ["build/root", "debian", ".", "debian/tmp/root"])
def test_any_other_directory_is_just_a_root(project: Workspace, destdir: str) -> None:
    assert debhelper.find(project.settings(), project.root / destdir) is None


def test_each_service_goes_to_the_tree_of_its_own_package(project: Workspace) -> None:
    found = packaging(project)
    services = project.discover().services
    assert [found.destination(service) for service in services] == [
        project.root / "debian/yc-all",
        project.root / "debian/yc-any",
    ]


def test_writes_the_dependency_and_keeps_what_others_wrote(project: Workspace, python: Interpreter) -> None:
    substvars = project.root / "debian/yc-any.substvars"
    substvars.write_text("misc:Depends=x\npython3:Depends=old\n")
    packaging(project).finish(installed(project, "any", python, is_pure=False))
    packaging(project).finish(installed(project, "any", python, is_pure=False))
    assert substvars.read_text() == f"misc:Depends=x\npython3:Depends={debhelper.dependency(python)}\n"


def test_the_systems_interpreter_is_pinned_to_its_minor_version(python: Interpreter) -> None:
    minor = int(python.version.partition(".")[2])
    assert debhelper.dependency(python) == f"python3 (>= 3.{minor}~), python3 (<< 3.{minor + 1})"


def test_another_interpreter_of_the_distribution_is_a_package_of_its_own(python: Interpreter) -> None:
    assert debhelper.dependency(replace(python, path=Path("/usr/bin/python3.99"), version="3.99")) == "python3.99"


def test_refuses_an_interpreter_that_no_package_has(python: Interpreter) -> None:
    with pytest.raises(UserError, match=r"/opt/python3\.12: a package cannot depend on this interpreter"):
        debhelper.dependency(replace(python, path=Path("/opt/python3.12"), version="3.12"))


def test_refuses_compiled_code_in_a_package_for_every_architecture(project: Workspace, python: Interpreter) -> None:
    packaging(project).finish(installed(project, "all", python, is_pure=True))
    with pytest.raises(UserError, match="yc-all is `Architecture: all`, but holds compiled code") as caught:
        packaging(project).finish(installed(project, "all", python, is_pure=False))
    assert "Architecture: any" in caught.value.hint
