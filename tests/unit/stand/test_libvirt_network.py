"""The network of libvirt that machines reach IPv6 through."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.stand import libvirt_network
from toolkit.stand.virtualbox_network import Network

NETWORK = Network(name="yc-ipv6-nat", range="192.168.222.0/24")
_VIRSH = """\
#!/bin/sh
# Networks as libvirt keeps them, in $NETWORKS: a definition each, and `started` beside it.
set -eu
case "$*" in
    "--connect qemu:///system "*) shift 2;;
    *) echo "unexpected: $*" >&2; exit 1;;
esac
echo "$*" >> "$NETWORKS/calls"
case "$1" in
    net-list) for each in "$NETWORKS"/*.xml; do
        test -e "$each" || continue
        name=$(basename "$each" .xml)
        if [ "$2" = --all ] || [ -e "$NETWORKS/$name.started" ]; then echo "$name"; fi
    done;;
    net-dumpxml) cat "$NETWORKS/$2.xml";;
    net-define) cp "$2" "$NETWORKS/yc-ipv6-nat.xml";;
    net-autostart) ;;
    net-start)
        if [ -e "$NETWORKS/in-use" ]; then echo "error: Network is already in use by interface eth0" >&2; exit 1; fi
        touch "$NETWORKS/$2.started";;
    *) echo "unexpected: $*" >&2; exit 1;;
esac
"""


@pytest.fixture
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of the networks of a libvirt, of which there are none."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "virsh").write_text(_VIRSH)
    (tmp_path / "bin" / "virsh").chmod(0o755)
    (tmp_path / "networks").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("NETWORKS", str(tmp_path / "networks"))
    return tmp_path / "networks"


def changes(networks: Path) -> list[str]:
    lines = (networks / "calls").read_text().splitlines()
    return [line.split()[0] for line in lines if not line.startswith(("net-list", "net-dumpxml"))]


def test_a_network_is_defined_and_started(networks: Path) -> None:
    libvirt_network.create(NETWORK, dry_run=False)
    assert changes(networks) == ["net-define", "net-autostart", "net-start"]


def test_its_machines_get_addresses_of_both_kinds_and_are_translated() -> None:
    root = ET.fromstring(libvirt_network.definition(NETWORK))
    nat, places = root.find("forward/nat"), root.findall("ip")
    assert nat is not None
    assert nat.attrib == {"ipv6": "yes"}
    assert [place.get("address") for place in places] == ["192.168.222.1", "fd17:625c:f037:de::1"]
    assert places[1].attrib["prefix"] == "64"


def test_a_second_run_changes_nothing(networks: Path) -> None:
    libvirt_network.create(NETWORK, dry_run=False)
    once = changes(networks)
    libvirt_network.create(NETWORK, dry_run=False)
    assert changes(networks) == once


def test_one_that_was_stopped_is_started(networks: Path) -> None:
    libvirt_network.create(NETWORK, dry_run=False)
    (networks / "yc-ipv6-nat.started").unlink()
    libvirt_network.create(NETWORK, dry_run=False)
    assert changes(networks)[-1:] == ["net-start"]


def test_a_dry_run_shows_the_definition_alone(networks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    libvirt_network.create(NETWORK, dry_run=True)
    assert '<nat ipv6="yes" />' in capsys.readouterr().out
    assert changes(networks) == []


def test_a_network_of_that_name_without_ipv6_is_not_touched(networks: Path) -> None:
    (networks / "yc-ipv6-nat.xml").write_text("<network><forward mode='nat'/><ip address='192.168.1.1'/></network>")
    with pytest.raises(UserError, match="but without IPv6") as caught:
        libvirt_network.create(NETWORK, dry_run=False)
    assert "virsh net-undefine yc-ipv6-nat" in caught.value.hint
    assert changes(networks) == []


def test_a_range_in_use_is_an_error_with_a_hint(networks: Path) -> None:
    (networks / "in-use").touch()
    with pytest.raises(UserError, match="does not start") as caught:
        libvirt_network.create(NETWORK, dry_run=False)
    assert "--network" in caught.value.hint


def test_a_libvirt_that_does_not_run_is_an_error(networks: Path, tmp_path: Path) -> None:
    (tmp_path / "bin" / "virsh").write_text("#!/bin/sh\necho 'Failed to connect socket' >&2; exit 1\n")
    with pytest.raises(UserError, match="cannot be reached") as caught:
        libvirt_network.create(NETWORK, dry_run=False)
    assert "group libvirt" in caught.value.hint


def test_a_host_without_virsh_is_told_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="virsh: no such program") as caught:
        libvirt_network.create(NETWORK, dry_run=False)
    assert caught.value.hint == "apt-get install libvirt-clients"
