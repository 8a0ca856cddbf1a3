"""The members of a tar or zip archive in one form, each one's name and kind checked before anyone sees it."""

from __future__ import annotations

import bz2
import calendar
import gzip
import lzma
import os
import posixpath
import re
import stat
import struct
import tarfile
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal, cast

from toolkit.core.foreign_text import one_line
from toolkit.vendored import archive_limits, zip_archive
from toolkit.vendored.archive_limits import UnreadableError
from toolkit.vendored.zip_archive import ZipArchive, ZipMember

#: tarfile reads a header's extension in one piece, of the size that the header claims.
_MAX_HEADER = 8 << 20
#: It searches extensions of one kind in quadratic time for what begins with digits (CVE-2024-6232).
_MAX_EXTENSION = 256 << 10
_MANY_DIGITS = re.compile(rb"[0-9]{48}")
#: What an extended header can say of one member alone; tools differ in what they make of it as a header of all.
_OF_ONE_MEMBER = frozenset({"path", "linkpath", "size", "hdrcharset"})
#: What GNU tar writes of files with holes: other readers find other names, sizes and contents in it, or none.
_HOLES = b"GNU.sparse."
#: Of a header whose name goes on in a second field (POSIX). GNU tar's own headers have other things at that place.
_POSIX = b"ustar\0"
#: Of a decompressor; xz takes 65 MiB for what its highest level made.
_MEMORY = 128 << 20
_SKIP = 1 << 18
#: Shorter than any name or part of one that is too long.
_SHORT = min(archive_limits.LONGEST_PART, archive_limits.LONGEST_NAME)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One member: its path is relative and holds no `..`; `mtime` is in seconds since 1970.

    `target` is what a symbolic link holds, or for a hard link the path of the other member.
    """

    path: PurePosixPath
    kind: Literal["file", "directory", "symlink", "hardlink"]
    open: Callable[[], IO[bytes]]
    mtime: int = 0
    executable: bool = False
    target: str = ""


def members(archive: Path) -> Iterator[Member]:
    """Yield the members of an archive in its order, whose kind its first bytes tell.

    A member can be opened until the next one is asked for. To be used within `reading`.
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
    except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError) as error:
        raise UnreadableError(f"damaged, or not an archive ({error})") from None
    except (RuntimeError, ValueError, OverflowError, struct.error) as error:
        # Encrypted, or compressed in a way this Python does not know; figures that are no dates.
        raise UnreadableError(f"cannot be read ({error})") from None
    except OSError as error:
        # gzip and bz2 say so when the data is damaged; a fault of the machine has a number.
        if error.errno is not None:
            raise
        raise UnreadableError(f"damaged ({error})") from None


class _Forward:
    """What a decompressor gives, counted: can be read and skipped forward, up to a limit."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream, self._limit, self._position, self._unread = stream, limit, 0, b""

    def peek(self, size: int) -> bytes:
        if size > _MAX_EXTENSION:
            raise UnreadableError(f"a header of {size} bytes")
        data = self._unread = self.read(size)
        self._position -= len(data)
        return data

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _MAX_HEADER:
            raise UnreadableError(f"a header of {size} bytes")
        data = self._unread[:size]
        self._unread = self._unread[size:]
        if not data:
            data = self._stream.read(size)
        self._position += len(data)
        if self._position > self._limit:
            raise UnreadableError("unpacks to far more than the archive's size")
        return data

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> int:
        if position < self._position:
            raise tarfile.ReadError("a member of negative size")
        while self._position < position and self.read(min(_SKIP, position - self._position)):
            pass
        return self._position


class _StrictHeader(tarfile.TarInfo):
    """A header that is damaged is an error: tarfile itself takes it for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> _StrictHeader:
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.HeaderError as error:
            # Two kinds are the proper end: a block of zeros, and nothing at all after whole members.
            if type(error).__name__ in ("EOFHeaderError", "EmptyHeaderError"):
                raise
            raise tarfile.ReadError(str(error)) from None

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _StrictHeader:
        found = super().frombuf(buf, encoding, errors)
        # tarfile takes the field for a part of the name in any case.
        if found.type not in tarfile.GNU_TYPES and buf[257:263] != _POSIX and any(buf[345:500]):
            raise UnreadableError(f"{one_line(found.name)}: a name that readers differ in")
        return found

    def _proc_sparse(self, _: tarfile.TarFile) -> tarfile.TarInfo:
        raise UnreadableError(f"{one_line(self.name)}: a sparse file")

    def _proc_pax(self, tarfile_: tarfile.TarFile) -> tarfile.TarInfo:
        content = cast("_Forward", tarfile_.fileobj).peek(self._block(self.size))  # type: ignore[attr-defined]
        if _MANY_DIGITS.search(content):
            raise UnreadableError("a header of nothing but digits")
        if _HOLES in content:
            raise UnreadableError(f"{one_line(self.name)}: a header of a sparse file")
        found = cast("tarfile.TarInfo", super()._proc_pax(tarfile_))  # type: ignore[misc]
        if self.type == tarfile.XGLTYPE and not _OF_ONE_MEMBER.isdisjoint(tarfile_.pax_headers):
            raise UnreadableError("a header of all members with what only one can have")
        return found

    def _apply_pax_info(self, headers: Mapping[str, str], encoding: str, errors: str) -> None:
        # Readers that follow the one and the other find different members:
        # https://edera.dev/stories/tarmageddon
        if headers.get("size", str(self.size)) != str(self.size):
            raise UnreadableError(f"{one_line(self.name)}: the archive says two different things of its size")
        super()._apply_pax_info(headers, encoding, errors)  # type: ignore[misc]


def _tar_members(stream: IO[bytes], magic: bytes, limit: int) -> Iterator[Member]:
    with closing(_decompressor(stream, magic)) as plain:
        forward = _Forward(plain, limit)
        # tarfile only reads, seeks and tells.
        with tarfile.open(fileobj=cast("IO[bytes]", forward), mode="r:", tarinfo=_StrictHeader) as tar:
            for info in tar:
                yield _tar_member(tar, info)
        # The check sum of the whole comes last. Some readers go on where others see the end.
        while rest := forward.read(_SKIP):
            if any(rest):
                raise UnreadableError("something hidden stands behind its end")


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


def _tar_member(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    path = _checked(info.name)
    if info.size < 0:
        raise UnreadableError(f"{path}: a member of negative size")
    kind: Literal["file", "directory", "symlink", "hardlink"]
    kind = "directory" if info.isdir() else "symlink" if info.issym() else "hardlink" if info.islnk() else "file"
    if kind == "file" and not info.isreg():
        raise UnreadableError(f"{path}: neither a file, a directory nor a link")
    if kind != "file" and info.size:
        raise UnreadableError(f"{path}: a {kind} with content, which readers take for one or for other members")
    target = ""
    if kind == "symlink":
        target = _checked_target(path, info.linkname)
    elif kind == "hardlink":
        target = str(_checked(info.linkname))
    return Member(
        path=path,
        kind=kind,
        open=lambda: cast("IO[bytes]", tar.extractfile(info)),
        mtime=int(info.mtime),
        executable=bool(info.mode & 0o111),
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
        open=lambda: archive.open(info),
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
