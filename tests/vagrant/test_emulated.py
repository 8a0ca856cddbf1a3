"""A stand in a machine that QEMU emulates, from nothing: its box is made, it is provisioned, used, and ended.

Minutes long, and no part of `make test`: `make stand-vagrant-test`. Services are those of packages that were built on
the host: to compile thirty dependencies would take an emulated processor longer than all the rest.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import environment, example
from tests.e2e.machine import run
from tests.vagrant.host import Host, start

__all__ = ["environment", "example"]
pytestmark = pytest.mark.e2e
#: A part of the project is there a second time, by the other way that QEMU has; libvirt knows a directory only once.
VAGRANTFILE = """\
load File.expand_path("common/stand/Vagrantfile", __dir__)
Vagrant.configure("2") do |config|
  config.vm.synced_folder "stand", "/mnt/9p", type: "9p", accessmode: "squash"
end
"""
SUITE = platform.freedesktop_os_release()["VERSION_CODENAME"]


@dataclass(frozen=True)
class Stand:
    """A machine of a project."""

    host: Host
    project: Path
    environment: dict[str, str]

    def vagrant(self, *words: str) -> str:
        """Run Vagrant in the project."""
        return self.host.run("vagrant", *words, cwd=self.project, env=self.environment)

    def run(self, command: str) -> str:
        """Run a command of the shell in the machine."""
        return self.vagrant("ssh", "--command", command).replace("\r", "")


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str], example: Path) -> Iterator[Stand]:
    """Return the stand of the example, in a machine made of a box that was made here."""
    if os.geteuid() != 0:
        pytest.skip("libvirt, started by hand, needs root: run it through sudo")
    run(["make", "box", f"SUITE={SUITE}"], cwd=example, env=environment)
    (example / "Vagrantfile").unlink(missing_ok=True)
    (example / "Vagrantfile").write_text(VAGRANTFILE)
    settings = {
        **environment,
        "VAGRANT_HOME": str(tmp_path_factory.mktemp("vagrant")),
        "STAND_SUITE": SUITE,
        "STAND_DRIVER": "qemu",
        "STAND_MEMORY": "2048",
        "VAGRANT_DEFAULT_PROVIDER": "libvirt",
        "STAND_NESTED": "1",
        "STAND_IPV6": "1",
        "STAND_MODE": "deb",
    }
    with start(tmp_path_factory.mktemp("libvirt")) as host:
        made = Stand(host, example, settings)
        print(host.run("common/stand/bin/ipv6-nat-network", cwd=example, env=settings))
        print(made.vagrant("up"))
        yield made


def test_every_service_answers(stand: Stand) -> None:
    assert "example-service" in stand.run("stand-services status")
    assert stand.run("curl --silent --show-error --fail http://127.0.0.1:8080/").strip()


def test_provisioning_again_changes_nothing(stand: Stand) -> None:
    assert "changed=0 " in stand.vagrant("provision")


@pytest.mark.parametrize(("place", "directory"), [("/vagrant", "."), ("/mnt/9p", "stand")])
def test_an_edit_on_either_side_is_seen_on_the_other(stand: Stand, place: str, directory: str) -> None:
    edited = stand.project / directory / "edited"
    edited.write_text("on the host\n")
    assert stand.run(f"cat {place}/edited") == "on the host\n"
    stand.run(f"echo in the machine | sudo tee {place}/edited")
    assert edited.read_text() == "in the machine\n"
    edited.write_text("on the host again\n")
    assert stand.run(f"cat {place}/edited") == "on the host again\n"
    edited.unlink()


def test_the_machine_has_a_way_to_ipv6(stand: Stand) -> None:
    assert stand.run("ip -6 route show default").startswith("default")


def test_its_user_may_run_machines_in_it(stand: Stand) -> None:
    assert "kvm" in stand.run("id --groups --name").split()
    assert stand.run("stat --format=%a:%G /dev/kvm /dev/vhost-vsock").split() == ["660:kvm", "660:kvm"]


def test_the_agent_goes_along(stand: Stand) -> None:
    assert "forwardagent yes" in stand.vagrant("ssh-config").lower()


def test_the_machine_is_called_after_its_user_and_project(stand: Stand) -> None:
    domains = stand.host.run("virsh", "list", "--name", cwd=stand.project, env=stand.environment).split()
    assert domains == [f"root-{stand.project.name}-vagrant"]


def test_nothing_is_left_of_it(stand: Stand) -> None:
    """The last test: it ends the machine."""
    stand.vagrant("destroy", "--force")

    def listed(*words: str) -> str:
        return stand.host.run("virsh", *words, cwd=stand.project, env=stand.environment)

    assert listed("list", "--all", "--name").split() == []
    assert f"root-{stand.project.name}-vagrant" not in listed("vol-list", "default")
    assert "yc-ipv6-nat" in listed("net-list", "--name").split()
