"""Checks before `vagrant up` begins that this host can run the machine which a Vagrantfile describes.

Vagrant's own errors come late, when a machine is half made, and do not say what to install.
"""

from __future__ import annotations

import errno
import fcntl
import ipaddress
import json
import os
import shutil
import urllib.request
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.error import HTTPError, URLError

from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.stand import base, cloud_images, libvirt_network, vagrant, virtualbox
from toolkit.stand.vagrant import VagrantSettings

KVM, CPUS = Path("/dev/kvm"), Path("/proc/cpuinfo")
#: Of the module that is loaded: kvm_intel or kvm_amd.
MODULES = Path("/sys/module")
#: Debian 13 and Ubuntu 24.04 have it in a package of its own, Debian 12 beside QEMU.
VIRTIOFSD = (Path("/usr/libexec/virtiofsd"), Path("/usr/lib/qemu/virtiofsd"))
_KVM_CREATE_VM = 0xAE01
_CATALOGUE = "https://vagrantcloud.com"
_DAEMON = "libvirt-daemon-system qemu-system-x86 dnsmasq-base"


def check(chosen: VagrantSettings, project: Path, provider: str, plugins: Sequence[str]) -> None:
    """Raise `UserError` for the first thing that this host lacks; `plugins` are those that Vagrant has."""
    provider = provider or _default_provider(plugins)
    if not shutil.which("ansible-playbook"):
        raise UserError(
            "ansible-playbook: no such program, and it provisions the stand",
            "apt-get install ansible-core, or pip install ansible-core in the environment you are in",
        )
    if provider == "virtualbox":
        _check_virtualbox(chosen)
    elif provider == "libvirt":
        _check_libvirt(chosen, plugins)
    if not vagrant.has_machine(project, provider):
        check_ports(chosen.ports)
        check_box(chosen, provider)


def _default_provider(plugins: Sequence[str]) -> str:
    """Return the provider that Vagrant takes by default: VirtualBox where it is installed."""
    if shutil.which(virtualbox.MANAGER):
        return "virtualbox"
    if "libvirt" in plugins:
        return "libvirt"
    raise UserError(
        "nothing is installed that runs machines",
        f"get VirtualBox from virtualbox.org; or, on Linux, apt-get install vagrant-libvirt {_DAEMON}",
    )


def _check_virtualbox(chosen: VagrantSettings) -> None:
    virtualbox.require()
    if chosen.nested and CPUS.is_file() and not processor_flags():
        raise UserError(
            "STAND_NESTED=1: this processor has no virtualization (vmx, svm), or its firmware hides it",
            "switch it on in the firmware's setup; or leave STAND_NESTED out",
        )


def _check_libvirt(chosen: VagrantSettings, plugins: Sequence[str]) -> None:
    if "libvirt" not in plugins:
        raise UserError(
            "Vagrant has no plugin for libvirt",
            "apt-get install vagrant-libvirt, or `vagrant plugin install vagrant-libvirt`",
        )
    if os.environ.get("LIBVIRT_DEFAULT_URI"):
        return  # It may be on another host, of which this one says nothing.
    if not libvirt_network.is_listening():
        raise UserError(
            "libvirt does not run on this host", f"apt-get install {_DAEMON}; then `systemctl start libvirtd`"
        )
    if chosen.driver == "kvm":
        check_kvm()
        if chosen.nested:
            check_nested()
    if chosen.folder == "virtiofs" and not any(path.exists() for path in VIRTIOFSD):
        raise UserError(
            "there is no virtiofsd, by which the machine sees the project",
            "apt-get install virtiofsd (in Debian 12, qemu-system-common has it); or STAND_FOLDER=9p",
        )
    check_network(chosen.network)


def check_kvm() -> None:
    """Raise `UserError` where KVM cannot make a machine, although /dev/kvm may exist."""
    hint = "STAND_DRIVER=qemu emulates a processor: several times slower, but it works everywhere"
    if not KVM.exists():
        raise UserError(f"{KVM}: this host has no hardware virtualization, or its firmware hides it", hint)
    try:
        descriptor = os.open(KVM, os.O_RDWR | os.O_CLOEXEC)
    except PermissionError:
        return  # Machines of libvirt run as another user, who may be allowed to.
    except OSError as error:
        raise UserError(f"{KVM} cannot be used: {error.strerror}", hint) from None
    try:
        os.close(fcntl.ioctl(descriptor, _KVM_CREATE_VM, 0))
    except OSError as error:
        raise UserError(f"{KVM} exists, but cannot make a machine: {error.strerror}", hint) from None
    finally:
        os.close(descriptor)


def check_nested() -> None:
    """Raise `UserError` where KVM gives its machines no hardware virtualization."""
    for module in ("kvm_intel", "kvm_amd"):
        switch = MODULES / module / "parameters" / "nested"
        if switch.is_file():
            if switch.read_text(encoding="ascii").strip() not in ("Y", "1"):
                hint = f"as root: echo options {module} nested=1 > /etc/modprobe.d/nested.conf; and restart this host"
                raise UserError(f"STAND_NESTED=1: {module} gives machines no hardware virtualization", hint)
            return
    if not processor_flags():
        raise UserError("STAND_NESTED=1: this processor has no virtualization (vmx, svm)", "leave STAND_NESTED out")


def processor_flags() -> set[str]:
    """Return which kinds of hardware virtualization the processor has: vmx (Intel), svm (AMD)."""
    return {"vmx", "svm"} & set(CPUS.read_text(encoding="utf-8", errors="replace").split())


def check_network(text: str) -> None:
    """Raise `UserError` where this host is in the machines' network already."""
    if not shutil.which("ip"):
        return
    network = ipaddress.IPv4Network(text)
    for device in json.loads(process.read(["ip", "-json", "-4", "address", "show"])):
        if device["ifname"].startswith("virbr"):
            continue  # Libvirt's own bridges are in the machines' network, once it has been made.
        for each in device.get("addr_info", []):
            address = ipaddress.IPv4Network(f"{each['local']}/{each['prefixlen']}", strict=False)
            if address.overlaps(network):
                raise UserError(
                    f"{network}, the machines' network, is in use: {device['ifname']} has {address}",
                    "take another one: STAND_NETWORK=192.168.131.0/24",
                )


def check_ports(ports: Iterable[tuple[int, int]]) -> None:
    """Raise `UserError` for a port of the host that something else listens on, or that is not for everybody."""
    for guest, host in ports:
        try:
            base.free_port(host)
        except OSError as error:
            reason = "is in use" if error.errno == errno.EADDRINUSE else f"is not available: {error.strerror}"
            hint = f"give the machine's port another one here: {guest}:{host % 10000 + 10000}"
            raise UserError(f"STAND_PORTS: port {host} of this host {reason}", hint) from None


def check_box(chosen: VagrantSettings, provider: str) -> None:
    """Make the box where it is made of a cloud image. Raises `UserError` where it is not to be had.

    One that the user names is on this host, or in a catalogue that answers.
    """
    if image := vagrant.image_of(chosen, provider):
        cloud_images.make(image, chosen.suite, provider)
        return
    name = vagrant.box_of(chosen, provider)
    if not chosen.box and "box_url" not in name:
        raise UserError(f"STAND_SUITE={chosen.suite}: no image for {provider} is known", "name a box: STAND_BOX=")
    # A file, and a name without an owner, are not the catalogue's.
    if "box_url" in name or name["box"].count("/") != 1 or _is_added(name["box"]):
        return
    problem = _ask_catalogue(name["box"])
    if problem:
        hint = "without STAND_BOX the stand is made of the image that the distribution publishes"
        raise UserError(f"the box {name['box']} is not available: {problem}", hint)


def _is_added(name: str) -> bool:
    home = Path(os.environ.get("VAGRANT_HOME") or Path.home() / ".vagrant.d")
    return (home / "boxes" / name.replace("/", "-VAGRANTSLASH-")).is_dir()


def _ask_catalogue(name: str) -> str:
    """Return what is wrong with the catalogue's answer; empty where nothing is."""
    url = f"{os.environ.get('VAGRANT_SERVER_URL') or _CATALOGUE}/{name}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": "application/json"}), timeout=10):
            return ""
    except HTTPError as error:
        error.close()
        return f"{url} answers {error.code}"
    except (URLError, OSError) as error:
        return f"{url} cannot be reached ({getattr(error, 'reason', error)})"
