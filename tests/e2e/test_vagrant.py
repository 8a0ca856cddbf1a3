"""The Vagrantfile, read by the real Vagrant: with libvirt's plugin, and a VirtualBox that only notes what it is told.

VirtualBox is not part of Debian. Its stand-in fails on whatever it does not know, and `vagrant validate` does not look
into what is meant for VirtualBox: only what it is told while a machine is made shows that.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.machine import TOOLKIT
from toolkit.stand import vagrant

FAKES = TOOLKIT / "tests" / "fakes"
TIMESYNC = "/VirtualBox/GuestAdd/VBoxService/--timesync-set-threshold"


@dataclass(frozen=True)
class Project:
    """A project with a stand, and all that Vagrant keeps, in a directory."""

    root: Path

    def vagrant(self, *words: str, cwd: str = ".", **settings: str) -> subprocess.CompletedProcess[str]:
        """Run Vagrant as a user would whose environment holds no more than these settings."""
        home = self.root.parent
        environment = {
            "PATH": f"{FAKES}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "VAGRANT_HOME": str(home / "vagrant"),
            "FAKE_VIRTUALBOX": str(home / "virtualbox"),
            "LIBVIRT_DEFAULT_URI": "test:///default",
            **settings,
        }
        return subprocess.run(
            ["vagrant", *words],
            cwd=self.root / cwd,
            env=environment,
            text=True,
            timeout=300,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )

    def told(self) -> list[list[str]]:
        """Return what VirtualBox was told, the machine's identity left out."""
        lines = (self.root.parent / "virtualbox" / "calls").read_text().splitlines()
        return [[word for word in words if not word.startswith("6f1b4bd4-")] for words in map(json.loads, lines)]


def make_project(directory: Path) -> Project:
    """Make a project that links to the Vagrantfile, and a box for its VirtualBox."""
    project = directory / "compute"
    (project / "api" / "bin").mkdir(parents=True)
    (project / "api" / "setup.py").write_text('from setuptools import setup\nsetup(name="api", version="1")\n')
    (project / "api" / "bin" / "yc-api").write_text("#!/usr/bin/python3\n")
    for name in ("scripts", "stand"):
        shutil.copytree(TOOLKIT / name, project / "common" / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOOLKIT / "project.mk", project / "common" / "project.mk")
    (project / "Vagrantfile").symlink_to("common/stand/Vagrantfile")
    (directory / "virtualbox").mkdir()
    (directory / "virtualbox" / "version").write_text("7.0.14r161095\n")
    return Project(project)


def add_box(project: Project) -> None:
    directory = project.root.parent
    (directory / "box.ovf").write_text("<Envelope/>\n")
    (directory / "metadata.json").write_text('{"provider": "virtualbox"}\n')
    with tarfile.open(directory / "fake.box", "w:gz") as archive:
        for name in ("box.ovf", "metadata.json"):
            archive.add(directory / name, name)
    added = project.vagrant("box", "add", "--name", "fake", str(directory / "fake.box"))
    assert added.returncode == 0, added.stdout


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project of which nothing has been run."""
    return make_project(tmp_path)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project whose machine was made in VirtualBox, as far as that goes: the stand-in starts nothing."""
    made = make_project(tmp_path_factory.mktemp("started"))
    add_box(made)
    done = made.vagrant(
        "up",
        "--provider=virtualbox",
        STAND_BOX="fake",
        STAND_CPUS="3",
        STAND_MEMORY="3000",
        STAND_IPV6="1",
        STAND_PORTS="80:18080",
        USER="alice",
        LOGNAME="alice",
    )
    assert "The machine is in the\n'poweroff' state" in done.stdout, done.stdout
    return made


@pytest.mark.parametrize(
    "settings",
    [
        {"VAGRANT_DEFAULT_PROVIDER": "virtualbox"},
        {"VAGRANT_DEFAULT_PROVIDER": "virtualbox", "STAND_NESTED": "1", "STAND_IPV6": "1", "STAND_PORTS": "80:8080"},
        {"VAGRANT_DEFAULT_PROVIDER": "libvirt"},
        {"VAGRANT_DEFAULT_PROVIDER": "libvirt", "STAND_NESTED": "1", "STAND_IPV6": "1", "STAND_PORTS": "80:8080"},
        {"VAGRANT_DEFAULT_PROVIDER": "libvirt", "STAND_DRIVER": "qemu", "STAND_NESTED": "1"},
        {"VAGRANT_DEFAULT_PROVIDER": "libvirt", "STAND_FOLDER": "rsync", "STAND_SUITE": "noble"},
    ],
    ids=lambda settings: " ".join(settings.values()),
)
def test_vagrant_finds_nothing_wrong(project: Project, settings: dict[str, str]) -> None:
    done = project.vagrant("validate", **settings)
    assert done.returncode == 0, done.stdout


def test_the_machine_has_the_name_of_its_user_and_project(started: Project) -> None:
    assert ["modifyvm", "--name", "alice-compute-vagrant"] in started.told()


@pytest.mark.parametrize(
    "words",
    [
        ["modifyvm", "--cpus", "3"],
        ["modifyvm", "--memory", "3000"],
        ["modifyvm", "--nic1", "nat", "--nictype1", "virtio"],
        ["modifyvm", "--ioapic", "on", "--rtcuseutc", "on", "--paravirtprovider", "kvm"],
        ["modifyvm", "--natdnshostresolver1", "on"],
        [
            "modifyvm",
            "--nic8",
            "natnetwork",
            "--nat-network8",
            "yc-ipv6-nat",
            "--nictype8",
            "virtio",
            "--macaddress8",
            vagrant.address_of_card("alice-compute-vagrant").replace(":", ""),
        ],
        ["guestproperty", "set", TIMESYNC, "1000"],
        ["storagectl", "--name", "SATA Controller", "--hostiocache", "on"],
        ["storageattach", "--storagectl", "SATA Controller", "--port", "0", "--device", "0", "--nonrotational", "on"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_virtualbox_is_told(started: Project, words: Sequence[str]) -> None:
    assert words in started.told()


def test_virtualbox_shares_the_project_and_its_ports(started: Project) -> None:
    assert any(words[:1] == ["sharedfolder"] and str(started.root) in words for words in started.told())
    assert any("127.0.0.1tcp18080,tcp,127.0.0.1,18080,,80" in words for words in started.told())


def test_without_the_setting_nothing_is_nested_and_with_it_a_reload_is_enough(started: Project) -> None:
    wanted = ["modifyvm", "--nested-hw-virt", "on"]
    assert wanted not in started.told()
    started.vagrant("reload", STAND_BOX="fake", STAND_NESTED="1", STAND_PORTS="80:18080", USER="alice")
    assert wanted in started.told()


def test_a_vagrantfile_of_the_project_goes_on_from_the_shared_one(project: Project) -> None:
    (project.root / "Vagrantfile").unlink()
    (project.root / "Vagrantfile").write_text("""\
load File.expand_path("common/stand/Vagrantfile", __dir__)
Vagrant.configure("2") { |config| config.vm.provider("virtualbox") { |machine| machine.memory = 777 } }
""")
    add_box(project)
    project.vagrant("up", "--provider=virtualbox", cwd="api", STAND_BOX="fake", USER="bob", LOGNAME="bob")
    assert ["modifyvm", "--name", "bob-compute-vagrant"] in project.told()
    assert ["modifyvm", "--memory", "777"] in project.told()


@pytest.mark.parametrize(
    ("settings", "what", "hint"),
    [
        ({"STAND_SUITE": "bookwurm"}, "STAND_SUITE=bookwurm", "make box SUITE=bookwurm"),
        ({"STAND_DRIVER": "xen"}, "STAND_DRIVER=xen", "kvm, qemu"),
        ({"PYTHON3": "python3.99"}, "python3.99: no such program", "PYTHON3="),
        (
            {
                "STAND_BOX": "me/mine",
                "VAGRANT_DEFAULT_PROVIDER": "virtualbox",
                "VAGRANT_SERVER_URL": "http://127.0.0.1:9",
            },
            "me/mine",
            "without STAND_BOX",
        ),
        (
            {"STAND_BOX": f"http://127.0.0.1:9/x.qcow2#sha256:{'0' * 64}", "VAGRANT_DEFAULT_PROVIDER": "virtualbox"},
            "http://127.0.0.1:9/x.qcow2 cannot be fetched",
            "make box",
        ),
    ],
)
def test_what_is_wrong_is_said_with_a_hint_before_anything_is_made(
    project: Project, settings: dict[str, str], what: str, hint: str
) -> None:
    done = project.vagrant("up", **settings)
    error, hinted = done.stdout.strip().splitlines()[-2:]
    assert done.returncode == 1
    assert error.startswith("error: ")
    assert what in error
    assert hint in hinted
    assert not list(project.root.glob(".vagrant/machines/*/*/id"))


def test_an_old_virtualbox_is_refused(project: Project) -> None:
    (project.root.parent / "virtualbox" / "version").write_text("5.2.44r139111\n")
    done = project.vagrant("up", "--provider", "virtualbox")
    assert "error: VirtualBox 5.2.44r139111 is too old" in done.stdout


def test_a_toolkit_that_the_machine_will_not_see_is_refused(project: Project) -> None:
    (project.root / "common").rename(project.root.parent / "toolkit")
    (project.root / "common").symlink_to(project.root.parent / "toolkit")
    done = project.vagrant("up", "--provider", "virtualbox")
    assert "toolkit: not inside the project" in done.stdout
    assert "git submodule add" in done.stdout


def test_fakes_are_programs() -> None:
    assert all(os.access(path, os.X_OK) for path in FAKES.iterdir())
