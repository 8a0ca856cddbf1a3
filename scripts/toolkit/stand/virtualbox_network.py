"""NAT networks of VirtualBox that machines reach IPv6 through.

VirtualBox gives machines addresses of a prefix, but no route: `VBoxManage` of some versions cannot make a network
advertise itself as their default router, so that is written into its settings while nothing of it runs.
"""

from __future__ import annotations

import difflib
import re
import shutil
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr, unescape

from toolkit.core import console, files, process
from toolkit.core.errors import UserError
from toolkit.stand import virtualbox

_ELEMENT = re.compile(r"<NATNetwork\s[^>]*>")
_ROUTE = "advertiseDefaultIPv6Route"


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network: its name, its IPv4 range, and its IPv6 prefix (empty for VirtualBox: one that it makes up)."""

    name: str
    range: str
    prefix: str = ""


def create(network: Network, dry_run: bool) -> None:
    """Make the network where there is none, and make it the default IPv6 router of its machines.

    With `dry_run`, only print what would change. Raises `UserError`.
    """
    virtualbox.require()
    virtualbox.require_closed()
    path = virtualbox.settings_file()
    if not (path.is_file() and find(_read(path), network.name)):
        options = ("--netname", network.name, "--network", network.range, "--enable", "--dhcp", "on", "--ipv6", "on")
        words = [virtualbox.MANAGER, "natnetwork", "add", *options]
        console.step("IPV6", f"{' '.join(words)}{'   (not run)' if dry_run else ''}")
        if dry_run:
            console.step("IPV6", f"{network.name} would then become the default IPv6 router")
            return
        try:
            process.run(words)
        except process.CommandError as error:
            raise UserError(
                f"VirtualBox does not make the network {network.name} of {network.range}",
                "if the range is in use, name another one: --network 192.168.223.0/24",
                error.output,
            ) from None
    advertise(network, dry_run)


def advertise(network: Network, dry_run: bool) -> None:
    """Make an existing network the default IPv6 router of its machines; keep a copy of the former settings."""
    virtualbox.require_closed()
    path = virtualbox.settings_file()
    if not path.is_file():
        raise UserError(f"{path}: VirtualBox has no settings there", "start VirtualBox once, or set VBOX_USER_HOME")
    if not dry_run:
        virtualbox.wait_for_server()
    text = _read(path)
    changed = edit(text, network, path)
    if changed == text:
        console.step("IPV6", f"{network.name} is the default IPv6 router already")
    elif dry_run:
        console.note(
            "".join(difflib.unified_diff(text.splitlines(True), changed.splitlines(True), str(path), str(path)))
        )
    else:
        backup = path.with_name(f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}")
        shutil.copy2(path, backup)
        files.write_atomic(path, changed)
        shutil.copymode(backup, path)
        console.step("IPV6", f"{network.name} is the default IPv6 router now; {backup} is {path.name} as it was")


def _read(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    try:
        ET.fromstring(text)
    except ET.ParseError as error:
        raise UserError(f"{path}: {error}", "VirtualBox keeps an older one beside it: VirtualBox.xml-prev") from None
    return text


def find(text: str, name: str) -> str:
    """Return the start tag of a network in VirtualBox's settings; empty where there is none."""
    return next((tag for tag in _ELEMENT.findall(text) if _attribute(tag, "networkName") == name), "")


def edit(text: str, network: Network, path: Path) -> str:
    """Return settings in which a network is a default IPv6 router; all else stays as it is, to the letter."""
    tag = find(text, network.name)
    if not tag:
        names = [_attribute(each, "networkName") for each in _ELEMENT.findall(text)]
        raise UserError(
            f"{path}: there is no NAT network {network.name}",
            f"there is {', '.join(names)}" if names else "ipv6-nat-network makes one",
        )
    changed = _set(_set(tag, "ipv6", "1"), _ROUTE, "1")
    if network.prefix:
        changed = _set(changed, "ipv6prefix", network.prefix)
    return text.replace(tag, changed, 1)


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return unescape(found[1], {"&quot;": '"'}) if found else ""


def _set(tag: str, name: str, value: str) -> str:
    """Return a start tag with an attribute set; VirtualBox writes truth as 1, and reads `true` as well."""
    if _attribute(tag, name) in (value, "true" if value == "1" else value):
        return tag
    written = f" {name}={quoteattr(value)}"
    changed, count = re.subn(rf'\s{name}="[^"]*"', lambda found: written, tag)
    return changed if count else re.sub(r"(\s*/?>)$", lambda found: written + found[1], tag)
