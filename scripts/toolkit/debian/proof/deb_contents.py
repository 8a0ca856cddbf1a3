"""Differences of two .deb files that should be the same, file by file."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolkit.core import console, process, threads
from toolkit.core.errors import UserError

_Entry = tuple[object, ...]
#: Bytes of a report on two packages, and of what is read at once.
_LONGEST_REPORT, _CHUNK = 1_000_000, 1 << 16
#: What dpkg-deb says would stand in the archive.
_QUIET = ("sh", "-c", 'exec "$@" 2>/dev/null', "sh")


def differing(one: Path, two: Path) -> list[str]:
    """Return a line for each file that only one of two packages has, or that differs."""
    lines: list[str] = []
    for part, option in (("control", "--ctrl-tarfile"), ("data", "--fsys-tarfile")):
        first, second = _entries(one, option), _entries(two, option)
        names = [name for name in sorted(first.keys() | second.keys()) if first.get(name) != second.get(name)]
        lines += [f"{part}: {name.removeprefix('.')} {_how(first.get(name), second.get(name))}" for name in names]
        if not names and list(first) != list(second):
            lines.append(f"{part}: the order of files differs")
    return lines or ["the packages differ in how they are packed"]


def _how(one: _Entry | None, two: _Entry | None) -> str:
    if one is None or two is None:
        return "is in one of them only"
    names = ("mode", "owner", "group", "time", "link", "content")
    return f"differs in {', '.join(name for name, a, b in zip(names, one, two, strict=True) if a != b)}"


def paths(deb: Path) -> frozenset[str]:
    """Return the paths of all that a package installs but directories."""
    with _opened(deb, "--fsys-tarfile") as archive:
        return frozenset(member.name.removeprefix(".") for member in archive if not member.isdir())


@contextmanager
def _opened(deb: Path, option: str) -> Iterator[tarfile.TarFile]:
    """Give the block an archive in a package, to be read once, from front to back: it may be longer than memory.

    Raises `UserError` for a damaged package.
    """
    reading, writing = os.pipe()

    def unpack() -> int:
        with os.fdopen(writing, "wb") as pipe:
            return process.supervise([*_QUIET, "dpkg-deb", option, deb], pipe.write, lambda _: None, env=os.environ)

    # When the block has failed nothing more is read, and who writes to a closed pipe ends.
    with os.fdopen(reading, "rb") as stream, threads.beside(unpack, stream.close) as status:
        try:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                yield archive
            damage = ""
        except tarfile.TarError as error:
            damage = str(error)
        while stream.read(_CHUNK):
            pass
        if status() or damage:
            raise UserError(f"{deb}: damaged: dpkg-deb cannot unpack it", "build it again, or remove it", damage)


def _entries(deb: Path, option: str) -> dict[str, _Entry]:
    with _opened(deb, option) as archive:
        return {
            member.name: (member.mode, member.uid, member.gid, member.mtime, member.linkname, _digest(archive, member))
            for member in archive
        }


def _digest(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    stream = archive.extractfile(member) if member.isreg() else None
    digest = hashlib.sha256()
    while stream and (chunk := stream.read(_CHUNK)):
        digest.update(chunk)
    return digest.hexdigest() if stream else ""


def diffoscope(one: Path, two: Path) -> str:
    """Return diffoscope's report on two packages; warn and return nothing where it is not installed."""
    if not shutil.which("diffoscope"):
        console.warn("diffoscope is not installed, so the report only names the files; `make setup` installs it")
        return ""
    try:
        limit = ("--max-text-report-size", str(_LONGEST_REPORT))
        return process.read(["diffoscope", "--no-progress", *limit, "--text", "-", one, two])
    except process.CommandError as error:
        # Status 1 means that there are differences.
        if error.status != 1:
            raise
        return error.output
