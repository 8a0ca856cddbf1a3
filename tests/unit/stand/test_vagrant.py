"""What a Vagrantfile gets to know, and which settings are refused."""

from __future__ import annotations

import getpass
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from toolkit.core.errors import UserError
from toolkit.stand import boxes, cloud_images, vagrant
from toolkit.stand.base import StandOptions


@pytest.fixture(autouse=True)
def no_boxes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the directory of boxes, of which there are none."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    boxes.directory().mkdir(parents=True)
    return boxes.directory()


def make_box(directory: Path, suite: str) -> None:
    (directory / f"{suite}.box").touch()
    (directory / f"{suite}.json").write_text(json.dumps({"versions": [{"version": "20261125.1.0"}]}))


def test_without_settings_the_machine_follows_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vagrant, "host_cpus", lambda: 6)
    monkeypatch.setattr(vagrant, "host_memory", lambda: 16000)
    chosen = vagrant.read({})
    assert (chosen.cpus, chosen.memory, chosen.driver, chosen.mode) == (6, 4000, "kvm", "tmux")


@pytest.mark.parametrize(("host", "given"), [(1024, 512), (65536, 8192)])
def test_memory_stays_between_what_works_and_what_is_enough(
    monkeypatch: pytest.MonkeyPatch, host: int, given: int
) -> None:
    monkeypatch.setattr(vagrant, "host_memory", lambda: host)
    assert vagrant.read({}).memory == given


def test_settings_win_over_the_host() -> None:
    chosen = vagrant.read({"STAND_CPUS": "3", "STAND_MEMORY": "16384", "STAND_NESTED": "1", "STAND_IPV6": "yes"})
    assert (chosen.cpus, chosen.memory, chosen.nested, chosen.ipv6) == (3, 16384, True, True)


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("STAND_SUITE", "bookwurm", "make box SUITE=bookwurm"),
        ("STAND_BOX", "https://images.example/ours.qcow2#sha512:ab", "#sha512:HASH"),
        ("STAND_BOX", "https://images.example/ours.qcow2", "#sha512:HASH"),
        ("STAND_DRIVER", "xen", "kvm, qemu"),
        ("STAND_FOLDER", "smb", "virtiofs, 9p, nfs, rsync"),
        ("STAND_MODE", "docker", "tmux, deb"),
        ("STAND_CPUS", "0", "leave STAND_CPUS out"),
        ("STAND_MEMORY", "2G", "leave STAND_MEMORY out"),
        ("STAND_NESTED", "please", "STAND_NESTED=1"),
        ("STAND_NETWORK", "192.168.121.5/24", "192.168.121.0/24"),
        ("STAND_PORTS", "http", "STAND_PORTS="),
        ("STAND_PORTS", "80:70000", "STAND_PORTS="),
    ],
)
def test_a_setting_that_is_none_is_refused_with_those_that_are(name: str, value: str, hint: str) -> None:
    with pytest.raises(UserError, match=name) as caught:
        vagrant.read({name: value})
    assert hint in caught.value.hint


def test_ports_may_differ_between_machine_and_host() -> None:
    assert vagrant.read({"STAND_PORTS": "8080 443:8443"}).ports == ((8080, 8080), (443, 8443))


def test_a_suite_whose_box_was_made_is_known(no_boxes: Path) -> None:
    make_box(no_boxes, "sid")
    assert vagrant.read({"STAND_SUITE": "sid"}).suite == "sid"


def test_a_box_that_was_made_is_libvirts(no_boxes: Path) -> None:
    make_box(no_boxes, "bookworm")
    chosen = vagrant.read({})
    assert vagrant.box_of(chosen, "libvirt") == {
        "box": "python-common/bookworm",
        "box_url": (no_boxes / "bookworm.json").as_uri(),
        "box_version": "20261125.1.0",
    }


def test_without_a_box_the_machine_is_made_of_the_suites_image(no_boxes: Path) -> None:
    chosen, image = vagrant.read({}), cloud_images.of_suite("bookworm")
    assert image
    label = f"bookworm-{image.digest[:12]}-virtualbox"
    assert vagrant.box_of(chosen, "virtualbox") == {"box": f"python-common/{label}"}
    make_box(no_boxes, label)
    assert vagrant.box_of(chosen, "virtualbox")["box_url"] == (no_boxes / f"{label}.json").as_uri()


def test_an_image_of_the_users_own_is_taken_by_its_hash(no_boxes: Path) -> None:
    make_box(no_boxes, "bookworm")
    given = "https://images.example/ours.qcow2#sha256:" + "ab" * 32
    found = vagrant.box_of(vagrant.read({"STAND_BOX": given}), "libvirt")
    assert found == {"box": "python-common/bookworm-abababababab-libvirt"}


def test_the_controller_is_called_as_virtualbox_calls_that_of_an_image(no_boxes: Path) -> None:
    image = "https://images.example/ours.qcow2#sha256:" + "ab" * 32
    assert [vagrant.read({"STAND_BOX": box}).controller for box in ("", image, "me/mine")] == [
        "SATA",
        "SATA",
        "SATA Controller",
    ]
    assert vagrant.read({"STAND_CONTROLLER": ""}).controller == ""


def test_the_users_own_box_wins(no_boxes: Path) -> None:
    make_box(no_boxes, "bookworm")
    assert vagrant.box_of(vagrant.read({"STAND_BOX": "me/mine"}), "libvirt") == {"box": "me/mine"}


def test_the_users_own_box_may_be_a_file() -> None:
    chosen = vagrant.read({"STAND_BOX": "/srv/boxes/ours.box"})
    assert vagrant.box_of(chosen, "virtualbox") == {"box": "ours", "box_url": "/srv/boxes/ours.box"}


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        ({}, "virtiofs"),
        ({"STAND_DRIVER": "qemu"}, "virtiofs"),
        ({"STAND_FOLDER": "9p"}, "9p"),
        ({"STAND_FOLDER": "nfs"}, "nfs"),
        ({"STAND_DRIVER": "qemu", "STAND_FOLDER": "rsync"}, "rsync"),
    ],
)
def test_the_folder_is_virtiofs_unless_another_is_asked_for(environment: dict[str, str], kind: str) -> None:
    assert vagrant.read(environment).folder == kind


def test_the_machine_is_named_after_who_it_is_for_and_the_project(workspace: Workspace) -> None:
    workspace.service("api", "api")
    described = vagrant.describe(vagrant.read({}), workspace.settings())
    assert described["name"] == f"{getpass.getuser()}-project-vagrant"
    assert described["hostname"] == "project"
    assert described["folder"] == {"type": "virtiofs"}
    assert described["playbook"] == str(workspace.root / "common" / "stand" / "playbook.yml")


def test_a_machine_is_known_by_what_vagrant_keeps_of_it(tmp_path: Path) -> None:
    assert not vagrant.has_machine(tmp_path, "libvirt")
    directory = tmp_path / ".vagrant/machines/vagrant/libvirt"
    directory.mkdir(parents=True)
    (directory / "id").touch()
    assert vagrant.has_machine(tmp_path, "libvirt")
    assert not vagrant.has_machine(tmp_path, "virtualbox")


def test_the_standard_library_alone_answers_a_vagrantfile(workspace: Workspace) -> None:
    script = Path(vagrant.__file__).parents[2] / "verb.py"
    workspace.service("api", "api")
    done = subprocess.run(
        [sys.executable, "-E", "-S", script, "vagrant-settings", "--project", workspace.root],
        check=True,
        text=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert json.loads(done.stdout)["hostname"] == "project"


def test_the_card_for_ipv6_is_known_by_an_address_of_its_own() -> None:
    one, other = (vagrant.address_of_card("alice-one-vagrant"), vagrant.address_of_card("alice-other-vagrant"))
    assert re.fullmatch("02(:[0-9a-f]{2}){5}", one)
    assert one != other


def test_a_virtual_machine_needs_vagrant_and_its_file(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    stand = vagrant.VagrantStand(settings=workspace.settings(), options=StandOptions())
    with pytest.raises(UserError, match="vagrant: no such program"):
        stand.up()
    (tmp_path / "vagrant").touch(0o755)
    with pytest.raises(UserError, match="Vagrantfile: there is none"):
        stand.up()
