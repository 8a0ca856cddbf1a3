"""What the tables of uv, pdm and poetry say in a pyproject.toml beside `[project]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.core.errors import UserError
from toolkit.requirements import fingerprints, lock_inputs, tool_tables

if TYPE_CHECKING:
    from tests.unit.conftest import Workspace

SERVICE = '[project]\nname = "svc"\nversion = "1"\ndependencies = [\n    "acme-lib>=1",\n]\n'


def service(workspace: Workspace, tables: str, **more: str) -> Workspace:
    return workspace.write({"svc/pyproject.toml": SERVICE + tables, "svc/bin/svc": "", **more})


def read(workspace: Workspace) -> lock_inputs.LockInputs:
    project = workspace.discover()
    return lock_inputs.read(project, project.services[0], ("linux",))


def test_constraints_of_uv_hold_as_those_of_a_file_do(workspace: Workspace) -> None:
    tables = '[tool.uv]\nconstraint-dependencies = ["idna<3"]\nbuild-constraint-dependencies = ["setuptools<70"]\n'
    inputs = read(service(workspace, tables, **{"pyproject.toml": '[tool.uv]\nconstraint-dependencies = ["six<2"]\n'}))
    assert [(line.text, line.origin) for line in inputs.constraints] == [
        ("six<2", "pyproject.toml:2"),
        ("idna<3", "svc/pyproject.toml:8"),
    ]
    assert [(line.text, line.origin) for line in inputs.building.constraints] == [
        ("setuptools<70", "svc/pyproject.toml:9")
    ]
    assert [line.text for line in inputs.lines] == ["acme-lib>=1"]


@pytest.mark.parametrize(
    "tables",
    [
        '[tool.uv]\nconstraint-dependencies = ["idna<3"]\n',
        '[tool.uv]\nbuild-constraint-dependencies = ["idna<3"]\n',
        '[tool.uv]\ndev-dependencies = ["idna<3"]\n',
        '[tool.pdm.dev-dependencies]\ntest = ["idna<3"]\n',
    ],
)
def test_a_change_of_these_tables_is_noticed(workspace: Workspace, tables: str) -> None:
    path = service(workspace, tables).root / "svc" / "pyproject.toml"
    before = fingerprints.fingerprint([path], workspace.root)
    path.write_text(path.read_text().replace("idna<3", "idna<4"))
    assert fingerprints.changes(before, workspace.root) == {"svc/pyproject.toml": "changed"}


@pytest.mark.parametrize(
    "tables", ['[tool.uv]\nconstraint-dependencies = "idna<3"\n', "[tool.uv]\nconstraint-dependencies = [3]\n"]
)
def test_a_list_that_is_none_is_refused(workspace: Workspace, tables: str) -> None:
    with pytest.raises(UserError, match=r"svc/pyproject\.toml: constraint-dependencies"):
        read(service(workspace, tables))


def test_groups_from_before_the_standard_are_read(workspace: Workspace) -> None:
    tables = '[tool.uv]\ndev-dependencies = ["ruff"]\n[tool.pdm.dev-dependencies]\ntest = ["pytest"]\n'
    inputs = read(service(workspace, tables))
    assert [line.text for line in inputs.development.requirements] == ["ruff"]
    assert [line.text for line in inputs.tests.requirements] == ["pytest"]


@pytest.mark.parametrize("table", ["group.dev.dependencies", "dev-dependencies"])
def test_groups_of_poetry_count_beside_a_project_table(workspace: Workspace, table: str) -> None:
    project = service(workspace, f'[tool.poetry.{table}]\nruff = "^0.4"\n')
    assert [line.text for line in read(project).development.requirements] == ["ruff>=0.4,<0.5"]
    path = project.root / "svc" / "pyproject.toml"
    before = fingerprints.fingerprint([path], project.root)
    path.write_text(path.read_text().replace("0.4", "0.5"))
    assert fingerprints.changes(before, project.root) == {"svc/pyproject.toml": "changed"}


SOURCES = {
    '[tool.uv.sources]\nacme-lib = {git = "https://me:secret@host/lib"}\n': "git = ",
    '[tool.uv.sources]\nAcme_Lib = {url = "https://host/lib-1.tar.gz"}\n': "url = ",
    '[tool.uv.sources]\nacme-lib = {path = "../lib", editable = true}\n': "path = ",
    "[tool.uv.sources]\nacme-lib = {workspace = true}\n": "workspace = true",
    '[[tool.uv.sources.acme-lib]]\nindex = "a"\n[[tool.uv.sources.acme-lib]]\ngit = "https://host/x"\n': "git = ",
    '[tool.poetry.dependencies]\nacme-lib = {git = "https://host/x"}\n': "git = ",
}


@pytest.mark.parametrize(("tables", "told"), SOURCES.items())
@pytest.mark.parametrize("beside", [False, True])
def test_what_another_tool_takes_from_no_index_comes_from_none(
    workspace: Workspace, tables: str, told: str, beside: bool
) -> None:
    service(workspace, tables, **({"svc/requirements.txt": "acme-lib\n"} if beside else {}))
    with pytest.raises(UserError) as caught:
        read(workspace)
    assert caught.value.what.startswith("svc/pyproject.toml:5: `acme-lib>=1` would come from the index, but svc/pyp")
    assert told in caught.value.what
    assert "secret" not in str(caught.value)
    workspace.package("lib", "acme-lib", version="1.2")
    assert {package.name for package in read(workspace).tree.local} == {"acme-lib", "svc"}


def test_a_source_of_the_project_s_own_table_counts_for_its_packages(workspace: Workspace) -> None:
    service(workspace, "", **{"pyproject.toml": '[tool.uv.sources]\nacme-lib = {git = "https://host/x"}\n'})
    with pytest.raises(UserError, match=r"svc/pyproject\.toml:5: .*, but pyproject\.toml says git = "):
        read(workspace)


def test_what_is_not_followed_is_told(workspace: Workspace) -> None:
    tables = (
        '[tool.uv]\noverride-dependencies = ["x"]\n[tool.uv.extra-build-dependencies]\nx = ["y"]\n'
        '[tool.uv.sources]\nacme-lib = {index = "corp"}\n[tool.poetry.dependencies]\nzed = {source = "corp"}\n'
    )
    directory = service(workspace, tables).root / "svc"
    assert [what for what, _ in tool_tables.unread(directory)] == [
        "override-dependencies",
        "extra-build-dependencies",
        "the index of acme-lib, zed",
    ]
    assert [line.text for line in read(workspace).lines] == ["acme-lib>=1"]


def test_nothing_is_told_where_there_are_no_such_tables(workspace: Workspace) -> None:
    directory = service(workspace, "[tool.uv]\npackage = true\n").root / "svc"
    assert list(tool_tables.unread(directory)) == []
    assert tool_tables.fingerprinted({"tool": {"uv": {"package": True}}}) == {}
