"""Bootable disks of a system in a tarball, made without root, loop devices or a running system.

The layout is the oldest that every emulated BIOS boots: a master boot record, GRUB behind it, one ext4 partition.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import process
from toolkit.debian.build_user import Account

#: Where Debian's package grub-pc-bin has what a BIOS starts.
GRUB = Path("/usr/lib/grub/i386-pc")
SECTOR = 512
#: Where the partition begins, in sectors: 1 MiB, as everywhere; GRUB has the room before it.
START = 2048
_MODULES = ("biosdisk", "part_msdos", "ext2", "normal", "linux", "test", "echo")
#: What every kernel, e2fsck and GRUB of the suites in use knows; defaults of this machine's mke2fs may be newer.
_FEATURES = (
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,"
    "huge_file,dir_nlink,extra_isize,metadata_csum"
)
#: In a user namespace: files keep their owners. Device nodes cannot be made there; the kernel makes them at boot.
_FILL = """
mkdir root
tar --extract --numeric-owner --exclude='./dev/*' --file="$1" --directory=root
mke2fs -q -F -t ext4 -L "$2" -U "$3" -E "offset=$4,hash_seed=$3" -O "$5" -d root disk.raw "$6"
rm -r root
"""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A disk: its size in bytes, and the label and UUID of the file system in its only partition."""

    size: int
    label: str
    uuid: str

    @property
    def sectors(self) -> int:
        """Return the number of sectors of the partition."""
        return self.size // SECTOR - START


def has_boot_loader() -> bool:
    """Tell whether this machine has the boot loader that disks are made with."""
    return (GRUB / "boot.img").is_file() and shutil.which("grub-mkimage") is not None


def write(tarball: Path, layout: Layout, user: Account, base: Path, epoch: int) -> Path:
    """Return a disk, in `base`, with the system of a tarball; `epoch` is the date of its file system.

    The result is sparse: it takes the place of what is in it.
    """
    disk, core = base / "disk.raw", base / "core.img"
    environment = {**user.environment(base), "SOURCE_DATE_EPOCH": str(epoch), "E2FSPROGS_FAKE_TIME": str(epoch)}

    def run(words: Sequence[str | Path]) -> None:
        process.run(user.command([str(word) for word in words]), cwd=base, env=environment)

    run(["truncate", f"--size={layout.size}", disk])
    run(
        [
            "unshare",
            "--map-auto",
            "--map-root-user",
            "sh",
            "-euc",
            _FILL,
            "sh",
            tarball,
            layout.label,
            layout.uuid,
            str(START * SECTOR),
            _FEATURES,
            f"{layout.sectors * SECTOR // 1024}k",
        ]
    )
    run(["grub-mkimage", "--format=i386-pc", "--prefix=(hd0,msdos1)/boot/grub", f"--output={core}", *_MODULES])
    with disk.open("r+b") as stream:
        stream.write(boot_sectors((GRUB / "boot.img").read_bytes(), core.read_bytes(), layout))
    return disk


def boot_sectors(boot: bytes, core: bytes, layout: Layout) -> bytes:
    """Return what stands before the partition.

    GRUB's boot.img loads what follows it, and its core the sectors after that: as built, no address has to be patched.
    """
    if len(core) > (START - 1) * SECTOR:
        raise ValueError("GRUB does not fit before the partition")
    identity = bytes.fromhex(layout.uuid.replace("-", ""))[:4]
    record = boot[:440] + identity + bytes(2) + _partition(layout.sectors) + bytes(48) + b"\x55\xaa"
    return record + core


def _partition(sectors: int) -> bytes:
    """Return the entry of an active Linux partition; its addresses by cylinder are out of range, as they say."""
    beyond = b"\xfe\xff\xff"
    return struct.pack("<B3sB3sII", 0x80, beyond, 0x83, beyond, START, sectors)
