"""What stands before the partition of a disk."""

from __future__ import annotations

import struct

import pytest

from toolkit.stand import disk

LAYOUT = disk.Layout(size=1024**3, label="box", uuid="01234567-89ab-cdef-0123-456789abcdef")
BOOT = bytes(range(256)) * 2


def test_the_record_starts_with_the_boot_loader_and_ends_with_its_signature() -> None:
    written = disk.boot_sectors(BOOT, b"core", LAYOUT)
    assert written[:440] == BOOT[:440]
    assert written[510:512] == b"\x55\xaa"


def test_the_core_follows_the_record_where_the_boot_loader_looks_for_it() -> None:
    assert disk.boot_sectors(BOOT, b"core", LAYOUT)[512:] == b"core"


def test_the_only_partition_is_active_and_reaches_the_end_of_the_disk() -> None:
    table = disk.boot_sectors(BOOT, b"core", LAYOUT)[446:510]
    active, kind, start, sectors = table[0], table[4], *struct.unpack("<II", table[8:16])
    assert (active, kind) == (0x80, 0x83)
    assert (start + sectors) * disk.SECTOR == LAYOUT.size
    assert table[16:] == bytes(48)


def test_disks_of_different_systems_have_different_identities() -> None:
    other = disk.Layout(size=LAYOUT.size, label="box", uuid="fedcba98-7654-3210-fedc-ba9876543210")
    assert disk.boot_sectors(BOOT, b"", LAYOUT)[440:444] != disk.boot_sectors(BOOT, b"", other)[440:444]


def test_a_boot_loader_that_would_reach_into_the_partition_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        disk.boot_sectors(BOOT, bytes(disk.START * disk.SECTOR), LAYOUT)
