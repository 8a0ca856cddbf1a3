"""A machine of Lima is made of a distribution's image by its hash, and provisioned as every stand is.

Lima is not part of Debian: a stand-in of its command fails on whatever it does not know.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.conftest import Workspace
from toolkit.core.errors import UserError
from toolkit.project.settings import Settings
from toolkit.stand import cloud_images, lima, provisioning, vagrant
from toolkit.stand.base import Access, StandOptions
from toolkit.stand.lima import LimaStand

TOOLKIT = Path(__file__).resolve().parents[3]


@pytest.fixture
def stand(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LimaStand:
    """Return the stand of a project on a machine that has Lima, whose ssh says who it is asked by."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "limactl").symlink_to(TOOLKIT / "tests" / "fakes" / "limactl")
    (programs / "ssh").write_text('#!/bin/sh\ntest -e "$(dirname "$2")/running" && echo alice\n')
    (programs / "ssh").chmod(0o755)
    (tmp_path / "lima").mkdir()
    monkeypatch.setenv("FAKE_LIMA", str(tmp_path / "lima"))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr("toolkit.stand.base.require_toolkit_inside", lambda settings: None)
    workspace.service("api", "api")
    return LimaStand(settings=workspace.settings(), options=StandOptions(suite="trixie"))


@pytest.fixture
def provisioned(monkeypatch: pytest.MonkeyPatch) -> list[Access]:
    """Return what was provisioned, which nothing is."""
    found: list[Access] = []

    def run(access: Access, settings: Settings, options: StandOptions) -> tuple[str, ...]:
        found.append(access)
        return ()

    monkeypatch.setattr(provisioning, "run", run)
    return found


def calls(tmp_path: Path) -> list[list[str]]:
    lines = (tmp_path / "lima" / "calls").read_text().splitlines()
    return [words for words in map(json.loads, lines) if words[0] != "list"]


def described(tmp_path: Path, stand: LimaStand) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((tmp_path / "lima" / stand.name / "lima.yaml").read_text())
    return read


def test_a_machine_is_made_once_started_again_and_provisioned_each_time(
    stand: LimaStand, provisioned: list[Access], tmp_path: Path
) -> None:
    stand.up()
    (tmp_path / "lima" / stand.name / "running").unlink()
    stand.up()
    made, started = calls(tmp_path)
    assert made[:3] == ["start", "--tty=false", f"--name={stand.name}"]
    assert started == ["start", "--tty=false", stand.name]
    config = tmp_path / "lima" / stand.name / "ssh.config"
    assert provisioned == [Access(host=f"lima-{stand.name}", user="alice", config=config)] * 2


def test_its_image_has_a_hash_and_the_project_is_where_every_stand_has_it(
    stand: LimaStand, provisioned: list[Access], tmp_path: Path
) -> None:
    stand.up()
    found = described(tmp_path, stand)
    image = cloud_images.of_architecture("trixie", "arm64")
    assert image
    assert {"location": image.url, "arch": "aarch64", "digest": f"sha512:{image.digest}"} in found["images"]
    assert found["mounts"] == [{"location": str(stand.settings.project), "mountPoint": "/vagrant", "writable": True}]


def test_settings_of_virtual_machines_are_those_of_vagrant(tmp_path: Path) -> None:
    given = {"STAND_CPUS": "3", "STAND_MEMORY": "3000", "STAND_PORTS": "80:8080", "STAND_NESTED": "1"}
    found = lima.describe(vagrant.read(given), tmp_path)
    assert (found["cpus"], found["memory"], found["nestedVirtualization"]) == (3, "3000MiB", True)
    assert found["portForwards"] == [{"guestPort": 80, "hostPort": 8080}]


def test_an_image_of_the_users_own_is_taken_and_a_box_is_not(tmp_path: Path) -> None:
    given = "https://images.example/ours.qcow2#sha256:" + "ab" * 32
    images = lima.describe(vagrant.read({"STAND_BOX": given}), tmp_path)["images"]
    assert {image["location"] for image in images} == {"https://images.example/ours.qcow2"}
    with pytest.raises(UserError, match="STAND_BOX=me/mine") as caught:
        lima.describe(vagrant.read({"STAND_BOX": "me/mine"}), tmp_path)
    assert "#sha512:" in caught.value.hint


def test_a_suite_that_has_a_box_alone_is_none_of_limas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    directory = tmp_path / "python-common/boxes"
    directory.mkdir(parents=True)
    (directory / "sid.box").touch()
    (directory / "sid.json").write_text('{"versions": [{"version": "1.0"}]}')
    with pytest.raises(UserError, match="STAND_SUITE=sid"):
        lima.describe(vagrant.read({"STAND_SUITE": "sid"}), tmp_path)


def test_without_lima_it_is_said_where_to_get_it(stand: LimaStand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError, match="limactl: no such program") as caught:
        stand.up()
    assert "STAND=container" in caught.value.hint


def test_a_machine_that_is_not_there_or_does_not_run_is_not_entered(
    stand: LimaStand, provisioned: list[Access], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="does not exist"):
        stand.access()
    stand.up()
    (tmp_path / "lima" / stand.name / "running").unlink()
    with pytest.raises(UserError, match="does not run") as caught:
        stand.access()
    assert "make stand STAND=lima" in caught.value.hint


def test_nothing_is_left_of_one_that_is_ended(stand: LimaStand, provisioned: list[Access], tmp_path: Path) -> None:
    stand.destroy()
    stand.up()
    stand.destroy()
    assert [path.name for path in (tmp_path / "lima").iterdir()] == ["calls"]
