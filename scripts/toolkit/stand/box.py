"""Vagrant boxes for libvirt, of Debian packages alone; kept in the cache with a catalogue that Vagrant reads.

A team works with these where the public catalogue cannot be reached, or is not to be trusted.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import time
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from toolkit.core import console, debian_packages, files, process
from toolkit.core.errors import UserError
from toolkit.debian import apt_sources, build_user, chroot
from toolkit.debian.build_user import Account
from toolkit.debian.chroot import Recipe
from toolkit.project.settings import Settings
from toolkit.stand import boxes, disk

#: What a machine needs to boot, to be reached, and to be worked on by Ansible.
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
#: In GiB. It costs no more than what is in it.
DISK_SIZE = 20
_DISTRO_INFO = Path("/usr/share/distro-info/ubuntu.csv")


def make(recipe: Recipe, settings: Settings) -> boxes.Box:
    """Make the box of a recipe, which takes the place of an older one when it is complete. Raises `UserError`."""
    start, now = time.monotonic(), datetime.now(UTC)
    _check_tools()
    user = build_user.account()
    console.step("BOX", f"{recipe.suite} {recipe.architecture}, from {recipe.mirror}")
    with files.exclusive(boxes.directory(), "box build"), build_user.workspace(user) as base:
        _bootstrap(recipe, settings, user, base)
        console.step("BOX", "  making the disk")
        _disk(recipe, user, base)
        console.step("BOX", "  packing")
        packed = _pack(recipe.suite, base)
        made = _keep(packed, recipe.suite, f"{now:%Y%m%d.%H%M%S}.0")
    console.step("BOX", f"{made.path.name}, {made.path.stat().st_size / 1e6:.0f} MB ({time.monotonic() - start:.0f} s)")
    return made


def _check_tools() -> None:
    missing = [] if disk.has_boot_loader() else ["grub-pc-bin", "grub-common"]
    missing += [] if shutil.which("qemu-img") else ["qemu-utils"]
    if missing:
        raise UserError(
            f"this machine lacks what boxes are made with: {' '.join(missing)}", f"apt-get install {' '.join(missing)}"
        )


def _bootstrap(recipe: Recipe, settings: Settings, user: Account, base: Path) -> None:
    given = base / "given"
    given.mkdir()
    for source in (settings.toolkit / "stand" / "box").iterdir():
        (given / source.name).write_bytes(source.read_bytes())
        (given / source.name).chmod(0o755)
    log = settings.build / "logs" / f"box-{recipe.suite}.log"
    chroot.bootstrap(command(recipe, base), recipe, user, base, log, "BOX")


def command(recipe: Recipe, base: Path) -> list[str]:
    """Return the command that writes the system's tarball to a directory, where `given` has what it is told."""
    kernel = KERNELS[distribution(recipe.suite)].format(architecture=recipe.architecture)
    # What the roles would install: here it takes seconds, in a machine whose processor is emulated ten minutes.
    wanted = dict.fromkeys((*PACKAGES, kernel, *debian_packages.read(["guest", "build", "develop"])))
    return [
        "mmdebstrap",
        "--mode=unshare",
        f"--variant={recipe.variant}",
        f"--architectures={recipe.architecture}",
        f"--include={','.join(wanted)}",
        *(f"--aptopt={option}" for option in apt_sources.options()),
        f'--essential-hook={base}/given/early.sh "$1"',
        '--customize-hook=mkdir "$1/tmp/box"',
        *(
            f"--customize-hook=upload {base}/given/{each} /tmp/box/{each}"
            for each in ("vagrant.pub", "grub.cfg", "setup.sh")
        ),
        '--customize-hook=chroot "$1" sh /tmp/box/setup.sh',
        recipe.suite,
        f"{base}/root.tar",
        *recipe.sources,
    ]


def distribution(suite: str) -> str:
    """Return `ubuntu` or `debian`: whose suite it is."""
    if not _DISTRO_INFO.is_file():
        return "debian"
    with _DISTRO_INFO.open(encoding="utf-8", newline="") as stream:
        return "ubuntu" if any(row.get("series") == suite for row in csv.DictReader(stream)) else "debian"


def _disk(recipe: Recipe, user: Account, base: Path) -> None:
    """Write box.img, the disk as QEMU reads it."""
    digest = hashlib.sha256(json.dumps(asdict(recipe), sort_keys=True).encode()).hexdigest()
    layout = disk.Layout(size=DISK_SIZE * 1024**3, label="box", uuid=str(uuid.UUID(digest[:32])))
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    raw = disk.write(base / "root.tar", layout, user, base, epoch)
    (base / "root.tar").unlink()
    process.run(["qemu-img", "convert", "-O", "qcow2", raw, base / "box.img"])
    raw.unlink()


def _pack(suite: str, base: Path) -> Path:
    """Return the archive that Vagrant takes for a box, https://vagrant-libvirt.github.io/vagrant-libvirt/boxes.html."""
    described = {"provider": "libvirt", "format": "qcow2", "virtual_size": DISK_SIZE}
    (base / "metadata.json").write_text(json.dumps(described), encoding="utf-8")
    guest = f'Vagrant.configure("2") {{ |config| config.vm.guest = :{distribution(suite)} }}\n'
    (base / "Vagrantfile").write_text(guest, encoding="utf-8")
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "0")
    process.run(
        [
            "tar",
            "--create",
            "--sort=name",
            f"--mtime=@{epoch}",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
            "--use-compress-program=gzip -1n",
            "--file=packed.box",
            "metadata.json",
            "Vagrantfile",
            "box.img",
        ],
        cwd=base,
    )
    return base / "packed.box"


def _keep(packed: Path, suite: str, version: str) -> boxes.Box:
    """Move a box to the others and name it in its catalogue.

    Vagrant takes the version that a Vagrantfile asks for, and refuses a file that is not the one which is named here.
    """
    path, catalogue = boxes.directory() / f"{suite}.box", boxes.directory() / f"{suite}.json"
    provider = {"name": "libvirt", "url": path.as_uri(), "checksum_type": "sha256", "checksum": files.sha256(packed)}
    described = {
        "name": boxes.name(suite),
        "description": f"{suite}, made by make box of Debian packages",
        "versions": [{"version": version, "providers": [provider]}],
    }
    # The workspace may be on another file system.
    with files.temporary_directory(boxes.directory(), ".box-") as staged:
        shutil.copyfile(packed, staged / path.name)
        os.replace(staged / path.name, path)
    files.write_atomic(catalogue, json.dumps(described, indent=1))
    return boxes.Box(path=path, catalogue=catalogue, name=boxes.name(suite), version=version)
