"""Variables of Ansible: a project, its services, and what a stand takes over from its host."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from toolkit.core.errors import UserError
from toolkit.stand import ansible_variables
from toolkit.stand.ansible_variables import Guest
from toolkit.verbs import command_line

CONTROL = """\
Source: demo
Maintainer: Somebody <somebody@example.com>

Package: yc-web
Architecture: any
Description: web
"""


def packaged(workspace: Workspace) -> Workspace:
    return workspace.write(
        {
            "debian/control": CONTROL,
            "debian/rules": "",
            "debian/yc-web.service": "",
            "debian/changelog": "demo (1.0) unstable; urgency=low\n",
            "debian/source/format": "3.0 (native)\n",
        }
    )


def described(workspace: Workspace) -> dict[str, str]:
    [service] = ansible_variables.services(workspace.discover(), workspace.settings())
    return service


def test_a_service_is_told_with_its_script_and_its_lock(workspace: Workspace) -> None:
    workspace.service("web", "web").write({"web/bin/admin": "#!/bin/sh\n", "vendor/pylock.web.toml": ""})
    found = described(workspace)
    assert (found["name"], found["directory"], found["script"]) == ("web", "web", "yc-web")
    assert len(found["lock"]) == 64
    assert (found["package"], found["unit"], found["deb"]) == ("", "", "")


@pytest.mark.parametrize(
    ("scripts", "main"),
    [(["yc-other", "web"], "web"), (["admin", "yc-server"], "yc-server"), (["run"], "run"), ([], "")],
)
def test_the_script_of_a_service_is_the_one_that_is_named_most_like_it(
    workspace: Workspace, scripts: list[str], main: str
) -> None:
    workspace.package("web", "web").write({"web/bin/": "", **{f"web/bin/{name}": "" for name in scripts}})
    assert described(workspace)["script"] == main


def test_a_packaged_service_is_told_with_its_unit_and_its_newest_package(workspace: Workspace) -> None:
    packaged(workspace.service("web", "web")).write({"dist/yc-web_2_amd64.deb": "", "dist/yc-web_10_amd64.deb": ""})
    os.utime(workspace.root / "dist/yc-web_10_amd64.deb", (1, 1))
    found = described(workspace)
    assert (found["package"], found["unit"], found["deb"]) == ("yc-web", "yc-web.service", "dist/yc-web_2_amd64.deb")


def test_a_machine_of_others_gets_no_private_files(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text("Host *\n")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    workspace.service("web", "web")
    for is_own, text in ((True, "Host *\n"), (False, "")):
        variables = ansible_variables.collect(workspace.settings(), Guest(mode="tmux", is_own=is_own), {})
        assert variables["stand_ssh_config"] == text


def test_prints_one_object_that_ansible_takes(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    workspace.service("web", "web").write({"web/.python-version": "3.11\n"})
    assert (
        command_line.main(
            ["stand-variables", "--project", str(workspace.root), "--mode", "deb", "--suite", "trixie", "--nested"]
        )
        == 0
    )
    variables = json.loads(capsys.readouterr().out)
    assert all(name.startswith("stand_") for name in variables)
    assert (variables["stand_mode"], variables["stand_suite"], variables["stand_nested"]) == ("deb", "trixie", True)
    assert (variables["stand_project"], variables["stand_pythons"]) == ("/vagrant", ["3.11"])
    assert {"tmux", "sudo"} <= set(variables["stand_packages"]) and "python3-dev" in variables["stand_build_packages"]


def test_locales_are_the_hosts_beside_the_one_that_every_stand_has() -> None:
    environment = {"LANG": "de_DE.UTF-8", "LC_TIME": "ru_RU.utf8", "LC_PAPER": "ca_ES.UTF-8@valencia"}
    assert ansible_variables.locales(environment) == [
        "en_US.UTF-8",
        "de_DE.UTF-8",
        "ca_ES.UTF-8@valencia",
        "ru_RU.UTF-8",
    ]


@pytest.mark.parametrize("value", ["C.UTF-8", "UTF-8", "POSIX", "", "en_US", "de_DE.ISO-8859-1", "x; rm -rf /"])
def test_what_is_no_locale_to_be_generated_is_left_out(value: str) -> None:
    assert ansible_variables.locales({"LC_CTYPE": value}) == ["en_US.UTF-8"]


def test_the_time_zone_is_the_one_that_localtime_points_to(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "usr/share/zoneinfo/Europe").mkdir(parents=True)
    (tmp_path / "usr/share/zoneinfo/Europe/Berlin").touch()
    (tmp_path / "etc/localtime").symlink_to(tmp_path / "usr/share/zoneinfo/Europe/Berlin")
    assert ansible_variables.timezone({}, tmp_path) == "Europe/Berlin"
    assert ansible_variables.timezone({"TZ": ":Asia/Tokyo"}, tmp_path) == "Asia/Tokyo"
    assert ansible_variables.timezone({"TZ": "/usr/share/zoneinfo/../../../etc/passwd"}, tmp_path) == "Europe/Berlin"


def test_without_a_link_the_time_zone_is_the_one_that_is_written_down(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    assert ansible_variables.timezone({}, tmp_path) == "Etc/UTC"
    (tmp_path / "etc/timezone").write_text("America/Lima\n")
    assert ansible_variables.timezone({}, tmp_path) == "America/Lima"


def test_a_user_without_an_ssh_configuration_has_an_empty_one(tmp_path: Path) -> None:
    assert ansible_variables.ssh_config(tmp_path) == ""


def test_a_preparation_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("#!/bin/sh\n")
    assert ansible_variables.preparation({"VAGRANT_USER_PREP_SCRIPT": str(tmp_path / "mine")}) == "#!/bin/sh\n"
    assert ansible_variables.preparation({}) == ""
    with pytest.raises(UserError, match=r"VAGRANT_USER_PREP_SCRIPT=.*/none: No such file"):
        ansible_variables.preparation({"VAGRANT_USER_PREP_SCRIPT": str(tmp_path / "none")})
