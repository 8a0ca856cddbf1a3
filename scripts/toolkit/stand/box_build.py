"""Vagrant boxes for libvirt, made of Debian packages alone, and kept in the cache with a catalogue for Vagrant.

They serve a team that cannot reach the images that distributions publish, or does not trust them. A box is made without
root, loop devices or a running system. Its disk has the oldest layout, which every emulated BIOS boots: a master boot
record, GRUB behind it, one ext4 partition.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import time
import uuid
from dataclasses import asdict
from pathlib import Path

from toolkit.core import console, debian_packages, files, process
from toolkit.debian import apt_sources, build_user, chroot, suites
from toolkit.debian.build_user import Account
from toolkit.debian.chroot import Recipe
from toolkit.project.settings import Settings
from toolkit.stand import ansible_variables, boxes

#: Packages by which a machine boots, is reached, and is provisioned by Ansible.
PACKAGES = (
    "ca-certificates",
    "dbus",
    "e2fsprogs",
    "initramfs-tools",
    "iproute2",
    "kmod",
    "openssh-server",
    "python3",
    "python3-apt",
    "rsync",
    "sudo",
    "systemd-resolved",
    "systemd-sysv",
    "systemd-timesyncd",
    "udev",
)
#: The kernels that have 9p, virtiofs and vhost_vsock; the smaller ones for clouds lack some of them.
KERNELS = {"debian": "linux-image-{architecture}", "ubuntu": "linux-image-generic"}
#: The programs that a BIOS starts, of Debian's package grub-pc-bin.
GRUB = Path("/usr/lib/grub/i386-pc")
SECTOR = 512
#: The first sector of the only partition, at 1 MiB as everywhere: GRUB has the room before it; and its sectors.
START = 2048
SECTORS = boxes.DISK_SIZE * 1024**3 // SECTOR - START
_MODULES = ("biosdisk", "part_msdos", "ext2", "normal", "linux", "test", "echo")
#: Features that each kernel, e2fsck and GRUB of the suites in use knows; mke2fs of this machine may have newer ones.
_FEATURES = (
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,"
    "huge_file,dir_nlink,extra_isize,metadata_csum"
)
#: In a user namespace: files keep their owners. Device nodes cannot be made there; the kernel makes them at boot.
_FILL = """
mkdir root
tar --extract --numeric-owner --exclude='./dev/*' --file="$1" --directory=root
mke2fs -q -F -t ext4 -L box -U "$2" -E "offset=$3,hash_seed=$2" -O "$4" -d root disk.raw "$5"
rm -r root
"""


def make(recipe: Recipe, settings: Settings) -> boxes.Box:
    """Make the box of a recipe; it replaces an older one once it is complete. Raises `UserError`."""
    start = time.monotonic()
    boot_loader = [] if (GRUB / "boot.img").is_file() else ["grub-pc-bin"]
    debian_packages.require("boxes are made with", "grub-mkimage", "qemu-img", missing=boot_loader)
    user = build_user.account()
    console.step("BOX", f"{recipe.suite} {recipe.architecture}, from {recipe.mirror}")
    with files.exclusive(boxes.directory(), "box build"), build_user.workspace(user) as base:
        _bootstrap(recipe, settings, user, base)
        console.step("BOX", "  making the disk")
        _write_disk(recipe, user, base)
        console.step("BOX", "  packing")
        distribution = suites.distribution(recipe.suite) or "debian"
        # https://vagrant-libvirt.github.io/vagrant-libvirt/boxes.html
        metadata = {"provider": "libvirt", "format": "qcow2", "virtual_size": boxes.DISK_SIZE}
        packed = boxes.pack(base, ["box.img"], metadata, f"config.vm.guest = :{distribution}")
        made = boxes.keep(packed, recipe.suite, "libvirt", "Debian packages, by make box")
    console.step("BOX", f"{made.path.name}, {made.path.stat().st_size / 1e6:.0f} MB ({time.monotonic() - start:.0f} s)")
    return made


def _bootstrap(recipe: Recipe, settings: Settings, user: Account, base: Path) -> None:
    given = base / "given"
    given.mkdir()
    for source in (settings.toolkit / "stand" / "box").iterdir():
        (given / source.name).write_bytes(source.read_bytes())
        (given / source.name).chmod(0o755)
    log = settings.build / "logs" / f"box-{recipe.suite}.log"
    chroot.bootstrap(command(recipe, base), recipe, user, base, log, "BOX")


def command(recipe: Recipe, base: Path) -> list[str]:
    """Return the command that writes the system's tarball to a directory, whose `given` holds the files it takes."""
    kernel = KERNELS[suites.distribution(recipe.suite) or "debian"].format(architecture=recipe.architecture)
    # The packages of the roles take seconds here, and ten minutes in a machine whose processor is emulated.
    packages = dict.fromkeys((*PACKAGES, kernel, *debian_packages.read(["guest", "build", "develop"])))
    return [
        "mmdebstrap",
        "--mode=unshare",
        f"--variant={recipe.variant}",
        f"--architectures={recipe.architecture}",
        f"--include={','.join(packages)}",
        *(f"--aptopt={option}" for option in apt_sources.options()),
        f'--essential-hook={base}/given/early.sh "$1"',
        '--customize-hook=mkdir "$1/tmp/box"',
        *(
            f"--customize-hook=upload {base}/given/{each} /tmp/box/{each}"
            for each in ("vagrant.pub", "grub.cfg", "setup.sh")
        ),
        f'--customize-hook=chroot "$1" sh /tmp/box/setup.sh {ansible_variables.LOCALE}',
        recipe.suite,
        f"{base}/root.tar",
        *recipe.sources,
    ]


def _write_disk(recipe: Recipe, user: Account, base: Path) -> None:
    """Turn root.tar into box.img, the disk as QEMU reads it."""
    tarball, raw, core = base / "root.tar", base / "disk.raw", base / "core.img"
    digest = hashlib.sha256(json.dumps(asdict(recipe), sort_keys=True).encode()).hexdigest()
    identity = uuid.UUID(digest[:32])
    epoch = str(int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()))
    environment = {**user.environment(base), "SOURCE_DATE_EPOCH": epoch, "E2FSPROGS_FAKE_TIME": epoch}

    def run(*words: str | Path) -> None:
        process.run(user.command([str(word) for word in words]), cwd=base, env=environment)

    run("truncate", f"--size={boxes.DISK_SIZE}G", raw)
    fill = (_FILL, "sh", tarball, str(identity), str(START * SECTOR), _FEATURES, f"{SECTORS * SECTOR // 1024}k")
    run("unshare", "--map-auto", "--map-root-user", "sh", "-euc", *fill)
    tarball.unlink()
    run("grub-mkimage", "--format=i386-pc", "--prefix=(hd0,msdos1)/boot/grub", f"--output={core}", *_MODULES)
    with raw.open("r+b") as stream:
        stream.write(boot_sectors((GRUB / "boot.img").read_bytes(), core.read_bytes(), identity))
    process.run(["qemu-img", "convert", "-O", "qcow2", raw, base / "box.img"])
    raw.unlink()


def boot_sectors(boot: bytes, core: bytes, identity: uuid.UUID) -> bytes:
    """Return the sectors before the partition: the master boot record of a disk of this identity, then GRUB's core.

    GRUB's boot.img loads the sector that follows it, and that one the rest: as built, no address has to be patched.
    """
    if len(core) > (START - 1) * SECTOR:
        raise ValueError("GRUB does not fit before the partition")
    # An active Linux partition; its addresses by cylinder are marked as out of range.
    beyond = b"\xfe\xff\xff"
    partition = struct.pack("<B3sB3sII", 0x80, beyond, 0x83, beyond, START, SECTORS)
    record = boot[:440] + identity.bytes[:4] + bytes(2) + partition + bytes(48) + b"\x55\xaa"
    return record + core
