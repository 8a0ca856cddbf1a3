"""Run a package build as if on another machine: `other_machine_runner.py '{"hostname": ..., ...}' PROGRAM ...`.

It has another host name, another user, a file system that lists files in another order, and one core: a package must
not depend on them. Namespaces make that possible for an ordinary user, user_namespaces(7). The standard library alone,
as this is started by its path.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import socket
import sys
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER = 0x20000, 0x4000000, 0x10000000  # sched.h
MS_REC, MS_PRIVATE = 0x4000, 0x40000  # mount(2)
_libc = ctypes.CDLL(None, use_errno=True)


def enter(namespaces: int, user: int) -> None:
    """Enter new namespaces as this user id, which stands for the one outside. Raises `OSError` if forbidden."""
    outer, group = os.geteuid(), os.getegid()
    if _libc.unshare(CLONE_NEWUSER | namespaces) != 0:
        raise OSError(ctypes.get_errno(), "no namespace of users")
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny", encoding="ascii")
    (own / "uid_map").write_text(f"{user} {outer} 1", encoding="ascii")
    (own / "gid_map").write_text(f"{user} {group} 1", encoding="ascii")


def mount(kind: str, target: str, flags: int = 0) -> None:
    """Mount a file system of this kind, or change how a mount propagates. Raises `OSError`."""
    if _libc.mount(kind.encode(), target.encode(), kind.encode(), flags, None) != 0:
        raise OSError(ctypes.get_errno(), f"{kind} on {target}: not mounted")


def move_to_memory(tree: Path, original: Path) -> None:
    """Copy `original` into memory, seen at `tree` by this process alone: tmpfs lists the newest file first."""
    mount("none", "/", MS_REC | MS_PRIVATE)
    mount("tmpfs", str(tree))
    shutil.copytree(original, tree, symlinks=True, dirs_exist_ok=True)


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    enter(CLONE_NEWNS | CLONE_NEWUTS, 0)
    socket.sethostname(options["hostname"])
    if options.get("tree"):
        move_to_memory(Path(options["tree"]), Path(options["original"]))
        os.chdir(options["tree"])
    enter(0, options["user"])
    os.umask(options["umask"])
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.execvp(sys.argv[2], sys.argv[2:])
