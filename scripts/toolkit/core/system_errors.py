"""Faults of the machine as the two lines of any other error: which directory, and what is the matter with it."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from toolkit.core import places
from toolkit.core.errors import UserError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
#: What writing to an open file may end with: such an error names no file, and no socket has it.
_WRITING = _FULL | {errno.EFBIG, errno.EIO, errno.EROFS}
#: Bytes; an interrupted write may have left that much.
_LITTLE = 64 << 20
#: What programs print of a full disk, in the locale that all of them get.
_MESSAGES = tuple(os.strerror(number) for number in _FULL)
_FREE = (
    "free some space {where} (`make clean` removes build/ and dist/; XDG_CACHE_HOME= and TMPDIR= move the cache and "
    "temporary files), then run it again; nothing was replaced"
)
_HINTS = {
    errno.EACCES: "see who owns it; run as the user who may write there",
    errno.EPERM: "see who owns it; run as the user who may write there",
    errno.EROFS: "its file system is read-only: move the project, or set the variable that names this directory",
    errno.ENAMETOOLONG: "move the project, or the directory that it names, to a shorter path",
    errno.EMFILE: "allow more open files: `ulimit -n 4096`",
    errno.EAGAIN: "allow more processes: `ulimit -u 4096`, or take fewer at once: JOBS=1",
    errno.EFBIG: "allow larger files: `ulimit -f unlimited`",
    errno.EIO: "the disk or its connection is at fault: see `dmesg`",
}


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have an `OSError` of the block that comes from writing to an open file name that file."""
    try:
        yield
    except OSError as error:
        if error.errno in _WRITING and error.filename is None:
            error.filename = str(path)
        raise


def explain(error: OSError) -> UserError:
    """Return the error to raise for a fault of the machine."""
    number, path, reason = _facts(error)
    if number in _FULL:
        hint = _FREE.format(where=_room_of(path) if path else room())
    else:
        hint = _HINTS.get(number, "see `V=2` for the commands that were run")
    return UserError(f"{path}: {reason}" if path else reason, hint)


def known(error: RuntimeError) -> UserError | None:
    """Return the error to raise for a fault of the machine of which CPython gives no more than a text."""
    text = str(error)
    if "start new thread" in text:
        return explain(OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)))
    if "determine home directory" in text:
        return UserError("there is no home directory: HOME is not set", "set it: HOME=/a/directory")
    return None


def corrected(error: UserError) -> UserError:
    """Return an error with the hint that is right when a program that failed had no room to write, as `note_room` saw.

    Its caller may think that a build failed, or that a file is damaged.
    """
    cause: BaseException | None = error
    while cause:
        # Others write notes, too: Python 3.13 does, of what cannot be decoded.
        for note in getattr(cause, "__notes__", ()):
            if note.startswith(_MESSAGES):
                return UserError(error.what, note, error.details)
        cause = cause.__cause__ or cause.__context__
    return error


def note_room(error: Exception, output: str) -> None:
    """Note with the error of a program, if its output says that it had no room to write, where there is how much.

    Later it cannot be seen any more: temporary directories are gone by then.
    """
    if found := next((message for message in _MESSAGES if message in output), ""):
        error.add_note(f"{found}: {_FREE.format(where=room())}")


def room() -> str:
    """Return, to be read after "free some space", the room that is left where the toolkit writes, where it is little.

    Where it is little nowhere, it is told of all file systems.
    """
    found: dict[int, tuple[bool, str]] = {}
    # `tempfile` takes another directory when the one it should take is full.
    directories = [".", os.environ.get("TMPDIR", "/tmp")]
    with suppress(UserError):
        directories.append(str(places.cache_root()))
    for directory in directories:
        nearest = _nearest(Path(directory))
        state = os.statvfs(nearest)
        is_short = state.f_bavail * state.f_frsize < _LITTLE or (state.f_files and not state.f_favail)
        found.setdefault(os.stat(nearest).st_dev, (bool(is_short), _room_of(str(nearest))))
    short = [text for is_short, text in found.values() if is_short]
    return " or ".join(short or [text for _, text in found.values()])


def _facts(error: OSError) -> tuple[int, str, str]:
    """Return the number of an error, the path that it is about and its text."""
    if isinstance(error, shutil.Error) and isinstance(error.args[0], list) and error.args[0]:
        # Of copying a tree: a list of (source, target, text).
        _, target, text = error.args[0][0]
        found = re.match(r"\[Errno (\d+)\]", str(text))
        return int(found[1]) if found else 0, str(target), os.strerror(int(found[1])) if found else str(text)
    number = error.errno or 0
    # Of two files the second is the one that is written.
    path = error.filename2 if error.filename2 and number in {*_FULL, errno.EROFS} else error.filename
    return number, os.fsdecode(path) if isinstance(path, (str, bytes)) else "", error.strerror or str(error)


def _room_of(path: str) -> str:
    """Return the room on the file system of a path, of whose directories not all need exist any more."""
    directory = _nearest(Path(path))
    mount = directory
    while not os.path.ismount(mount):
        mount = mount.parent
    state = os.statvfs(directory)
    left = f"{state.f_bavail * state.f_frsize / 1e6:.1f} MB of {state.f_blocks * state.f_frsize / 1e6:.1f} MB are free"
    if state.f_files and not state.f_favail:
        left = "no file more can be made (inodes)"
    return f"for {directory} on the file system {mount}, where {left}"


def _nearest(path: Path) -> Path:
    try:
        path = path.absolute()
    except FileNotFoundError:
        # The working directory is gone.
        return Path("/")
    while not path.is_dir():
        path = path.parent
    return path
