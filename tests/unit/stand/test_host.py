"""What a stand takes over from the machine it is made for."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.stand import host


def test_locales_are_the_hosts_beside_the_one_that_every_stand_has() -> None:
    environment = {"LANG": "de_DE.UTF-8", "LC_TIME": "ru_RU.utf8", "LC_PAPER": "ca_ES.UTF-8@valencia"}
    assert host.locales(environment) == ["en_US.UTF-8", "de_DE.UTF-8", "ca_ES.UTF-8@valencia", "ru_RU.UTF-8"]


@pytest.mark.parametrize("value", ["C.UTF-8", "UTF-8", "POSIX", "", "en_US", "de_DE.ISO-8859-1", "x; rm -rf /"])
def test_what_is_no_locale_to_be_generated_is_left_out(value: str) -> None:
    assert host.locales({"LC_CTYPE": value}) == ["en_US.UTF-8"]


def test_the_time_zone_is_the_one_that_localtime_points_to(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "usr/share/zoneinfo/Europe").mkdir(parents=True)
    (tmp_path / "usr/share/zoneinfo/Europe/Berlin").touch()
    (tmp_path / "etc/localtime").symlink_to(tmp_path / "usr/share/zoneinfo/Europe/Berlin")
    assert host.timezone({}, tmp_path) == "Europe/Berlin"
    assert host.timezone({"TZ": ":Asia/Tokyo"}, tmp_path) == "Asia/Tokyo"
    assert host.timezone({"TZ": "/usr/share/zoneinfo/../../../etc/passwd"}, tmp_path) == "Europe/Berlin"


def test_without_a_link_the_time_zone_is_the_one_that_is_written_down(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    assert host.timezone({}, tmp_path) == "Etc/UTC"
    (tmp_path / "etc/timezone").write_text("America/Lima\n")
    assert host.timezone({}, tmp_path) == "America/Lima"


def test_a_user_without_an_ssh_configuration_has_an_empty_one(tmp_path: Path) -> None:
    assert host.ssh_config(tmp_path) == ""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text("Host *\n")
    assert host.ssh_config(tmp_path) == "Host *\n"


def test_a_preparation_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("#!/bin/sh\n")
    assert host.preparation({"VAGRANT_USER_PREP_SCRIPT": str(tmp_path / "mine")}) == "#!/bin/sh\n"
    assert host.preparation({}) == ""
    with pytest.raises(UserError, match=r"VAGRANT_USER_PREP_SCRIPT=.*/none: No such file"):
        host.preparation({"VAGRANT_USER_PREP_SCRIPT": str(tmp_path / "none")})
