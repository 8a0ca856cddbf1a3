"""The members of a tar or zip archive in one form, each one's name and kind checked before anyone sees it."""

from __future__ import annotations

import bz2
import calendar
import gzip
import lzma
import os
import posixpath
import stat
import struct
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal, cast

from toolkit.archives import archive_limits, tar_archive, zip_archive
from toolkit.archives.archive_limits import UnreadableError
from toolkit.archives.tar_archive import TarArchive, TarMember
from toolkit.archives.zip_archive import ZipArchive, ZipMember
from toolkit.core.foreign_text import one_line

#: Of a decompressor; xz takes 65 MiB for what its highest level made.
_MEMORY = 128 << 20
_SKIP = 1 << 18
#: Shorter than any name or part of one that is too long.
_SHORT = min(archive_limits.LONGEST_PART, archive_limits.LONGEST_NAME)


Kind = Literal["file", "directory", "symlink", "hardlink"]
#: By the type flag of a tar archive.
_KINDS: Mapping[bytes, Kind] = {
    tar_archive.FILE: "file",
    tar_archive.DIRECTORY: "directory",
    tar_archive.SYMBOLIC_LINK: "symlink",
    tar_archive.HARD_LINK: "hardlink",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One member: its path is relative and holds no `..`; `mtime` is in seconds since 1970.

    `chunks` yields its content. `target` is what a symbolic link holds, or the path that a hard link has as well.
    """

    path: PurePosixPath
    kind: Kind
    chunks: Callable[[], Iterator[bytes]]
    mtime: int = 0
    executable: bool = False
    target: str = ""


def members(archive: Path) -> Iterator[Member]:
    """Yield the members of an archive in its order, whose kind its first bytes tell.

    A member can be read until the next one is asked for. To be used within `reading`.
    """
    with archive.open("rb") as stream:
        magic = stream.read(6)
        stream.seek(0)
        size = archive.stat().st_size
        limit, most = archive_limits.unpacked(size), archive_limits.members(size)
        found = _zip_members(stream, limit) if magic[:4] in zip_archive.STARTS else _tar_members(stream, magic, limit)
        for count, member in enumerate(found):
            if count >= most:
                raise UnreadableError(f"more than {most} members")
            yield member


@contextmanager
def reading() -> Iterator[None]:
    """Turn what the decompressors raise, while members are listed or read, into `UnreadableError`."""
    try:
        yield
    except (zlib.error, lzma.LZMAError, EOFError) as error:
        raise UnreadableError(f"damaged, or not an archive ({error})") from None
    except (RuntimeError, ValueError, OverflowError, struct.error) as error:
        # Encrypted, or compressed in a way this Python does not know; figures that are no dates.
        raise UnreadableError(f"cannot be read ({error})") from None
    except OSError as error:
        # gzip and bz2 say so when the data is damaged; a fault of the machine has a number.
        if error.errno is not None:
            raise
        raise UnreadableError(f"damaged ({error})") from None


def _tar_members(stream: IO[bytes], magic: bytes, limit: int) -> Iterator[Member]:
    with closing(_decompressor(stream, magic)) as plain:
        archive = TarArchive(plain, limit)
        for member in archive.members():
            yield _tar_member(archive, member)


def _decompressor(stream: IO[bytes], magic: bytes) -> IO[bytes]:
    if magic.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
    if magic.startswith(b"BZh"):
        return cast("IO[bytes]", _Streams(stream, bz2.BZ2Decompressor))
    if magic == b"\xfd7zXZ\0":
        return cast("IO[bytes]", _Streams(stream, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _MEMORY)))
    return stream


class _Streams:
    """Compressed streams, one after the other, to the end of a file: the library passes over what else is there."""

    def __init__(self, file: IO[bytes], start: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor]) -> None:
        self._file, self._start, self._current = file, start, start()

    def read(self, size: int) -> bytes:
        # In one piece, as tarfile expects it of a file: a decompressor ends a piece with each block of its own.
        pieces = []
        while size and (piece := self._piece(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _piece(self, size: int) -> bytes:
        while True:
            data = b""
            if self._current.eof:
                data = self._current.unused_data or self._file.read(_SKIP)
                if not data:
                    return b""
                self._current = self._start()
            elif self._current.needs_input:
                data = self._file.read(_SKIP)
                if not data:
                    raise EOFError("it ends too soon")
            if plain := self._current.decompress(data, size):
                return plain

    def close(self) -> None:
        """Close nothing: the file is its opener's."""


def _tar_member(archive: TarArchive, found: TarMember) -> Member:
    path, kind = _checked(found.name), _KINDS.get(found.kind)
    if not kind:
        raise UnreadableError(f"{path}: neither a file, a directory nor a link")
    if kind != "file" and found.size:
        raise UnreadableError(f"{path}: a {kind} with content, which readers take for one or for other members")
    target = ""
    if kind == "symlink":
        target = _checked_target(path, found.target)
    elif kind == "hardlink":
        target = str(_checked(found.target))
    return Member(
        path=path,
        kind=kind,
        chunks=archive.chunks,
        mtime=int(found.mtime),
        executable=bool(found.mode & 0o111),
        target=target,
    )


def _zip_members(stream: IO[bytes], limit: int) -> Iterator[Member]:
    archive = ZipArchive(stream)
    if sum(member.size for member in archive.members) > limit:
        raise UnreadableError("unpacks to far more than the archive's size")
    for member in archive.members:
        yield _zip_member(archive, member)


def _zip_member(archive: ZipArchive, info: ZipMember) -> Member:
    path = _checked(info.name)
    kind = stat.S_IFMT(info.mode)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise UnreadableError(f"{path}: neither a file, a directory nor a link")
    target = ""
    if kind == stat.S_IFLNK:
        target = _checked_target(path, os.fsdecode(archive.read(info, archive_limits.LONGEST_NAME)))
    # Zip keeps local time without a zone; that nobody wrote a date is a date of zeros.
    year, month, day, *time = info.date_time
    return Member(
        path=path,
        kind="directory" if info.name.endswith("/") else "symlink" if target else "file",
        chunks=lambda: archive.chunks(info),
        mtime=calendar.timegm((year, month or 1, day or 1, *time)),
        executable=bool(info.mode & 0o111),
        target=target,
    )


def _checked(name: str) -> PurePosixPath:
    """Return a member's name as a path; raises `UnreadableError` when it would leave the directory."""
    if name.isascii() and name.isprintable() and len(name) <= _SHORT and not {"", ".", ".."} & set(name.split("/")):
        # Nearly all: what follows takes a third of the time that it takes to read an archive.
        return PurePosixPath(name)
    shown = one_line(name)
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/"):
        raise UnreadableError(f"{shown}: an absolute name")
    if ".." in parts:
        raise UnreadableError(f"{shown}: a name with `..`")
    _check_text(name, shown)
    for longest, part in (
        (archive_limits.LONGEST_PART, max(parts, key=lambda part: len(part.encode()), default="")),
        (archive_limits.LONGEST_NAME, name),
    ):
        if len(part.encode()) > longest:
            raise UnreadableError(f"{one_line(name, 60)}: a name of more than {longest} bytes")
    return PurePosixPath(*parts)


def _checked_target(path: PurePosixPath, target: str) -> str:
    """Return what a symbolic link holds; raises `UnreadableError` when that is plainly outside."""
    resolved = posixpath.normpath(posixpath.join(*path.parts[:-1], target)) if path.parts else ".."
    if not target or target.startswith("/") or resolved.split("/")[0] == "..":
        raise UnreadableError(f"{path}: a link out of the archive")
    _check_text(target, str(path))
    if len(target.encode()) > archive_limits.LONGEST_NAME:
        raise UnreadableError(f"{path}: a link of more than {archive_limits.LONGEST_NAME} bytes")
    return target


def _check_text(name: str, shown: str) -> None:
    if "\0" in name:
        raise UnreadableError(f"{shown}: a name with a zero byte")
    if any(unicodedata.category(character) == "Cc" for character in name):
        raise UnreadableError(f"{shown}: a name with control characters")
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise UnreadableError(f"{shown}: a name that is not UTF-8") from None
