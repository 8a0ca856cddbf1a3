"""What editors are told, and whose files are left alone."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from toolkit.build import interpreters
from toolkit.develop import editors
from toolkit.develop.workon import Environment

FILES = {".idea/misc.xml", ".idea/modules.xml", ".idea/project.iml", ".idea/vcs.xml", ".vscode/settings.json", ".envrc"}


@pytest.fixture
def project(workspace: Workspace) -> Workspace:
    workspace.service("api", "api").package("lib", "lib").package("common", "yc-common")
    listed = "".join(f'[submodule "{name}"]\n\tpath = {name}\n' for name in ("common", "vendor"))
    return workspace.write({".gitmodules": listed, "lib/src/lib.py": "", "api/tests/test_it.py": ""})


def write(project: Workspace, *options: str, name: str = "it's ß") -> Path:
    found, prefix = project.discover(), project.root.parent / name
    python = interpreters.probe(Path(sys.executable))
    assert python
    parser = argparse.ArgumentParser()
    editors.add_options(parser)
    made = Environment(prefix=prefix, project=found, interpreter=python, packages=found.packages)
    (made.site() / "pytest").mkdir(parents=True, exist_ok=True)
    editors.write(made, parser.parse_args(options))
    return prefix


def written(project: Workspace) -> set[str]:
    return {name for name in FILES if (project.root / name).exists()}


def test_nothing_is_written_unless_it_is_asked_for(project: Workspace) -> None:
    write(project)
    assert written(project) == set()
    write(project, "--direnv")
    assert written(project) == {".envrc"}


def test_pycharm_knows_source_roots_and_has_submodules_as_content_roots(project: Workspace) -> None:
    write(project, "--pycharm")
    module = ET.parse(project.root / ".idea" / "project.iml").getroot()
    contents = {
        content.get("url"): [(entry.tag, entry.get("url"), entry.get("isTestSource")) for entry in content]
        for content in module.iter("content")
    }
    here = "file://$MODULE_DIR$"
    assert contents == {
        here: [
            ("sourceFolder", f"{here}/api", "false"),
            ("sourceFolder", f"{here}/lib/src", "false"),
            ("sourceFolder", f"{here}/api/tests", "true"),
            *(("excludeFolder", f"{here}/{name}", None) for name in ("build", "dist", "vendor")),
        ],
        f"{here}/common": [("sourceFolder", f"{here}/common", "false")],
    }


def test_pycharm_knows_which_directories_are_repositories(project: Workspace) -> None:
    for name in (".git", "common/.git", "vendor/.git"):
        (project.root / name).mkdir(parents=True)
    write(project, "--pycharm")
    mappings = ET.parse(project.root / ".idea" / "vcs.xml").getroot().iter("mapping")
    assert [entry.get("directory") for entry in mappings] == [
        "$PROJECT_DIR$",
        "$PROJECT_DIR$/common",
        "$PROJECT_DIR$/vendor",
    ]


def test_pycharm_is_given_one_name_of_the_interpreter_and_the_user_is_told_of_it(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = write(project, "--pycharm")
    name = f"Python {sys.version_info[0]}.{sys.version_info[1]} (it's ß)"
    misc = ET.parse(project.root / ".idea" / "misc.xml").getroot()
    module = ET.parse(project.root / ".idea" / "project.iml").getroot()
    assert misc[0].get("project-jdk-name") == name
    assert [entry.get("jdkName") for entry in module.iter("orderEntry")] == [name, None]
    assert ET.parse(project.root / ".idea" / "modules.xml").getroot()[0][0][0].get("filepath") == (
        "$PROJECT_DIR$/.idea/project.iml"
    )
    said = capsys.readouterr().out
    assert f"{prefix}/bin/python" in said
    assert name in said


def test_vscode_has_the_interpreter_the_paths_and_the_tests(project: Workspace) -> None:
    prefix = write(project, "--vscode")
    comment, _, text = (project.root / ".vscode" / "settings.json").read_text().partition("\n")
    assert comment.startswith("// ")
    assert json.loads(text) == {
        "python.defaultInterpreterPath": str(prefix / "bin" / "python"),
        "python.analysis.extraPaths": [str(project.root / path) for path in ("api", "common", "lib/src")],
        "python.testing.pytestEnabled": True,
        "python.testing.unittestEnabled": False,
        "python.testing.pytestArgs": ["api/tests"],
    }


def test_direnv_puts_the_environment_first_whatever_its_path(project: Workspace) -> None:
    prefix = write(project, "--direnv")
    script = 'PATH_add() { PATH="$1:$PATH"; }; . ./.envrc; echo "$VIRTUAL_ENV"; echo "${PATH%%:*}"'
    done = subprocess.run(["bash", "-euc", script], cwd=project.root, text=True, capture_output=True, check=True)
    assert done.stdout.splitlines() == [str(prefix), f"{prefix}/bin"]


def test_what_was_written_is_brought_up_to_date_and_the_same_again_is_silent(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, "--vscode", "--pycharm", "--direnv")
    assert written(project) == FILES
    capsys.readouterr()
    write(project, "--vscode", "--pycharm", "--direnv")
    assert not {"WRITE", "KEEP"} & set(capsys.readouterr().out.split())
    write(project, "--vscode", name="other")
    assert capsys.readouterr().out == "  WRITE   .vscode/settings.json\n"


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("is_changed", [True, False])
def test_a_file_of_somebody_else_or_a_changed_one_is_left_alone_and_said(
    project: Workspace, capsys: pytest.CaptureFixture[str], name: str, is_changed: bool
) -> None:
    if is_changed:
        write(project, "--vscode", "--pycharm", "--direnv")
    path = project.root / name
    path.parent.mkdir(exist_ok=True)
    content = (path.read_bytes() if is_changed else b"\xff mine") + b"\n"
    path.write_bytes(content)
    write(project, "--vscode", "--pycharm", "--direnv", name="other")
    assert path.read_bytes() == content
    assert f"  KEEP    {name}: it is yours, or was changed; remove it to have it written\n" in capsys.readouterr().out


def test_a_link_that_leads_nowhere_is_somebodys_too(project: Workspace) -> None:
    (project.root / ".envrc").symlink_to("nowhere")
    write(project, "--direnv")
    assert (project.root / ".envrc").is_symlink()
