"""NAT networks of libvirt through which machines reach IPv6: definitions that libvirt itself keeps."""

from __future__ import annotations

import ipaddress
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from toolkit.core import console, process
from toolkit.core.errors import UserError
from toolkit.stand.virtualbox_network import Network

#: A unique local prefix, RFC 4193; libvirt makes up none, unlike VirtualBox.
PREFIX = "fd17:625c:f037:de::/64"
_VIRSH = ("virsh", "--connect", "qemu:///system")


def create(network: Network, dry_run: bool) -> None:
    """Define and start the network where there is none. Raises `UserError` for another one of its name."""
    known = _read("net-list", "--all", "--name").split()
    if network.name in known:
        _check(network.name)
    else:
        _define(network, dry_run)
    if network.name not in _read("net-list", "--name").split() and not dry_run:
        _start(network)


def _read(*words: str) -> str:
    try:
        return process.read([*_VIRSH, *words])
    except process.CommandError as error:
        raise UserError(
            "libvirt cannot be reached: qemu:///system",
            "check that libvirtd runs, and that you are in the group libvirt",
            error.output,
        ) from None


def _check(name: str) -> None:
    root = ET.fromstring(_read("net-dumpxml", name))
    nat = root.find("forward/nat")
    routed = nat is not None and nat.get("ipv6") == "yes"
    if not routed or not any(each.get("family") == "ipv6" for each in root.findall("ip")):
        raise UserError(
            f"libvirt has a network {name}, but without IPv6",
            f"remove it: virsh net-destroy {name}; virsh net-undefine {name}; or name another one: --name",
        )
    console.step("IPV6", f"{name} is defined already")


def _define(network: Network, dry_run: bool) -> None:
    text = definition(network)
    if dry_run:
        console.note(text)
        return
    with tempfile.NamedTemporaryFile("w", suffix=".xml", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        process.run([*_VIRSH, "net-define", stream.name])
    process.run([*_VIRSH, "net-autostart", network.name])
    console.step("IPV6", f"{network.name} is defined: {network.range} and {network.prefix or PREFIX}")


def _start(network: Network) -> None:
    try:
        process.run([*_VIRSH, "net-start", network.name])
    except process.CommandError as error:
        raise UserError(
            f"libvirt does not start the network {network.name}",
            "if a range is in use, undefine it "
            f"(virsh net-undefine {network.name}) and name others: --network, --prefix",
            error.output,
        ) from None
    console.step("IPV6", f"{network.name} is started, now and whenever the host starts")


def definition(network: Network) -> str:
    """Return the definition of a network, https://libvirt.org/formatnetwork.html."""
    ipv4, ipv6 = ipaddress.IPv4Network(network.range), ipaddress.IPv6Network(network.prefix or PREFIX)
    root = ET.Element("network")
    ET.SubElement(root, "name").text = network.name
    ET.SubElement(ET.SubElement(root, "forward", mode="nat"), "nat", ipv6="yes")
    # Names of interfaces have 15 letters at most.
    ET.SubElement(root, "bridge", name=network.name[:15])
    ipv4_range = ET.SubElement(root, "ip", address=str(ipv4[1]), netmask=str(ipv4.netmask))
    ET.SubElement(ET.SubElement(ipv4_range, "dhcp"), "range", start=str(ipv4[2]), end=str(ipv4[-2]))
    ET.SubElement(root, "ip", family="ipv6", address=str(ipv6[1]), prefix=str(ipv6.prefixlen))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def is_listening() -> bool:
    """Tell whether libvirt listens on this host, as one daemon or as many."""
    return any(Path("/run/libvirt", name).exists() for name in ("libvirt-sock", "virtqemud-sock"))
