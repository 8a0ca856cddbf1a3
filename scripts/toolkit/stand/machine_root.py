"""What the root of a container is given before it boots: its user, the way in through ssh, its name."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import files, process

_WEEK = 7 * 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A guest's name, its user with their id, the port of its ssh server, and keys, each as the text of its file.

    `store` is a wheel store of the host whose recent wheels the user starts with (empty: none).
    """

    hostname: str
    user: str
    uid: int
    port: int
    authorized_key: str
    host_key: str
    store: str = ""


def prepare(root: Path, guest: Guest) -> None:
    """Give a root all that the guest says; what is there already stays."""
    _write(root / "etc/hostname", f"{guest.hostname}\n")
    _write(root / "etc/hosts", f"127.0.0.1 localhost {guest.hostname}\n::1 localhost\n")
    _write(root / "etc/sudoers.d/stand", f"{guest.user} ALL=(ALL) NOPASSWD: ALL\n", 0o440)
    _write(
        root / "etc/ssh/sshd_config.d/stand.conf",
        f"Port {guest.port}\nListenAddress 127.0.0.1\nHostKey /etc/ssh/stand_host_key\nPasswordAuthentication no\n",
    )
    _write(root / "etc/ssh/stand_host_key", guest.host_key, 0o600)
    home = root / "home" / guest.user
    is_new = not home.is_dir()
    if is_new:
        process.run(
            [
                "chroot",
                root,
                "useradd",
                "--create-home",
                "--non-unique",
                "--uid",
                str(guest.uid),
                "--shell",
                "/bin/bash",
                guest.user,
            ]
        )
    owner = home.stat()
    if is_new and guest.store:
        _seed(home / ".cache/python-common/store", Path(guest.store))
        _give(home, owner)
    _write(home / ".ssh/authorized_keys", guest.authorized_key, 0o600)
    _give(home / ".ssh", owner)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(mode=0o700 if path.parent.name == ".ssh" else 0o755, exist_ok=True)
    files.write_atomic(path, text)
    path.chmod(mode)


def _seed(target: Path, store: Path) -> None:
    """Copy the wheels that the host has used within a week: what is the same in the guest is not built again."""
    limit = time.time() - _WEEK
    for entry in store.glob("wheels/*/*"):
        if entry.stat().st_mtime > limit and (entry / "entry.json").is_file():
            shutil.copytree(entry, target / entry.relative_to(store))


def _give(directory: Path, owner: os.stat_result) -> None:
    os.chown(directory, owner.st_uid, owner.st_gid)
    for parent, folders, names in os.walk(directory):
        for name in (*folders, *names):
            os.chown(os.path.join(parent, name), owner.st_uid, owner.st_gid, follow_symlinks=False)
