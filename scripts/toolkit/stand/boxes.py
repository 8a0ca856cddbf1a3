"""Vagrant boxes that were made on this machine: their archives, files, names and versions.

Only the standard library: a Vagrantfile asks for them on any laptop.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit.core import directories, files

#: The size of a machine's disk, in GiB. It costs no more than what is in it.
DISK_SIZE = 20


@dataclass(frozen=True, kw_only=True)
class Box:
    """A finished box: its file, the catalogue that names it, and its name and version there."""

    path: Path
    catalogue: Path
    name: str
    version: str


def directory() -> Path:
    """Return the directory of boxes."""
    return files.cache_root() / "boxes"


def name(label: str) -> str:
    """Return the name of a box; its label is that of a suite, for libvirt, or says what else it was made of."""
    return f"python-common/{label}"


def find(label: str) -> Box | None:
    """Return a box, if it was made."""
    catalogue = directory() / f"{label}.json"
    try:
        version = json.loads(catalogue.read_text(encoding="utf-8"))["versions"][0]["version"]
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return None
    path = directory() / f"{label}.box"
    return Box(path=path, catalogue=catalogue, name=name(label), version=version) if path.is_file() else None


def pack(base: Path, disk: Sequence[str], metadata: Mapping[str, Any], vagrantfile: str) -> Path:
    """Return the archive that Vagrant takes for a box, of the files of `base` that are its disk.

    https://developer.hashicorp.com/vagrant/docs/boxes/format
    """
    (base / "metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    (base / "Vagrantfile").write_text(f'Vagrant.configure("2") {{ |config| {vagrantfile} }}\n', encoding="utf-8")
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = epoch
        return member

    packed = base / "packed.box"
    with (
        packed.open("wb") as stream,
        gzip.GzipFile(filename="", fileobj=stream, mode="wb", compresslevel=1, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for each in ("metadata.json", "Vagrantfile", *disk):
            archive.add(base / each, each, filter=anonymous)
    return packed


def keep(packed: Path, label: str, provider: str, made_of: str) -> Box:
    """Move a box to the others and name it in a catalogue of its own.

    Vagrant takes the version that a Vagrantfile asks for, and refuses a file of another checksum.
    """
    path, catalogue = directory() / f"{label}.box", directory() / f"{label}.json"
    version = f"{datetime.now(UTC):%Y%m%d.%H%M%S}.0"
    source = {"name": provider, "url": path.as_uri(), "checksum_type": "sha256", "checksum": files.sha256(packed)}
    described = {
        "name": name(label),
        "description": f"{label}, made of {made_of}",
        "versions": [{"version": version, "providers": [source]}],
    }
    # The workspace may be on another file system.
    with directories.temporary(directory(), ".box-") as staged:
        shutil.copyfile(packed, staged / path.name)
        os.replace(staged / path.name, path)
    files.write_atomic(catalogue, json.dumps(described, indent=1))
    return Box(path=path, catalogue=catalogue, name=name(label), version=version)
