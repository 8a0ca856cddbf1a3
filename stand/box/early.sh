#!/bin/sh
# Before packages are installed: what the initial RAM disk is made of. A list is a third of the size of "most", which an
# emulated processor feels at every boot. $1 is the root.
set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
echo MODULES=list > "$1/etc/initramfs-tools/conf.d/box"
printf '%s\n' virtio_pci virtio_blk virtio_scsi sd_mod ahci ata_piix ext4 > "$1/usr/share/initramfs-tools/modules.d/box"
