"""What editors are told, and whose files are left alone."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from toolkit.build import interpreters
from toolkit.core import json_comments
from toolkit.develop import editor_files, editors
from toolkit.develop.workon import Environment

FILES = {".idea/misc.xml", ".idea/modules.xml", ".idea/project.iml", ".idea/vcs.xml", ".vscode/settings.json", ".envrc"}


@pytest.fixture
def project(workspace: Workspace) -> Workspace:
    workspace.service("api", "api").package("lib", "lib").package("common", "yc-common")
    listed = "".join(f'[submodule "{name}"]\n\tpath = {name}\n' for name in ("common", "vendor"))
    return workspace.write({".gitmodules": listed, "lib/src/lib.py": "", "api/tests/test_it.py": ""})


def write(project: Workspace, *options: str, name: str = "it's ß", has_pytest: bool = True) -> Path:
    found, prefix = project.discover(), project.root.parent / name
    python = interpreters.probe(Path(sys.executable))
    assert python
    parser = argparse.ArgumentParser()
    editors.add_options(parser)
    made = Environment(prefix=prefix, project=found, interpreter=python, packages=found.packages)
    if has_pytest:
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
    assert json.loads((project.root / ".vscode" / "settings.json").read_text()) == {
        "python.defaultInterpreterPath": str(prefix / "bin" / "python"),
        "python.analysis.extraPaths": [str(project.root / path) for path in ("api", "common", "lib/src")],
        "python.testing.pytestEnabled": True,
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


@pytest.mark.parametrize("content", [b"\xff mine\n", b"mine"])
@pytest.mark.parametrize("name", sorted(FILES))
def test_what_is_not_as_such_a_file_has_to_be_is_left_alone_and_said(
    project: Workspace, capsys: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    project.write({name: ""})
    (project.root / name).write_bytes(content)
    write(project, "--vscode", "--pycharm", "--direnv")
    assert (project.root / name).read_bytes() == content
    assert f"  KEEP    {name}: " in capsys.readouterr().out


def test_a_script_that_was_changed_is_left_alone(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, "--direnv")
    with (project.root / ".envrc").open("a") as stream:
        stream.write("export MINE=1\n")
    write(project, "--direnv", name="other")
    assert "MINE" in (project.root / ".envrc").read_text()
    assert "  KEEP    .envrc: it is yours, or was changed; remove it to have it written\n" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_link_that_leads_nowhere_is_somebodys_too(project: Workspace, name: str) -> None:
    (project.root / name).parent.mkdir(exist_ok=True)
    (project.root / name).symlink_to("nowhere")
    write(project, "--direnv", "--vscode", "--pycharm")
    assert (project.root / name).is_symlink()


def test_a_link_to_a_file_stays_one(project: Workspace) -> None:
    (project.root / ".vscode").mkdir()
    (project.root / "shared.json").write_text("{}\n")
    (project.root / ".vscode/settings.json").symlink_to("../shared.json")
    write(project, "--vscode")
    assert (project.root / ".vscode/settings.json").is_symlink()
    assert "python.testing" in (project.root / "shared.json").read_text()


@pytest.mark.parametrize("name", sorted(FILES - {".envrc"}))
@pytest.mark.parametrize("is_directory", [True, False])
def test_a_link_out_of_the_project_is_not_followed(
    project: Workspace, capsys: pytest.CaptureFixture[str], name: str, is_directory: bool
) -> None:
    outside = project.root.parent / "mine"
    outside.mkdir()
    there = outside / Path(name).name
    there.write_text("{}\n" if name.endswith(".json") else "<project />\n")
    before = there.read_bytes()
    link = (project.root / name).parent if is_directory else project.root / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside if is_directory else there)
    write(project, "--direnv", "--vscode", "--pycharm")
    assert there.read_bytes() == before
    assert [path.name for path in outside.iterdir()] == [there.name]
    assert f"  KEEP    {name}: it leads out of the project" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["directory", "loop", "pipe", "file above"])
@pytest.mark.parametrize("name", sorted(FILES))
def test_what_is_no_file_is_left_alone(
    project: Workspace, capsys: pytest.CaptureFixture[str], name: str, kind: str
) -> None:
    path = project.root / name
    if kind == "file above" and path.parent != project.root:
        path.parent.write_text("")
    elif kind == "directory":
        path.mkdir(parents=True)
    else:
        path.parent.mkdir(exist_ok=True)
        os.mkfifo(path) if kind == "pipe" else path.symlink_to(path.name)
    write(project, "--direnv", "--vscode", "--pycharm")
    assert f"  KEEP    {name}: " in capsys.readouterr().out


class TestVSCodeOfAUser:
    """Settings that are there: theirs stay, as text too."""

    TEXT = """\
{
  // how wide: "editor.rulers"
  "editor.rulers": [100],  /* , } */
  "python.testing.pytestArgs": ["-x", "gone/tests", "api/tests"], // ours
  "files.exclude": {"**/x": true,},
}
"""

    def test_what_is_missing_is_added_and_the_rest_stays_as_it_was(self, project: Workspace) -> None:
        project.write({".vscode/settings.json": self.TEXT, "new/setup.py": "", "new/tests/x": ""})
        prefix = write(project, "--vscode")
        text = (project.root / ".vscode/settings.json").read_text()
        assert text.startswith(self.TEXT.partition('["-x"')[0])
        assert '  ], // ours\n  "files.exclude": {"**/x": true,},\n  "python.' in text
        found = json_comments.read(text)
        assert found["python.testing.pytestArgs"] == ["-x", "api/tests", "new/tests"]
        assert found["python.defaultInterpreterPath"] == str(prefix / "bin/python")
        assert found["files.exclude"] == {"**/x": True}

    def test_values_of_theirs_stay_unless_they_lead_nowhere(
        self, project: Workspace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings = {
            "python.defaultInterpreterPath": sys.executable,
            "python.testing.pytestEnabled": False,
            "python.analysis.extraPaths": ["stubs"],
        }
        project.write({".vscode/settings.json": json.dumps(settings)})
        write(project, "--vscode")
        found = json_comments.read((project.root / ".vscode/settings.json").read_text())
        assert found["python.analysis.extraPaths"][0] == "stubs"
        assert str(project.root / "api") in found["python.analysis.extraPaths"]
        assert {**settings, "python.analysis.extraPaths": 0} == {
            key: 0 if key == "python.analysis.extraPaths" else found[key] for key in settings
        }
        assert "KEEP    .vscode/settings.json: python.defaultInterpreterPath is " in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ('{"python.analysis.extraPaths": ["\\ud800"]}', "surrogates not allowed"),
            ('{"x": ' + "[" * 100_000, "nested too deeply"),
            ("[]", "it is no object"),
        ],
    )
    def test_what_cannot_be_written_again_is_left_alone(
        self, project: Workspace, capsys: pytest.CaptureFixture[str], text: str, problem: str
    ) -> None:
        path = project.write({".vscode/settings.json": text}).root / ".vscode/settings.json"
        write(project, "--vscode")
        assert path.read_text() == text
        assert problem in capsys.readouterr().out

    def test_what_a_value_says_is_not_obeyed_by_a_terminal(
        self, project: Workspace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        project.write({".vscode/settings.json": '{"python.defaultInterpreterPath": "$\\u001b[2J\\nerror: no"}'})
        write(project, "--vscode")
        said = capsys.readouterr().out
        assert r"is $\x1b[2J\nerror: no; remove it" in said

    def test_a_file_of_an_older_toolkit_is_brought_up_to_date(self, project: Workspace) -> None:
        old = f'// {editor_files.MARK}\n{{"python.testing.pytestEnabled": false}}\n'
        path = project.write({".vscode/settings.json": editor_files.marked(old)}).root / ".vscode/settings.json"
        write(project, "--vscode")
        assert json.loads(path.read_text())["python.testing.pytestEnabled"] is True
        path.write_text(editor_files.marked(old).replace("false", "false, "))
        write(project, "--vscode")
        assert json_comments.read(path.read_text())["python.testing.pytestEnabled"] is False
        assert editor_files.MARK not in path.read_text()

    def test_without_pytest_nothing_is_claimed_that_has_no_tests(self, project: Workspace) -> None:
        write(project, "--vscode", has_pytest=False)
        found = json_comments.read((project.root / ".vscode/settings.json").read_text())
        assert found["python.testing.unittestEnabled"] is True
        (project.root / "api/tests/test_it.py").unlink()
        (project.root / "api/tests").rmdir()
        (project.root / ".vscode/settings.json").unlink()
        write(project, "--vscode", has_pytest=False)
        assert "testing" not in (project.root / ".vscode/settings.json").read_text()


class TestPyCharmOfAUser:
    """Files that PyCharm has written anew, with what its user has set."""

    MISC = """\
<?xml version="1.0" encoding="UTF-8"?>
<project version="4">
  <component name="Black">
    <option name="sdkName" value="Python 3.11 (it's &#xdf;)" />
  </component>
  <component name="ProjectRootManager" version="2" project-jdk-name="{}" project-jdk-type="Python SDK" />
</project>"""

    @pytest.fixture
    def pycharm(self, project: Workspace) -> Path:
        """Return .idea/ as PyCharm leaves it: without comments, with a module and marks of the user's."""
        write(project, "--pycharm")
        idea = project.root / ".idea"
        (idea / "project.iml").rename(idea / "mail.iml")
        for path in idea.iterdir():
            path.write_text(path.read_text().replace("project.iml", "mail.iml"))
        module = (idea / "mail.iml").read_text()
        marked = '<sourceFolder url="file://$MODULE_DIR$/api" isTestSource="true" packagePrefix="x" />'
        module = module.replace('<sourceFolder url="file://$MODULE_DIR$/api" isTestSource="false" />', marked)
        (idea / "mail.iml").write_text(
            module.replace("</module>", '  <component name="PyTest"><!-- c --></component>\n</module>')
        )
        return idea

    def test_what_pycharm_has_written_anew_is_brought_up_to_date_as_services_come(
        self, project: Workspace, pycharm: Path
    ) -> None:
        before = {path.name: path.read_text() for path in pycharm.iterdir()}
        write(project, "--pycharm")
        assert {path.name: path.read_text() for path in pycharm.iterdir()} == before
        project.service("new", "new")
        write(project, "--pycharm")
        after = {path.name: path.read_text() for path in pycharm.iterdir()}
        assert [name for name in after if after[name] != before.get(name)] == ["mail.iml"]
        assert '<sourceFolder url="file://$MODULE_DIR$/new" isTestSource="false" />' in after["mail.iml"]
        assert after["mail.iml"].count('$MODULE_DIR$/api"') == 1
        assert 'isTestSource="true" packagePrefix="x"' in after["mail.iml"]
        assert "<!-- c -->" in after["mail.iml"]

    def test_another_interpreter_that_was_chosen_stays_and_is_said(
        self, project: Workspace, pycharm: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (pycharm / "misc.xml").write_text(self.MISC.format("Poetry (mail)"))
        write(project, "--pycharm")
        assert (pycharm / "misc.xml").read_text() == self.MISC.format("Poetry (mail)")
        assert "  KEEP    .idea/misc.xml: the interpreter is 'Poetry (mail)'" in capsys.readouterr().out

    def test_an_older_python_of_this_environment_is_replaced(self, project: Workspace, pycharm: Path) -> None:
        (pycharm / "misc.xml").write_text(self.MISC.format("Python 3.9 (it's ß)"))
        write(project, "--pycharm")
        tree = ET.parse(pycharm / "misc.xml").getroot()
        assert tree[1].get("project-jdk-name") == f"Python {sys.version_info[0]}.{sys.version_info[1]} (it's ß)"
        assert tree[0].get("name") == "Black"

    @pytest.mark.parametrize(
        "text",
        [
            "<project",
            "<module />",
            "<project>" + "<a>" * 3000 + "</a>" * 3000 + "</project>",
            '<!DOCTYPE x [<!ENTITY a "b">]><project>&a;</project>',
        ],
    )
    def test_what_is_no_file_of_its_is_left_alone(self, project: Workspace, pycharm: Path, text: str) -> None:
        (pycharm / "vcs.xml").write_text(text)
        write(project, "--pycharm")
        assert (pycharm / "vcs.xml").read_text() == text

    def test_entities_are_not_expanded_wherever_a_file_is_read(self, project: Workspace, pycharm: Path) -> None:
        entities = "".join(f'<!ENTITY a{n + 1} "&a{n};&a{n};">' for n in range(9))
        text = f'<!DOCTYPE x [<!ENTITY a0 "$PROJECT_DIR$/.idea/a">{entities}]>'
        (pycharm / "modules.xml").write_text(f'{text}<project><module filepath="&a0;.iml" /></project>')
        write(project, "--pycharm")
        assert not (pycharm / "a.iml").exists()
