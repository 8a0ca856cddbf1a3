"""The project's own packages in an environment: on its path, with metadata, with their scripts."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from toolkit.build import interpreters
from toolkit.core.errors import UserError
from toolkit.develop import linking, workon
from toolkit.develop.workon import Environment, Link, State

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def run(site: Path, code: str) -> str:
    words = [sys.executable, "-S", "-c", f"import site; site.addsitedir({str(site)!r})\n{code}"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def make_site(workspace: Workspace, before: State = workon.NO_STATE) -> tuple[Path, Path, tuple[str, ...]]:
    project, python = workspace.discover(), interpreters.find((HERE,), sys.executable)
    made = Environment(
        prefix=workspace.root.parent / "environment", project=project, interpreter=python, packages=project.packages
    )
    made.site().mkdir(parents=True, exist_ok=True)
    (made.prefix / "bin").mkdir(exist_ok=True)
    if not (made.prefix / "bin" / "python").exists():
        (made.prefix / "bin" / "python").symlink_to(sys.executable)
    linked = [linking.of_files(package, python, "1") for package in project.packages]
    links = {item.package.name: item.link for item in linked}
    linking.write(made, made.prefix, linked, links)
    return made.prefix, made.site(), linking.write_scripts(made, made.prefix, links, before)


def test_packages_are_imported_from_where_they_are(workspace: Workspace) -> None:
    workspace.service("app", "app").write({"app/yc_app/__init__.py": "", "lib/setup.py": "", "lib/lib_one.py": ""})
    _, site, _ = make_site(workspace)
    assert run(site, "import yc_app, lib_one; print(lib_one.__file__)") == str(workspace.root / "lib" / "lib_one.py")


def test_a_src_directory_is_what_is_on_the_path(workspace: Workspace) -> None:
    workspace.package("lib", "lib").write({"lib/src/lib_one.py": ""})
    _, site, _ = make_site(workspace)
    assert run(site, "import lib_one; print(lib_one.__file__)").endswith("lib/src/lib_one.py")


def test_scripts_of_services_run_those_of_the_source_and_old_ones_go(workspace: Workspace) -> None:
    workspace.service("app", "app").write({"app/bin/yc-app": "#!/usr/bin/env python3 -u\nprint(__file__)\n"})
    prefix, _, links = make_site(workspace)
    assert links == ("bin/yc-app",)
    script = workspace.root / "app" / "bin" / "yc-app"
    done = subprocess.run([prefix / "bin" / "yc-app"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{script}\n"
    assert (prefix / "bin" / "yc-app").read_text().startswith(f"#!{prefix}/bin/python -u\n")
    script.rename(script.with_name("yc-new"))
    assert make_site(workspace, replace(workon.NO_STATE, links=links))[2] == ("bin/yc-new",)
    assert sorted(os.listdir(prefix / "bin")) == ["python", "yc-new"]


def test_what_is_no_script_of_python_is_a_link(workspace: Workspace) -> None:
    workspace.service("app", "app").write({"app/bin/yc-app": "#!/bin/sh\n", "app/bin/data": "x"})
    prefix, _, _ = make_site(workspace)
    for name in ("yc-app", "data"):
        assert os.readlink(prefix / "bin" / name) == str(workspace.root / "app" / "bin" / name)


def test_declared_scripts_are_there_and_known_as_entry_points(workspace: Workspace) -> None:
    workspace.write(
        {
            "lib/pyproject.toml": "[project]\nname = 'lib'\nversion = '1.0'\n"
            "scripts = {lib-run = 'lib_one:Main.run'}\n",
            "lib/src/lib_one.py": "class Main:\n    def run(): print('ran')\n",
        }
    )
    prefix, site, links = make_site(workspace)
    assert links == ("bin/lib-run",)
    environment = {**os.environ, "PYTHONPATH": str(workspace.root / "lib" / "src")}
    done = subprocess.run([prefix / "bin" / "lib-run"], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "ran\n"
    code = "import importlib.metadata as m; print(*m.distribution('lib').entry_points)"
    assert "value='lib_one:Main.run'" in run(site, code)


@pytest.mark.parametrize("name", ["../../outside", "a/b", "..", "-rf", "x" * 256])
def test_a_command_that_is_no_file_name_is_refused(workspace: Workspace, name: str) -> None:
    workspace.write({"one/pyproject.toml": f'[project]\nname = "one"\n[project.scripts]\n"{name}" = "one:main"\n'})
    with pytest.raises(UserError, match=r"one: the command `.*` is no file name"):
        make_site(workspace)
    assert not (workspace.root / "outside").exists()


def test_a_version_that_is_none_names_no_directory(workspace: Workspace) -> None:
    workspace.write({"one/pyproject.toml": '[project]\nname = "one"\nversion = "1/../../../../outside"\n'})
    _, site, _ = make_site(workspace)
    assert [path.name for path in site.glob("*.dist-info")] == ["one-0.dist-info"]


def test_editors_are_told_where_modules_are(workspace: Workspace) -> None:
    workspace.package("lib", "lib").write({"lib/src/lib_one.py": ""})
    prefix, _, _ = make_site(workspace)
    project, python = workspace.discover(), interpreters.find((HERE,), sys.executable)
    made = Environment(prefix=prefix, project=project, interpreter=python, packages=project.packages)
    assert workon.roots(made) == [workspace.root / "lib" / "src"]
    link = Link(identity="1", information="lib-1.dist-info", roots=("/one", "/two"))
    workon.write(prefix, replace(workon.NO_STATE, linked={"lib": link}))
    assert workon.roots(made) == [Path("/one"), Path("/two")]


def test_scripts_of_packages_are_those_of_bin_and_their_commands(workspace: Workspace) -> None:
    workspace.service("app", "app")
    project, python = workspace.discover(), interpreters.find((HERE,), sys.executable)
    linked = [linking.of_files(package, python, "1") for package in project.packages]
    other = Link(identity="1", information="x-1.dist-info", commands={"run": "x:run"}, scripts={"tool": "/x/tool"})
    assert linking.scripts_of(project.packages, linked, {"x": other}) == {"bin/yc-app", "bin/run", "bin/tool"}
