"""The commands that make networks for IPv6, as they are typed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.stand import virtualbox_network
from toolkit.stand.virtualbox_network import Network
from toolkit.verbs import command_line, ipv6_nat_network

TOOLKIT = Path(__file__).resolve().parents[3]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, Network, bool]]:
    """Return what is asked of which provider, on a host where neither is installed."""
    asked: list[tuple[str, Network, bool]] = []

    def note(provider: str) -> Callable[[Network, bool], None]:
        return lambda network, dry_run: asked.append((provider, network, dry_run))

    for name in ipv6_nat_network.PROVIDERS:
        monkeypatch.setitem(ipv6_nat_network.PROVIDERS, name, note(name))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("VAGRANT_DEFAULT_PROVIDER", raising=False)
    return asked


def install(directory: Path, *programs: str) -> None:
    for program in programs:
        (directory / program).write_text("#!/bin/sh\n")
        (directory / program).chmod(0o755)


def test_without_options_the_network_is_the_one_that_stands_use(made: list[object], tmp_path: Path) -> None:
    install(tmp_path, "VBoxManage")
    command_line.main(["ipv6-nat-network"])
    assert made == [("virtualbox", Network(name="yc-ipv6-nat", range="192.168.222.0/24"), False)]


def test_options_are_passed_on(made: list[object]) -> None:
    words = ["--provider=libvirt", "--name=n", "--network=10.9.0.0/16", "--prefix=fd00::/64", "--dry-run"]
    command_line.main(["ipv6-nat-network", *words])
    assert made == [("libvirt", Network(name="n", range="10.9.0.0/16", prefix="fd00::/64"), True)]


def test_vagrants_own_setting_chooses_between_two(
    made: list[tuple[str, Network, bool]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "VBoxManage", "virsh")
    with pytest.raises(UserError, match="both are installed, or neither") as caught:
        command_line.main(["ipv6-nat-network"])
    assert "VAGRANT_DEFAULT_PROVIDER" in caught.value.hint
    monkeypatch.setenv("VAGRANT_DEFAULT_PROVIDER", "libvirt")
    command_line.main(["ipv6-nat-network"])
    assert [name for name, _, _ in made] == ["libvirt"]


@pytest.mark.parametrize("option", ["--network=10.9.0.1/16", "--prefix=2a02::1/64", "--provider=vmware"])
def test_what_is_no_network_is_refused(made: list[object], option: str) -> None:
    with pytest.raises(UserError) as caught:
        command_line.main(["ipv6-nat-network", option])
    assert option.partition("=")[2] in caught.value.what
    assert made == []


def test_an_existing_network_is_made_a_router_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(virtualbox_network, "advertise", lambda network, dry_run: asked.append((network.name, dry_run)))
    command_line.main(["advertise-ipv6-route", "--natnetwork", "yc-ipv6-nat", "--dry-run"])
    assert asked == [("yc-ipv6-nat", True)]


@pytest.mark.parametrize("program", ["stand/bin/ipv6-nat-network", "stand/files/advertise_default_ipv6_route.py"])
def test_both_are_where_the_document_has_them(program: str, tmp_path: Path) -> None:
    link = tmp_path / "program"
    link.symlink_to(TOOLKIT / program)
    shown = subprocess.run([link, "--help"], check=True, text=True, capture_output=True, timeout=60).stdout
    assert "--dry-run" in shown
