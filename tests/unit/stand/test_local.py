"""The machine itself is a stand where the project is at the place that stands have it, and nowhere else."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from toolkit.core.errors import UserError
from toolkit.stand import local, provisioning
from toolkit.stand.base import Access, StandOptions
from toolkit.stand.local import LocalStand

TOOLKIT = Path(__file__).resolve().parents[3]
DEVCONTAINER = TOOLKIT / "templates" / "project" / ".devcontainer" / "devcontainer.json.in"
#: Of https://github.com/devcontainers/spec, commit c95ffee, under the MIT licence.
SCHEMA = TOOLKIT / "tests" / "schemas" / "devContainer.base.schema.json"


def test_a_project_elsewhere_does_not_make_this_machine_a_stand(workspace: Workspace) -> None:
    stand = LocalStand(settings=workspace.settings(), options=StandOptions(kind="local"))
    with pytest.raises(UserError, match="is not /vagrant") as caught:
        stand.access()
    assert "`make stand` makes a machine of its own" in caught.value.hint


def test_ansible_and_commands_take_no_ssh(workspace: Workspace, tmp_path: Path) -> None:
    settings = replace(workspace.settings(), project=Path("/vagrant"))
    access = LocalStand(settings=settings, options=StandOptions(kind="local")).access()
    assert access.command("stand-services", "status") == ["stand-services", "status"]
    assert "--connection=local" in provisioning.arguments(access, tmp_path / "variables")
    assert access.read("echo", "here") == "here\n"
    assert "--connection=local" not in provisioning.arguments(Access(host="h", user="u"), tmp_path / "variables")


def test_units_need_systemd(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(local, "_SYSTEMD", tmp_path / "system")
    monkeypatch.setattr("toolkit.stand.base.require_toolkit_inside", lambda settings: None)
    settings = replace(workspace.settings(), project=Path("/vagrant"))
    with pytest.raises(UserError, match="no systemd runs here"):
        LocalStand(settings=settings, options=StandOptions(kind="local", mode="deb")).up()


@pytest.mark.parametrize(("change", "status"), [({}, 0), ({"onCreateCommand": 5}, 1)])
def test_the_devcontainer_fits_its_schema(change: dict[str, int], status: int, tmp_path: Path) -> None:
    described = tmp_path / "devcontainer.json"
    described.write_text(json.dumps({**json.loads(DEVCONTAINER.read_text()), **change}))
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(SCHEMA), str(described)]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == status, done.stdout
