"""What keeps a host from running a stand is reported before anything is made, with what to do."""

from __future__ import annotations

import errno
import json
import os
import socket
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.stand import cloud_images, libvirt_network, vagrant, vagrant_check

FAKES = Path(__file__).resolve().parents[2] / "fakes"
LIBVIRT = ("libvirt",)


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the only directory of programs, which has ansible-playbook; libvirt runs, and all boxes are there."""
    directory = tmp_path / "bin"
    directory.mkdir()
    give(directory, "ansible-playbook", "")
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(libvirt_network, "is_listening", lambda: True)
    monkeypatch.setattr(vagrant_check, "check_box", lambda chosen, provider: None)
    monkeypatch.setattr(vagrant_check, "check_kvm", lambda: None)
    monkeypatch.setattr(vagrant_check, "VIRTIOFSD", (directory,))
    monkeypatch.delenv("LIBVIRT_DEFAULT_URI", raising=False)
    return directory


def give(directory: Path, name: str, output: str) -> None:
    (directory / name).write_text(f"#!/bin/sh\n/bin/cat <<'END'\n{output}\nEND\n")
    (directory / name).chmod(0o755)


def complaint(tmp_path: Path, provider: str, plugins: tuple[str, ...] = LIBVIRT, **environment: str) -> UserError:
    with pytest.raises(UserError) as caught:
        vagrant_check.check(vagrant.read(environment), tmp_path, provider, plugins)
    return caught.value


def test_a_host_that_has_everything_has_nothing_said(programs: Path, tmp_path: Path) -> None:
    vagrant_check.check(vagrant.read({}), tmp_path, "libvirt", LIBVIRT)
    give(programs, "VBoxManage", "7.0.14r161095")
    vagrant_check.check(vagrant.read({}), tmp_path, "virtualbox", ())


def test_ansible_is_asked_for_first(programs: Path, tmp_path: Path) -> None:
    (programs / "ansible-playbook").unlink()
    assert "apt-get install ansible-core" in complaint(tmp_path, "libvirt").hint


def test_without_any_provider_the_packages_are_named(programs: Path, tmp_path: Path) -> None:
    assert "apt-get install vagrant-libvirt libvirt-daemon-system" in complaint(tmp_path, "", ()).hint


def test_virtualbox_that_is_missing_or_old(programs: Path, tmp_path: Path) -> None:
    assert "no such program" in complaint(tmp_path, "virtualbox").what
    give(programs, "VBoxManage", "5.2.44r139111")
    assert "too old" in complaint(tmp_path, "virtualbox").what


def test_libvirt_without_its_plugin_or_its_daemon(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "apt-get install vagrant-libvirt" in complaint(tmp_path, "libvirt", ()).hint
    monkeypatch.setattr(libvirt_network, "is_listening", lambda: False)
    assert "systemctl start libvirtd" in complaint(tmp_path, "libvirt").hint


def test_without_a_server_for_virtiofs_there_is_9p(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vagrant_check, "VIRTIOFSD", (tmp_path / "virtiofsd",))
    assert "STAND_FOLDER=9p" in complaint(tmp_path, "libvirt").hint
    vagrant_check.check(vagrant.read({"STAND_FOLDER": "9p"}), tmp_path, "libvirt", LIBVIRT)


def test_libvirt_on_another_host_is_not_looked_at(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libvirt_network, "is_listening", lambda: False)
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "qemu+ssh://host.example/system")
    vagrant_check.check(vagrant.read({}), tmp_path, "libvirt", LIBVIRT)


def test_the_machines_network_must_not_be_one_of_the_hosts(programs: Path, tmp_path: Path) -> None:
    def addresses(device: str) -> str:
        return json.dumps([{"ifname": device, "addr_info": [{"local": "192.168.121.7", "prefixlen": 25}]}])

    give(programs, "ip", addresses("wlan0"))
    found = complaint(tmp_path, "libvirt")
    assert "wlan0 has 192.168.121.0/25" in found.what
    assert "STAND_NETWORK=" in found.hint
    give(programs, "ip", addresses("virbr1"))
    vagrant_check.check(vagrant.read({}), tmp_path, "libvirt", LIBVIRT)


def test_a_port_in_use_is_named_before_a_machine_is_made(programs: Path, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        found = complaint(tmp_path, "libvirt", STAND_PORTS=f"80:{port}")
        assert f"port {port} of this host is in use" in found.what
        (tmp_path / ".vagrant/machines/vagrant/libvirt").mkdir(parents=True)
        (tmp_path / ".vagrant/machines/vagrant/libvirt/id").touch()
        vagrant_check.check(vagrant.read({"STAND_PORTS": f"80:{port}"}), tmp_path, "libvirt", LIBVIRT)


def test_kvm_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(vagrant_check, "KVM", tmp_path / "kvm")
    with pytest.raises(UserError, match="no hardware virtualization") as caught:
        vagrant_check.check_kvm()
    assert "STAND_DRIVER=qemu" in caught.value.hint


def test_kvm_that_is_there_but_makes_no_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "kvm").touch()
    monkeypatch.setattr(vagrant_check, "KVM", tmp_path / "kvm")
    with pytest.raises(UserError, match="exists, but cannot make a machine") as caught:
        vagrant_check.check_kvm()
    assert "STAND_DRIVER=qemu" in caught.value.hint


def test_kvm_of_another_group_is_left_to_libvirt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*given: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "kvm").touch()
    monkeypatch.setattr(vagrant_check, "KVM", tmp_path / "kvm")
    monkeypatch.setattr(os, "open", refuse)
    vagrant_check.check_kvm()


@pytest.mark.parametrize(("switch", "works"), [("Y", True), ("1", True), ("N", False), ("0", False)])
def test_kvm_has_to_lend_its_virtualization(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, switch: str, works: bool
) -> None:
    parameters = tmp_path / "kvm_amd" / "parameters"
    parameters.mkdir(parents=True)
    (parameters / "nested").write_text(f"{switch}\n")
    monkeypatch.setattr(vagrant_check, "MODULES", tmp_path)
    if works:
        vagrant_check.check_nested()
    else:
        with pytest.raises(UserError, match="kvm_amd gives machines no") as caught:
            vagrant_check.check_nested()
        assert "options kvm_amd nested=1" in caught.value.hint


def test_a_processor_without_virtualization_lends_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, programs: Path
) -> None:
    (tmp_path / "cpuinfo").write_text("flags\t: fpu sse sse2\n")
    monkeypatch.setattr(vagrant_check, "CPUS", tmp_path / "cpuinfo")
    monkeypatch.setattr(vagrant_check, "MODULES", tmp_path)
    give(programs, "VBoxManage", "7.0.14r161095")
    assert "STAND_NESTED" in complaint(tmp_path, "virtualbox", STAND_NESTED="1").what
    assert "STAND_NESTED" in complaint(tmp_path, "libvirt", STAND_NESTED="1").what


def test_a_box_of_the_users_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VAGRANT_HOME", str(tmp_path))
    monkeypatch.setenv("VAGRANT_SERVER_URL", "http://127.0.0.1:9")
    chosen = vagrant.read({"STAND_BOX": "bento/debian-12"})
    with pytest.raises(UserError, match=r"is not available: http://127.0.0.1:9/.*Connection refused") as caught:
        vagrant_check.check_box(chosen, "virtualbox")
    assert "without STAND_BOX" in caught.value.hint
    (tmp_path / "boxes" / "bento-VAGRANTSLASH-debian-12").mkdir(parents=True)
    vagrant_check.check_box(chosen, "virtualbox")


@pytest.mark.parametrize("provider", ["libvirt", "virtualbox"])
@pytest.mark.parametrize("given", [{}, {"STAND_BOX": "https://127.0.0.1:9/own.qcow2#sha256:" + "0" * 64}])
def test_without_a_box_one_is_made_of_an_image(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, provider: str, given: dict[str, str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = []
    monkeypatch.setattr(cloud_images, "make", lambda image, suite, kind: asked.append((image, suite, kind)))
    vagrant_check.check_box(vagrant.read(given), provider)
    expected = cloud_images.parse(given["STAND_BOX"]) if given else cloud_images.of_suite("bookworm")
    assert asked == [(expected, "bookworm", provider)]


def test_a_suite_without_a_box_for_the_provider_asks_for_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "python-common" / "boxes").mkdir(parents=True)
    (tmp_path / "python-common/boxes/sid.box").touch()
    (tmp_path / "python-common/boxes/sid.json").write_text('{"versions": [{"version": "1.0"}]}')
    with pytest.raises(UserError, match="no image for virtualbox") as caught:
        vagrant_check.check_box(vagrant.read({"STAND_SUITE": "sid"}), "virtualbox")
    assert "STAND_BOX=" in caught.value.hint
