"""Directories that are replaced whole, and temporary ones that never outlive their use.

`replace` takes a directory that is complete: whoever looks sees the old or the new one. `put_aside` is for what has to
be made at its final path: the old one waits beside it. Either way `recover` brings the old one back after a kill.
"""

from __future__ import annotations

import ctypes
import fcntl
import glob
import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from toolkit.core import console, files

_RENAME_EXCHANGE, _AT_FDCWD = 2, -100  # renameat2(2)
#: What their names end in: a user may have directories of his own whose names begin as theirs.
_TEMPORARY = ".tmp"


def replace(staged: Path, target: Path) -> None:
    """Put `staged` in the place of `target` in one step, and remove what was there before.

    Where the kernel or the file system cannot exchange two directories, there are two steps.
    """
    recover(target)
    if not os.path.lexists(target):
        os.replace(staged, target)
    elif _exchange(staged, target):
        files.remove(staged)
    else:
        with put_aside(target):
            os.rename(staged, target)


def _exchange(first: Path, second: Path) -> bool:
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:  # macOS
        return False
    return bool(renameat2(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0)


@contextmanager
def put_aside(target: Path, keep: Path | None = None) -> Iterator[Path]:
    """Move `target`, if it is there, out of the way of the block, which makes a new one and gets the old one's path.

    When the block fails, the old one comes back; when it does not, the old one is removed, or kept at `keep`.
    """
    old = keep or _aside(target)
    if os.path.lexists(target):
        os.rename(target, old)
    try:
        yield old
    except BaseException:
        files.remove(target)
        if os.path.lexists(old):
            os.rename(old, target)
        raise
    if not keep:
        files.remove(old)


def recover(target: Path) -> None:
    """Bring back what a killed run has put aside, unless something is in its place."""
    old = _aside(target)
    if not os.path.lexists(old):
        return
    if os.path.lexists(target):
        files.remove(old)
    else:
        console.debug(f"bringing {target} back from a run that was killed")
        os.rename(old, target)


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


@contextmanager
def temporary(
    parent: Path, prefix: str, remove: Callable[[Path], None] = files.remove, owners: Collection[int] = ()
) -> Iterator[Path]:
    """Make a directory below `parent` for the block, gone afterwards; those that killed runs left there go first.

    Its lock tells others that it is in use. `remove` and `owners` are as in `sweep`.
    """
    parent.mkdir(parents=True, exist_ok=True)
    sweep(parent, prefix, remove, owners)
    path, descriptor = _make(parent, prefix)
    try:
        yield path
    finally:
        remove(path)
        os.close(descriptor)


@contextmanager
def at(path: Path) -> Iterator[Path]:
    """Make a directory of just this path for the block, gone afterwards; what a killed run left there goes first.

    The caller sees to it that nobody else uses the path.
    """
    files.remove(path)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        files.remove(path)


def scratch(prefix: str) -> AbstractContextManager[Path]:
    """Make a temporary directory in the cache, for what is large or not of one project."""
    return temporary(files.cache_root() / "tmp", prefix)


def _make(parent: Path, prefix: str) -> tuple[Path, int]:
    """Make a directory and lock it; another one if a sweep has removed it in between."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=prefix, suffix=_TEMPORARY, dir=parent))
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.exists():
            return path, descriptor
        os.close(descriptor)


def sweep(
    parent: Path, prefix: str, remove: Callable[[Path], None] = files.remove, owners: Collection[int] = ()
) -> None:
    """Remove the temporary directories of processes that were killed, for a caller that may make none.

    Only those of this user, of the owner of `parent` and of `owners`, ids of users: any user may write to /tmp. What
    cannot be removed stays, and stops nobody.
    """
    for path in parent.glob(f"{glob.escape(prefix)}*{_TEMPORARY}"):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            # Its process has just removed it, or it is not ours.
            continue
        try:
            if os.fstat(descriptor).st_uid in {os.geteuid(), parent.stat().st_uid, *owners}:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                console.debug(f"removing {path}, left by a run that was killed")
                remove(path)
        except BlockingIOError:
            pass
        except OSError as error:
            console.debug(f"{path} stays: {error}")
        finally:
            os.close(descriptor)
