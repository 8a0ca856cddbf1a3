"""A stand in a virtual machine of Vagrant: its settings, from the host, the project and STAND_*, and its life.

Only the standard library: a Vagrantfile asks for the settings on any laptop.
"""

from __future__ import annotations

import getpass
import hashlib
import ipaddress
import os
import re
import shutil
import sys
from collections.abc import Mapping
from configparser import ConfigParser
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from toolkit.core import files, process
from toolkit.core.errors import UserError
from toolkit.project.settings import Settings
from toolkit.stand import ansible_variables, base, boxes, cloud_images, provisioning
from toolkit.stand.base import Access, StandOptions
from toolkit.stand.cloud_images import Image

DRIVERS = ("kvm", "qemu")
#: File systems by which libvirt shows the project in the machine, with Vagrant's options; the first is the default.
#:
#: virtiofs is the fastest, and libvirt runs its server as root: files have the same owner on both sides, even in a
#: private home. 9p needs nothing beside QEMU, but has only the rights of the user that QEMU runs as; with `squash` it
#: is no error that such a user cannot change owners.
FOLDERS: dict[str, dict[str, Any]] = {
    "virtiofs": {},
    "9p": {"accessmode": "squash", "mount_opts": "msize=262144,cache=none"},
    "nfs": {"nfs_udp": False, "nfs_version": 4},
    "rsync": {},
}
#: The network of vagrant-libvirt that every machine has.
NETWORK = "192.168.121.0/24"
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class VagrantSettings:
    """The STAND_* settings, checked; `ports` are pairs of a port of the machine and one of the host."""

    suite: str
    box: str
    driver: str
    folder: str
    cpus: int
    memory: int
    nested: bool
    ipv6: bool
    network: str
    mode: str
    controller: str
    ports: tuple[tuple[int, int], ...]


def read(environment: Mapping[str, str]) -> VagrantSettings:
    """Return the settings of an environment. Raises `UserError` for a value that is not allowed."""
    suite = environment.get("STAND_SUITE") or "bookworm"
    given = environment.get("STAND_BOX", "")
    if not (given or cloud_images.of_suite(suite) or boxes.find(suite)):
        raise UserError(
            f"STAND_SUITE={suite}: no image of such a suite is known",
            f"there are {', '.join(cloud_images.suites())}; or `make box SUITE={suite}`, or STAND_BOX=",
        )
    image = cloud_images.parse(given)
    if not image and ("#" in given or given.endswith((".qcow2", ".img", ".raw"))):
        raise UserError(f"STAND_BOX={given}: no image and its hash", "it looks like https://…/image.qcow2#sha512:HASH")
    return VagrantSettings(
        suite=suite,
        box=given,
        driver=_choice(environment, "STAND_DRIVER", DRIVERS),
        folder=_choice(environment, "STAND_FOLDER", tuple(FOLDERS)),
        cpus=_number(environment, "STAND_CPUS", host_cpus()),
        memory=_number(environment, "STAND_MEMORY", host_memory() // 4, 512, 8192),
        nested=_flag(environment, "STAND_NESTED"),
        ipv6=_flag(environment, "STAND_IPV6"),
        network=_network(environment.get("STAND_NETWORK") or NETWORK),
        mode=_choice(environment, "STAND_MODE", ansible_variables.MODES),
        # As VirtualBox calls that of a machine which says no name, and most who pack boxes call theirs.
        controller=environment.get("STAND_CONTROLLER", "SATA Controller" if given and not image else "SATA"),
        ports=tuple(_port(word) for word in environment.get("STAND_PORTS", "").split()),
    )


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = environment.get(name) or choices[0]
    if value not in choices:
        raise UserError(f"{name}={value}: unknown", f"it is one of {', '.join(choices)}")
    return value


def _flag(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name, "").lower() or "no"
    if value not in ConfigParser.BOOLEAN_STATES:
        raise UserError(f"{name}={value}: neither yes nor no", f"{name}=1 switches it on")
    return ConfigParser.BOOLEAN_STATES[value]


def _number(environment: Mapping[str, str], name: str, host: int, lowest: int = 1, highest: int = 0) -> int:
    """Return a setting, else the value of the host, kept between the lowest and the highest sensible one."""
    value = environment.get(name, "")
    if not value:
        return max(lowest, min(host, highest or host))
    if not value.isdecimal() or int(value) < lowest:
        raise UserError(f"{name}={value}: not a number from {lowest} up", f"leave {name} out: it follows the host")
    return int(value)


def _network(value: str) -> str:
    try:
        return str(ipaddress.IPv4Network(value))
    except ValueError:
        raise UserError(f"STAND_NETWORK={value}: not a network", f"it looks like {NETWORK}") from None


def _port(word: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)(?::(\d+))?", word)
    pair = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not all(0 < number < 65536 for number in pair):
        raise UserError(
            f"STAND_PORTS: {word} is not a port",
            'it looks like STAND_PORTS="8080 443:8443": a port of the machine, or that and the host\'s',
        )
    return pair


def host_cpus() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def host_memory() -> int:
    """Return this machine's memory in MiB."""
    if sys.platform == "darwin":
        return int(process.read(["sysctl", "-n", "hw.memsize"])) // _MEBIBYTE
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MEBIBYTE


def describe(chosen: VagrantSettings, settings: Settings) -> dict[str, Any]:
    """Return all that the Vagrantfile asks for, as JSON can hold it. Raises `UserError`."""
    project = settings.project
    guest = ansible_variables.Guest(mode=chosen.mode, suite=chosen.suite, nested=chosen.nested)
    name = f"{getpass.getuser()}-{project.name}-vagrant"
    card = address_of_card(name) if chosen.ipv6 else ""
    return {
        **asdict(chosen),
        "name": name,
        "hostname": base.host_label(project.name)[:63].rstrip("-") or "stand",
        "playbook": str(provisioning.playbook(settings)),
        "ansible_config": str(settings.toolkit / "stand" / "ansible.cfg"),
        "variables": {**ansible_variables.collect(settings, guest), "stand_ipv6_card": card},
        "boxes": {provider: box_of(chosen, provider) for provider in ("virtualbox", "libvirt")},
        "ipv6_card": card,
        "folder": {"type": chosen.folder, **FOLDERS[chosen.folder]},
    }


def address_of_card(name: str) -> str:
    """Return the hardware address of a machine's card for IPv6, by which the machine tells it from others.

    It is locally administered, IEEE 802: anybody may assign such ones.
    """
    return ":".join(["02", *re.findall("..", hashlib.sha256(name.encode()).hexdigest()[:10])])


def box_of(chosen: VagrantSettings, provider: str) -> dict[str, str]:
    """Return the box of a provider: the user's own, one that `make box` made, or one of the suite's cloud image.

    The last may not have been made yet: then it has a name alone.
    """
    image = image_of(chosen, provider)
    if chosen.box.endswith(".box"):
        return {"box": Path(chosen.box).stem, "box_url": chosen.box}
    if chosen.box and not image:
        return {"box": chosen.box}
    label = image.label(chosen.suite, provider) if image else chosen.suite
    made = boxes.find(label) if image or provider == "libvirt" else None
    if made:
        return {"box": made.name, "box_url": made.catalogue.as_uri(), "box_version": made.version}
    return {"box": boxes.name(label)}


def image_of(chosen: VagrantSettings, provider: str) -> Image | None:
    """Return the image that the box of a provider is made of; None where it is another box."""
    if chosen.box:
        return cloud_images.parse(chosen.box)
    return None if provider == "libvirt" and boxes.find(chosen.suite) else cloud_images.of_suite(chosen.suite)


def has_machine(project: Path, provider: str) -> bool:
    """Tell whether the project has a machine of a provider already."""
    return any(project.glob(f".vagrant/machines/*/{provider}/id"))


@dataclass(frozen=True, kw_only=True)
class VagrantStand:
    """The virtual machine of a project."""

    settings: Settings
    options: StandOptions

    def up(self) -> tuple[str, ...]:
        """Make it where there is none, start it and provision it; return the tasks that changed something."""
        self._require()
        chosen = {"STAND_MODE": self.options.mode, "STAND_SUITE": self.options.suite}
        environment = {**os.environ, **{name: value for name, value in chosen.items() if value}}
        return provisioning.execute(["vagrant", "up", "--provision"], environment, "vagrant", self.settings)

    def access(self) -> Access:
        """Return the access to it. Raises `UserError` when it does not run."""
        config = self.settings.project / ".vagrant" / "ssh_config"
        try:
            text = process.read(["vagrant", "ssh-config", "--host", "stand"], cwd=self.settings.project)
        except process.CommandError as error:
            raise UserError(
                "the machine of this project does not run", "`make stand STAND=vagrant` starts it", error.output
            ) from None
        files.write_atomic(config, text)
        return Access(host="stand", user="vagrant", config=config)

    def destroy(self) -> None:
        """End it, and remove all that belongs to it."""
        self._require()
        process.run(["vagrant", "destroy", "--force"], cwd=self.settings.project, stream=True)

    def _require(self) -> None:
        if not shutil.which("vagrant"):
            raise UserError("vagrant: no such program", "install Vagrant, or take STAND=container")
        if not (self.settings.project / "Vagrantfile").is_file():
            raise UserError(
                f"{self.settings.project}/Vagrantfile: there is none", "`ln -s common/stand/Vagrantfile` makes it"
            )
