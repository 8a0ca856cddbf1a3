"""Files that appear whole or not at all, trees that are removed whatever is in them, and locks between two runs."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import shutil
import stat
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path

from toolkit.core import console
from toolkit.core.places import cache_root as cache_root
from toolkit.core.system_errors import naming


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_foreign(path: Path, longest: int) -> bytes:
    """Return the content of a file that others could make: it may be anything, or of any size.

    Raises `OSError`, `ValueError` for what is no file of at most `longest` bytes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a file")
        content = stream.read(longest + 1)
    if len(content) > longest:
        raise ValueError("too long")
    return content


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last lines of a file, of at most a million bytes: it may be longer than memory."""
    with path.open("rb") as stream:
        stream.seek(-min(path.stat().st_size, 1_000_000), os.SEEK_END)
        return stream.read().decode(errors="replace").splitlines()[-count:]


def write_atomic(path: Path, data: bytes | str | Iterable[bytes], mode: int | None = None) -> None:
    """Write a file, whole or in pieces, under a temporary name beside `path`, then rename it.

    Readers see the old or the new one. Without `mode` its permissions are those of any new file.
    """
    data = data.encode() if isinstance(data, str) else data
    new = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        with naming(path), new.open("xb") as stream:
            stream.writelines([data] if isinstance(data, bytes) else data)
            if mode is not None:
                os.fchmod(stream.fileno(), mode)
        os.replace(new, path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def copy_atomic(source: Path, target: Path) -> None:
    """Copy the content of a file as `write_atomic` writes it."""
    new = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
    try:
        shutil.copyfile(source, new)
        os.replace(new, target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def write_changed(path: Path, data: str) -> None:
    """Write a file as `write_atomic` does, unless it holds just that."""
    if not path.is_file() or path.read_bytes() != data.encode():
        write_atomic(path, data)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, by a hard link where both are on one file system, else by a copy of the same mode."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


def link_tree(source: Path, target: Path) -> None:
    """Copy a directory, each file by `link_or_copy`."""
    shutil.copytree(
        source, target, symlinks=True, copy_function=lambda here, there: link_or_copy(Path(here), Path(there))
    )


def private_directory(path: Path) -> Path:
    """Make a directory that nobody but this user can enter, unless it is there, and return its path.

    What foreign code writes to is in one: it may leave a program that runs as this user whoever starts it (chmod(2)).
    """
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def remove(path: Path) -> None:
    """Remove a file, a link, or a directory and all below it, whichever is there, if any.

    That includes directories that are read-only or shut, and those deeper than any path: a build may leave them.
    """
    if path.is_dir() and not path.is_symlink():
        try:
            shutil.rmtree(path)
        except (PermissionError, RecursionError):
            _remove_deep(path)
    else:
        path.unlink(missing_ok=True)


def _remove_deep(path: Path) -> None:
    """Remove a directory level by level, each opened and brought up below `path`: no path of all levels is needed."""
    os.chmod(path, 0o700)
    numbers = itertools.count()
    unused = os.urandom(8).hex()
    while levels := list(os.scandir(path)):
        for level in levels:
            if level.is_dir(follow_symlinks=False):
                for entry in _opened(level.path):
                    if entry.is_dir(follow_symlinks=False):
                        # A directory is renamed by who may write in it.
                        os.chmod(entry.path, 0o700)
                        os.rename(entry.path, path / f"{unused}-{next(numbers)}")
                    else:
                        os.unlink(entry.path)
                os.rmdir(level.path)
            else:
                os.unlink(level.path)
    os.rmdir(path)


def _opened(directory: str) -> list[os.DirEntry[str]]:
    os.chmod(directory, 0o700)
    return list(os.scandir(directory))


@contextmanager
def exclusive(directory: Path, what: str, stop: threading.Event | None = None) -> Iterator[None]:
    """Keep two runs of `what` on one directory apart: the second says that it waits, then waits.

    Raises `CancelledError` when `stop` is set meanwhile; nothing else reaches a thread that waits for a lock.
    The lock is on the directory itself (flock), so it leaves no file behind and dies with its process.
    """
    descriptor = _locked(directory, what, stop)
    try:
        # Whoever had the lock may have removed the directory.
        while not _is_at(descriptor, directory):
            os.close(descriptor)
            descriptor = _locked(directory, what, stop)
        yield
    finally:
        os.close(descriptor)


def _locked(directory: Path, what: str, stop: threading.Event | None) -> int:
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.note(f"waiting: another {what} is running in {directory}")
            _wait_for_lock(descriptor, stop)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _is_at(descriptor: int, directory: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), directory.stat())
    except FileNotFoundError:
        return False


@contextmanager
def exclusive_and_empty(directory: Path, what: str) -> Iterator[None]:
    """Lock a directory as `exclusive` does; it is empty when the block begins, and again when it is over."""
    with exclusive(directory, what):
        _empty(directory)
        try:
            yield
        finally:
            _empty(directory)


def _empty(directory: Path) -> None:
    for entry in directory.iterdir():
        remove(entry)


def _wait_for_lock(descriptor: int, stop: threading.Event | None) -> None:
    while stop:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if stop.wait(0.1):
                raise CancelledError from None
    fcntl.flock(descriptor, fcntl.LOCK_EX)
