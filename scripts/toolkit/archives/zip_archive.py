"""Zip archives by one strict reader: what two readers could take for different archives is refused.

A zip file says most things twice, before each member and in the directory at its end, and may hold what neither tells
of. Readers believe one or the other, so that a reviewer sees other files than are installed:
https://blog.pypi.org/posts/2025-08-07-wheel-archive-confusion-attacks/. The format is
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, NamedTuple

from toolkit.archives import archive_limits
from toolkit.archives.archive_limits import UnreadableError
from toolkit.core.foreign_text import one_line

STARTS = (b"PK\3\4", b"PK\5\6")
_STORED, _DEFLATED = 0, 8
_METHODS = {_STORED, _DEFLATED}
_ENCRYPTED, _SIZES_FOLLOW, _PATCHED, _STRONG, _UTF8, _MASKED = 1 << 0, 1 << 3, 1 << 5, 1 << 6, 1 << 11, 1 << 13
_ZIP64_EXTRA, _UNICODE_NAME_EXTRA = 0x0001, 0x7075
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LARGEST_COMMENT = 0xFFFF
_UNKNOWN32, _UNKNOWN16 = 0xFFFFFFFF, 0xFFFF
#: As many members as can be with the longest names fill less.
_LARGEST_DIRECTORY = 64 << 20
_CHUNK = 1 << 18


@dataclass(frozen=True, kw_only=True, slots=True)
class ZipMember:
    """One member: its name as it is written, the size of its content and its place in the archive, in bytes.

    `mode` is Unix's (0: unknown), `time` the MS-DOS time and date as two 16-bit numbers.
    """

    name: str
    size: int
    compressed: int
    crc: int
    method: int
    flags: int
    header: int
    mode: int
    time: tuple[int, int]

    @property
    def date_time(self) -> tuple[int, int, int, int, int, int]:
        """Return year, month, day, hour, minute and second, which may be none of the calendar's."""
        time, date = self.time
        return (date >> 9) + 1980, date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2


class _End(NamedTuple):
    members: int
    size: int
    offset: int
    start: int


class ZipArchive:
    """A zip archive whose two accounts of its members agree; `members` are in the order of its directory.

    Raises `UnreadableError`, here and while content is read.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._size = stream.seek(0, os.SEEK_END)
        end = self._end()
        self.members = tuple(self._directory(end))
        self._data: dict[int, int] = {}
        self._check_places(end)

    def chunks(self, member: ZipMember) -> Iterator[bytes]:
        """Yield the content of a member, which is checked against what the archive says of it."""
        shown, size, crc = one_line(member.name), 0, 0
        for chunk in self._inflated(member) if member.method == _DEFLATED else self._stored(member):
            size += len(chunk)
            if size > member.size:
                raise UnreadableError(f"{shown}: larger than the archive says")
            crc = zlib.crc32(chunk, crc)
            yield chunk
        if size != member.size or crc != member.crc:
            raise UnreadableError(f"{shown}: damaged (its size or check sum is wrong)")

    def read(self, member: ZipMember, limit: int) -> bytes:
        """Return a member's content, of at most `limit` bytes."""
        if member.size > limit:
            raise UnreadableError(f"{one_line(member.name)}: more than {limit >> 20} MiB")
        return b"".join(self.chunks(member))

    def _stored(self, member: ZipMember) -> Iterator[bytes]:
        position, left = self._data[member.header], member.compressed
        while left:
            chunk = self._read(position, min(_CHUNK, left))
            position, left = position + len(chunk), left - len(chunk)
            yield chunk

    def _inflated(self, member: ZipMember) -> Iterator[bytes]:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for chunk in self._stored(member):
                if inflater.eof:
                    break
                rest = chunk
                while rest and not inflater.eof:
                    yield inflater.decompress(rest, _CHUNK)
                    rest = inflater.unconsumed_tail
            while not inflater.eof and (chunk := inflater.decompress(b"", _CHUNK)):
                yield chunk
        except zlib.error as error:
            raise UnreadableError(f"{one_line(member.name)}: damaged ({error})") from None
        if not inflater.eof or inflater.unused_data:
            raise UnreadableError(f"{one_line(member.name)}: damaged (its data end too soon or too late)")

    def _read(self, position: int, size: int) -> bytes:
        self._stream.seek(position)
        data = self._stream.read(size)
        if len(data) != size:
            raise UnreadableError("damaged, or not an archive (it ends too soon)")
        return data

    def _end(self) -> _End:
        """Return what the record at the end says: the number of members, the directory's size and place, its own."""
        tail_size = min(self._size, _END.size + _LARGEST_COMMENT)
        tail = self._read(self._size - tail_size, tail_size)
        found = tail.rfind(b"PK\5\6")
        if found < 0 or len(tail) - found < _END.size:
            raise UnreadableError("damaged, or not an archive (a zip file without an end)")
        _, disk, first, here, count, size, offset, comment = _END.unpack_from(tail, found)
        if found + _END.size + comment != len(tail):
            raise UnreadableError("something stands behind its end, or its end is damaged")
        start = self._size - tail_size + found
        if start >= _END64_LOCATOR.size and tail[max(found - 20, 0) : found].startswith(b"PK\6\7"):
            return self._end64(start - _END64_LOCATOR.size, (here, count, size, offset))
        if (disk, first) != (0, 0) or here != count:
            raise UnreadableError("one part of several")
        return _End(count, size, offset, start)

    def _end64(self, locator: int, short: tuple[int, ...]) -> _End:
        _, disk, position, disks = _END64_LOCATOR.unpack(self._read(locator, _END64_LOCATOR.size))
        if position + _END64.size > locator:
            raise UnreadableError("two ends that disagree (zip64)")
        signature, size, _, _, own, first, *long = _END64.unpack(self._read(position, _END64.size))
        unknown = (_UNKNOWN16, _UNKNOWN16, _UNKNOWN32, _UNKNOWN32)
        agree = all(given in (value, none) for given, value, none in zip(short, long, unknown, strict=True))
        if (
            signature != b"PK\6\6"
            or position + 12 + size != locator
            or (disk, own, first) != (0, 0, 0)
            or disks > 1
            or long[0] != long[1]
            or not agree
        ):
            raise UnreadableError("two ends that disagree (zip64)")
        return _End(long[1], long[2], long[3], position)

    def _directory(self, end: _End) -> Iterator[ZipMember]:
        most = archive_limits.members(self._size)
        if end.members > most:
            raise UnreadableError(f"more than {most} members")
        if end.size > _LARGEST_DIRECTORY or end.offset + end.size != end.start:
            raise UnreadableError("its directory is not where its end says, or something stands before or behind it")
        data, position = self._read(end.offset, end.size), 0
        for _ in range(end.members):
            if len(data) - position < _CENTRAL.size:
                raise UnreadableError("its directory ends too soon")
            member, position = _member(data, position)
            yield member
        if position != len(data):
            raise UnreadableError("its directory holds more members than its end says")

    def _check_places(self, end: _End) -> None:
        """See that members follow each other without gaps, each begun as the directory says."""
        position = 0
        for member in sorted(self.members, key=lambda member: member.header):
            shown = one_line(member.name)
            if member.header != position:
                what = "overlaps another member" if member.header < position else "something hidden stands before it"
                raise UnreadableError(f"{shown}: {what}")
            position = self._check_local(member, shown)
        if position != end.offset:
            raise UnreadableError("something hidden stands before its directory, or a member overlaps that")

    def _check_local(self, member: ZipMember, shown: str) -> int:
        """Compare what stands before a member with the directory, and return where it ends."""
        header = self._read(member.header, _LOCAL.size)
        signature, _, flags, method, _, _, crc, compressed, size, name_size, extra_size = _LOCAL.unpack(header)
        if signature != b"PK\3\4":
            raise UnreadableError(f"{shown}: not where the directory says")
        rest = self._read(member.header + _LOCAL.size, name_size + extra_size)
        same = rest[:name_size] == member.name.encode() and method == member.method and flags == member.flags
        sizes = {"size": size, "compressed": compressed}
        sizes = _with_zip64(sizes, _extra_fields(rest[name_size:], shown), shown)
        known = (crc, sizes["compressed"], sizes["size"])
        expected = (member.crc, member.compressed, member.size)
        follow = bool(flags & _SIZES_FOLLOW)
        if not same or (
            known != expected and not (follow and all(a in (0, b) for a, b in zip(known, expected, strict=True)))
        ):
            raise UnreadableError(f"{shown}: the archive says two different things of it")
        start = self._data[member.header] = member.header + _LOCAL.size + len(rest)
        end = start + member.compressed
        return end + (self._descriptor(end, expected, shown) if follow else 0)

    def _descriptor(self, position: int, expected: tuple[int, int, int], shown: str) -> int:
        """Return the size of what follows a member whose sizes were not known when it was begun."""
        self._stream.seek(position)
        found = self._stream.read(24)
        for form in ("<4s3L", "<4sL2Q", "<3L", "<L2Q"):
            layout = struct.Struct(form)
            values = layout.unpack_from(found) if len(found) >= layout.size else ()
            if values in ((b"PK\7\10", *expected), expected):
                return layout.size
        raise UnreadableError(f"{shown}: what follows it does not say its size")


def _member(data: bytes, position: int) -> tuple[ZipMember, int]:
    """Return the member that the directory has at a position, and the position of the next."""
    fields = _CENTRAL.unpack_from(data, position)
    signature, _, _, flags, method, time, date, crc, compressed, size = fields[:10]
    name_size, extra_size, comment_size, disk, _, attributes, header = fields[10:]
    start = position + _CENTRAL.size
    end = start + name_size + extra_size + comment_size
    if signature != b"PK\1\2" or end > len(data):
        raise UnreadableError("its directory is damaged")
    raw = data[start : start + name_size]
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableError(
            f"{one_line(raw.decode('utf-8', 'backslashreplace'))}: a name that is not UTF-8"
        ) from None
    shown = one_line(name)
    extras = _extra_fields(data[start + name_size : start + name_size + extra_size], shown)
    places = _with_zip64({"size": size, "compressed": compressed, "header": header}, extras, shown)
    other_name = extras.get(_UNICODE_NAME_EXTRA, b"")[5:]
    if "\0" in name:
        raise UnreadableError(f"{shown}: a name with a zero byte")
    if not name.isascii() and not flags & _UTF8 and not other_name:
        raise UnreadableError(f"{shown}: a name whose encoding it does not say, so that readers differ")
    if other_name not in (b"", raw):
        raise UnreadableError(f"{shown}: the archive has another name for it")
    if flags & (_ENCRYPTED | _PATCHED | _STRONG | _MASKED):
        raise UnreadableError(f"{shown}: encrypted")
    if method not in _METHODS:
        raise UnreadableError(f"{shown}: compressed in a way (number {method}) that Python's tools do not write")
    if disk:
        raise UnreadableError(f"{shown}: in another part of the archive")
    member = ZipMember(
        name=name, crc=crc, method=method, flags=flags, mode=attributes >> 16, time=(time, date), **places
    )
    if (method == _STORED and member.size != member.compressed) or (name.endswith("/") and member.size):
        raise UnreadableError(f"{shown}: of a size that it cannot have")
    return member, end


def _extra_fields(data: bytes, shown: str) -> dict[int, bytes]:
    """Return what a header has besides its fixed fields, by the number of its kind."""
    found: dict[int, bytes] = {}
    position = 0
    # Up to three bytes of padding are left by tools that align members.
    while len(data) - position >= 4:
        kind, size = struct.unpack_from("<2H", data, position)
        position += 4 + size
        if position > len(data):
            # Padding too, but for the one kind that counts.
            break
        if kind in found and kind in (_ZIP64_EXTRA, _UNICODE_NAME_EXTRA):
            raise UnreadableError(f"{shown}: the archive says two different things of it")
        found[kind] = data[position - size : position]
    return found


def _with_zip64(fields: dict[str, int], extras: dict[int, bytes], shown: str) -> dict[str, int]:
    """Return the fields with those that are too large for 32 bits from where these stand, and no others."""
    large = [name for name, value in fields.items() if value == _UNKNOWN32]
    data = extras.get(_ZIP64_EXTRA)
    if data is None:
        return fields
    if len(data) < 8 * len(large) or len(data) % 8 not in (0, 4):
        raise UnreadableError(f"{shown}: its sizes are wrong (zip64)")
    values = struct.unpack_from(f"<{len(data) // 8}Q", data)
    if large:
        return fields | dict(zip(large, values, strict=False))
    # Some writers repeat them; a reader that prefers these must find the same.
    if any(value not in (0, fields[name]) for name, value in zip(fields, values, strict=False)):
        raise UnreadableError(f"{shown}: the archive says two different things of it (zip64)")
    return fields
