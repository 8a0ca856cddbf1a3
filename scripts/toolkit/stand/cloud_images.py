"""The cloud images that Debian and Ubuntu publish, and Vagrant boxes that this machine makes of them.

An image is taken by its URL and its hash, so no catalogue of boxes decides what runs. What makes it a box is a seed in
its file system, by which cloud-init lets Vagrant in at the first boot; that takes neither root nor a running machine.

Only the standard library, QEMU's tool for disks and e2fsprogs: a Vagrantfile asks for boxes on any laptop.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import struct
import sys
import time
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError

from toolkit.core import console, directories, files, process
from toolkit.core.errors import UserError
from toolkit.stand import boxes

#: The images of each suite and architecture, with one hash each, as the distribution publishes it.
LIST = Path(__file__).resolve().parents[3] / "stand" / "images.json"
_KEY = LIST.parent / "box" / "vagrant.pub"
_LENGTHS = {"sha256": 64, "sha512": 128}
_GIVEN = re.compile(r"(https?://[^#\s]+)#(sha256|sha512):([0-9a-fA-F]+)")
#: As Debian calls what `uname -m` says.
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_CHUNK, _INTERVAL, _TIMEOUT = 1 << 20, 10, 60
_LARGEST = 16 * 1024**3
#: https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html
_SEED = "/var/lib/cloud/seed/nocloud"
_USER_DATA = """\
#cloud-config
users:
- name: vagrant
  shell: /bin/bash
  sudo: "ALL=(ALL:ALL) NOPASSWD: ALL"
  lock_passwd: true
  ssh_authorized_keys: ["{key}"]
# Of the kinds that an emulated processor makes quickly.
ssh_genkeytypes: [ecdsa, ed25519]
# Vagrant gives the machine its name.
preserve_hostname: true
# Whoever provisions decides when apt runs; a second one would hold its lock.
bootcmd: [[systemctl, disable, --now, apt-daily.timer, apt-daily-upgrade.timer]]
"""
#: A machine with one disk, as VirtualBox imports it: the Open Virtualization Format, DMTF DSP0243.
_OVF = """\
<?xml version="1.0"?>
<Envelope ovf:version="1.0" xml:lang="en-US" xmlns="http://schemas.dmtf.org/ovf/envelope/1"
 xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
 xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
 xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">
 <References><File ovf:id="file1" ovf:href="box.vmdk"/></References>
 <DiskSection>
  <Info>Disks</Info>
  <Disk ovf:capacity="{size}" ovf:diskId="disk1" ovf:fileRef="file1"
   ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
 </DiskSection>
 <NetworkSection><Info>Networks</Info><Network ovf:name="NAT"><Description>NAT</Description></Network></NetworkSection>
 <VirtualSystem ovf:id="box">
  <Info>A virtual machine</Info>
  <OperatingSystemSection ovf:id="96"><Info>Linux, 64 bits</Info></OperatingSystemSection>
  <VirtualHardwareSection>
   <Info>Hardware</Info>
   <System>
    <vssd:ElementName>Hardware</vssd:ElementName>
    <vssd:InstanceID>0</vssd:InstanceID>
    <vssd:VirtualSystemIdentifier>box</vssd:VirtualSystemIdentifier>
    <vssd:VirtualSystemType>virtualbox-2.2</vssd:VirtualSystemType>
   </System>
   <Item>
    <rasd:ElementName>Processors</rasd:ElementName>
    <rasd:InstanceID>1</rasd:InstanceID>
    <rasd:ResourceType>3</rasd:ResourceType>
    <rasd:VirtualQuantity>1</rasd:VirtualQuantity>
   </Item>
   <Item>
    <rasd:AllocationUnits>MegaBytes</rasd:AllocationUnits>
    <rasd:ElementName>Memory</rasd:ElementName>
    <rasd:InstanceID>2</rasd:InstanceID>
    <rasd:ResourceType>4</rasd:ResourceType>
    <rasd:VirtualQuantity>1024</rasd:VirtualQuantity>
   </Item>
   <Item>
    <rasd:Address>0</rasd:Address>
    <rasd:ElementName>SATA Controller</rasd:ElementName>
    <rasd:InstanceID>3</rasd:InstanceID>
    <rasd:ResourceSubType>AHCI</rasd:ResourceSubType>
    <rasd:ResourceType>20</rasd:ResourceType>
   </Item>
   <Item>
    <rasd:AddressOnParent>0</rasd:AddressOnParent>
    <rasd:ElementName>Disk</rasd:ElementName>
    <rasd:HostResource>ovf:/disk/disk1</rasd:HostResource>
    <rasd:InstanceID>4</rasd:InstanceID>
    <rasd:Parent>3</rasd:Parent>
    <rasd:ResourceType>17</rasd:ResourceType>
   </Item>
   <Item>
    <rasd:AutomaticAllocation>true</rasd:AutomaticAllocation>
    <rasd:Connection>NAT</rasd:Connection>
    <rasd:ElementName>Card</rasd:ElementName>
    <rasd:InstanceID>5</rasd:InstanceID>
    <rasd:ResourceSubType>E1000</rasd:ResourceSubType>
    <rasd:ResourceType>10</rasd:ResourceType>
   </Item>
  </VirtualHardwareSection>
 </VirtualSystem>
</Envelope>
"""


@dataclass(frozen=True, kw_only=True)
class Image:
    """A disk in QEMU's format: where it is, and its hash by an `algorithm` of hashlib, in hexadecimal digits."""

    url: str
    algorithm: str
    digest: str

    def label(self, suite: str, provider: str) -> str:
        """Return the label of the box of this image: another image makes another box."""
        return f"{suite}-{self.digest[:12]}-{provider}"


def suites() -> list[str]:
    """Return the suites whose images are known."""
    return list(_read())


def of_suite(suite: str) -> Image | None:
    """Return the image of a suite for machines like this one; None where none is known."""
    return of_architecture(suite, _ARCHITECTURES.get(platform.machine(), ""))


def of_architecture(suite: str, architecture: str) -> Image | None:
    """Return the image of a suite for an architecture, as Debian calls it; None where none is known."""
    found = _read().get(suite, {}).get(architecture)
    if not found:
        return None
    algorithm = next(name for name in _LENGTHS if name in found)
    return Image(url=found["url"], algorithm=algorithm, digest=found[algorithm])


def _read() -> dict[str, dict[str, dict[str, str]]]:
    read: dict[str, dict[str, dict[str, str]]] = json.loads(LIST.read_text(encoding="utf-8"))
    return read


def parse(text: str) -> Image | None:
    """Return the image of a text `URL#sha512:HASH`; None for a text that names no such thing."""
    found = _GIVEN.fullmatch(text)
    if not found or len(found[3]) != _LENGTHS[found[2]]:
        return None
    return Image(url=found[1], algorithm=found[2], digest=found[3].lower())


def make(image: Image, suite: str, provider: str) -> boxes.Box:
    """Return the box of an image, which is fetched and packed where there is none yet. Raises `UserError`."""
    label = image.label(suite, provider)
    if found := boxes.find(label):
        return found
    _require_programs()
    with files.exclusive(boxes.directory(), "box build"):
        if found := boxes.find(label):
            return found
        start = time.monotonic()
        console.step("BOX", f"{label}, of {image.url}")
        with directories.temporary(boxes.directory(), ".image-") as base:
            _fetch(image, base / "image")
            console.step("BOX", "  packing")
            made = boxes.keep(_pack(base, provider), label, provider, image.url)
    size = made.path.stat().st_size / 1e6
    console.step("BOX", f"{made.path.name}, {size:.0f} MB ({time.monotonic() - start:.0f} s)")
    return made


def _require_programs() -> None:
    missing = [name for name in ("qemu-img", "debugfs") if not _program(name)]
    if missing:
        packages = "brew install qemu e2fsprogs" if sys.platform == "darwin" else "apt-get install qemu-utils e2fsprogs"
        raise UserError(f"{', '.join(missing)}: no such program, by which an image becomes a box", packages)


def _program(name: str) -> str:
    """Return a program's path: on PATH, in /sbin, or where Homebrew keeps what macOS has a program of that name for."""
    beyond = (":/usr/sbin", ":/sbin", ":/opt/homebrew/opt/e2fsprogs/sbin", ":/usr/local/opt/e2fsprogs/sbin")
    return next(filter(None, (shutil.which(name), *(shutil.which(name, path=path[1:]) for path in beyond))), "")


def _fetch(image: Image, target: Path) -> None:
    """Write an image to a file. Raises `UserError` where it cannot be had, or is not the one that the hash is of."""
    hint = "`make box` makes a box of Debian packages; STAND_BOX=URL#sha512:HASH names another image"
    digest, size = hashlib.new(image.algorithm), 0
    last = time.monotonic()
    try:
        with urllib.request.urlopen(image.url, timeout=_TIMEOUT) as answer, target.open("wb") as stream:
            expected = int(answer.headers.get("Content-Length") or 0)
            while chunk := answer.read(_CHUNK):
                stream.write(chunk)
                digest.update(chunk)
                size += len(chunk)
                if size > _LARGEST:
                    raise UserError(f"{image.url}: larger than {_LARGEST >> 30} GiB", hint)
                if time.monotonic() - last > _INTERVAL:
                    last = time.monotonic()
                    console.step("BOX", f"  {size / 1e6:.0f} of {expected / 1e6:.0f} MB")
    except HTTPError as error:
        error.close()
        raise UserError(f"{image.url} answers {error.code}", hint) from None
    except (URLError, OSError, ValueError, HTTPException) as error:
        raise UserError(f"{image.url} cannot be fetched ({getattr(error, 'reason', error)})", hint) from None
    if expected and size < expected:
        raise UserError(f"{image.url}: the connection broke off after {size} of {expected} bytes", "try again")
    if digest.hexdigest() != image.digest:
        raise UserError(
            f"{image.url}: its {image.algorithm} is {digest.hexdigest()}, and not {image.digest}",
            "something between here and there has changed it: do not use it, and find out what",
        )


def _pack(base: Path, provider: str) -> Path:
    """Return the archive that is the box, made of `image` in `base`."""
    disk, raw = _program("qemu-img"), base / "disk.raw"
    process.run([disk, "convert", "-f", "qcow2", "-O", "raw", base / "image", raw])
    (base / "image").unlink()
    _seed(base, raw)
    # cloud-init lets the file system grow at the first boot.
    process.run([disk, "resize", "-f", "raw", raw, f"{boxes.DISK_SIZE}G"])
    if provider == "virtualbox":
        options = ["-O", "vmdk", "-o", "subformat=streamOptimized"]
        process.run([disk, "convert", "-f", "raw", *options, raw, base / "box.vmdk"])
        raw.unlink()
        (base / "box.ovf").write_text(_OVF.format(size=boxes.DISK_SIZE * 1024**3), encoding="utf-8")
        return boxes.pack(base, ["box.ovf", "box.vmdk"], {"provider": provider}, "")
    process.run([disk, "convert", "-f", "raw", "-O", "qcow2", raw, base / "box.img"])
    raw.unlink()
    metadata = {"provider": provider, "format": "qcow2", "virtual_size": boxes.DISK_SIZE}
    return boxes.pack(base, ["box.img"], metadata, "")


def _seed(base: Path, disk: Path) -> None:
    """Write what cloud-init asks for into the root file system of a disk, and read it again."""
    seed = {
        "user-data": _USER_DATA.format(key=_KEY.read_text(encoding="ascii").strip()),
        "meta-data": "instance-id: python-common\n",
    }
    parents = [parent for parent in reversed(Path(_SEED, "file").parents) if parent != Path("/")]
    commands = [f"mkdir {parent}" for parent in parents]
    for name, text in seed.items():
        (base / name).write_text(text, encoding="utf-8")
        commands += [f"write {name} {_SEED}/{name}"]
    (base / "commands").write_text("".join(f"{command}\n" for command in commands), encoding="utf-8")
    system = f"{disk.name}?offset={root_offset(disk)}"
    process.run([_program("debugfs"), "-w", "-f", "commands", system], cwd=base)
    for name, text in seed.items():
        found = process.read([_program("debugfs"), "-R", f"cat {_SEED}/{name}", system], cwd=base)
        if text not in found:
            raise UserError(f"{_SEED}/{name} could not be written into the image", "the image has to have ext4")


def root_offset(disk: Path) -> int:
    """Return where the largest partition of a disk begins, in bytes: in cloud images, that of the root.

    By the GUID partition table, https://uefi.org/specs/UEFI/2.10/05_GUID_Partition_Table_Format.html. Raises
    `UserError` where there is none.
    """
    sector = 512
    with disk.open("rb") as stream:
        stream.seek(sector)
        header = stream.read(92)
        begin, count, size = struct.unpack_from("<QII", header.ljust(92, b"\0"), 72)
        if header[:8] != b"EFI PART" or not (0 < count <= 1024 and 128 <= size <= 4096):
            raise UserError("the image has no table of partitions (GPT)", "take a cloud image of Debian or Ubuntu")
        stream.seek(begin * sector)
        table = stream.read(count * size).ljust(count * size, b"\0")
    entries = [table[number * size : (number + 1) * size] for number in range(count)]
    ranges = [struct.unpack_from("<QQ", entry, 32) for entry in entries if any(entry[:16])]
    if not ranges:
        raise UserError("the image has no partition", "take a cloud image of Debian or Ubuntu")
    first, _ = max(ranges, key=lambda pair: pair[1] - pair[0])
    return int(first * sector)
