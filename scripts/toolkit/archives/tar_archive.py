"""Tar archives by one strict reader, front to back: what two readers could take for different archives is refused.

Its forms are ustar and pax (POSIX), and those of GNU tar. Readers differ in which of several names or sizes of a member
count, so that a reviewer sees other files than are installed: https://edera.dev/stories/tarmageddon.
https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06,
https://www.gnu.org/software/tar/manual/html_node/Standard.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from toolkit.archives.archive_limits import UnreadableError
from toolkit.core.foreign_text import one_line

FILE, HARD_LINK, SYMBOLIC_LINK, DIRECTORY = b"0", b"1", b"2", b"5"
_OLD_FILE, _CONTIGUOUS_FILE, _SPARSE = b"\0", b"7", b"S"
_LONG_NAME, _LONG_TARGET, _EXTENDED, _OF_ALL = b"L", b"K", b"x", b"g"
_EXTENSIONS = frozenset({_LONG_NAME, _LONG_TARGET, _EXTENDED, _OF_ALL})
_BLOCK, _CHUNK = 512, 1 << 18
_END = bytes(_BLOCK)
#: Of an extension: longer than any that has a reason.
_LONGEST = 256 << 10
#: What an extended header can say of one member alone; tools differ in what they make of it as a header of all.
_OF_ONE_MEMBER = frozenset({"path", "linkpath", "size", "hdrcharset"})
#: What GNU tar writes of files with holes: other readers find other names, sizes and contents in it, or none.
_HOLES = b"GNU.sparse."
#: Of a header whose name goes on in a second field (POSIX). GNU tar's own headers have other things at that place.
_POSIX = b"ustar\0"
_NUMBER = re.compile(rb"-?[0-7]{1,30}")
_LENGTH = re.compile(rb"([0-9]{1,9}) ")


class Readable(Protocol):
    """What can be read."""

    def read(self, size: int, /) -> bytes:
        """Return so many bytes, or fewer at the end alone."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class TarMember:
    """One member: its name and target as they are written, the size of its content in bytes, seconds since 1970.

    `kind` is the type flag of the format, one of those above or any other.
    """

    name: str
    kind: bytes
    size: int
    mode: int
    mtime: float
    target: str


class TarArchive:
    """The members of an archive that `stream` gives, of which at most `limit` bytes are read."""

    def __init__(self, stream: Readable, limit: int) -> None:
        self._stream, self._limit = stream, limit
        self._buffer, self._position = b"", 0
        # Of the content of the member that was yielded last.
        self._left = self._padding = 0
        self._of_all: dict[str, str] = {}

    def members(self) -> Iterator[TarMember]:
        """Yield each member, whose content can be read until the next one is asked for."""
        if not (block := self._read(_BLOCK)):
            raise UnreadableError("damaged, or not an archive (it is empty)")
        while block and block != _END:
            yield self._member(block)
            for _ in self.chunks():
                pass
            self._take(self._padding)
            block = self._read(_BLOCK)
        # The check sum of the whole comes last. Some readers go on where others see the end.
        while rest := self._read(_CHUNK):
            if any(rest):
                raise UnreadableError("something hidden stands behind its end")

    def chunks(self) -> Iterator[bytes]:
        """Yield what is left of the content of the member that was yielded last."""
        while self._left:
            chunk = self._take(min(self._left, _CHUNK))
            self._left -= len(chunk)
            yield chunk

    def _member(self, block: bytes) -> TarMember:
        """Return the member that begins with a header, or with the extensions before it."""
        said: dict[bytes, dict[str, str]] = {}
        while (kind := _checked(block)[156:157]) in _EXTENSIONS:
            size = _number(block, 124, 136)
            if not 0 <= size <= _LONGEST:
                raise UnreadableError(f"a header of {-(-size // _BLOCK) * _BLOCK} bytes")
            content = self._take(-(-size // _BLOCK) * _BLOCK)[:size]
            if kind in said:
                raise UnreadableError(f"{one_line(_name(block))}: two headers of one kind for one member")
            said[kind] = {}
            if kind == _OF_ALL:
                self._of_all |= _records(content, block)
                if not _OF_ONE_MEMBER.isdisjoint(self._of_all):
                    raise UnreadableError("a header of all members with what only one can have")
            elif kind == _EXTENDED:
                said[kind] = _records(content, block)
            else:
                said[kind] = {"path" if kind == _LONG_NAME else "linkpath": _text(content)}
            block = self._take(_BLOCK)
        return self._begun(block, said)

    def _begun(self, block: bytes, said: dict[bytes, dict[str, str]]) -> TarMember:
        kind, size, name = block[156:157], _number(block, 124, 136), _name(block)
        extended = said.pop(_EXTENDED, {})
        for found in said.values():
            if not extended.keys().isdisjoint(found):
                raise UnreadableError(f"{one_line(name)}: two long names of one member")
            extended = {**extended, **found}
        if kind == _SPARSE:
            raise UnreadableError(f"{one_line(name)}: a sparse file")
        if extended.get("size", str(size)) != str(size):
            raise UnreadableError(f"{one_line(name)}: the archive says two different things of its size")
        name = extended.get("path", name)
        if size < 0:
            raise UnreadableError(f"{one_line(name)}: a member of negative size")
        if kind == _OLD_FILE and name.endswith("/"):
            kind = DIRECTORY
        self._left, self._padding = size, -size % _BLOCK
        return TarMember(
            name=name.rstrip("/") if kind == DIRECTORY or "path" in extended else name,
            kind=FILE if kind in (_OLD_FILE, _CONTIGUOUS_FILE) else kind,
            size=size,
            mode=_number(block, 100, 108),
            mtime=_time(extended.get("mtime") or self._of_all.get("mtime") or "", block),
            target=extended.get("linkpath", _text(block[157:257])),
        )

    def _take(self, size: int) -> bytes:
        data = self._read(size)
        if len(data) < size:
            raise UnreadableError("damaged, or not an archive (it ends too soon)")
        return data

    def _read(self, size: int) -> bytes:
        """Return so many bytes, or what is left of them at the end."""
        end = self._position + size
        if end > len(self._buffer):
            rest = self._buffer[self._position :]
            fresh = self._stream.read(max(_CHUNK, size - len(rest)))
            self._limit -= len(fresh)
            if self._limit < 0:
                raise UnreadableError("unpacks to far more than the archive's size")
            self._buffer, self._position, end = rest + fresh, 0, size
        data = self._buffer[self._position : end]
        self._position += len(data)
        return data


def _checked(block: bytes) -> bytes:
    """Return a header whose check sum is right; some old programs took bytes for signed numbers."""
    if len(block) < _BLOCK:
        raise UnreadableError("damaged, or not an archive (it ends too soon)")
    expected, total = _number(block, 148, 156), sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if total != expected:
        signed = total - 256 * sum(byte > 127 for byte in block[:148] + block[156:])
        if signed != expected:
            raise UnreadableError("damaged, or not an archive (a header has another check sum)")
    return block


def _name(block: bytes) -> str:
    name, magic = _text(block[:100]), block[257:263]
    if block[345] and magic == _POSIX:
        return f"{_text(block[345:500])}/{name}"
    # Some readers take the field for a part of the name in any case.
    if magic != _POSIX and any(block[345:500]) and block[156:157] not in (_LONG_NAME, _LONG_TARGET, _SPARSE):
        raise UnreadableError(f"{one_line(name)}: a name that readers differ in")
    return name


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _number(block: bytes, start: int, end: int) -> int:
    """Return a number of a header: in octal digits, or (GNU tar) in binary, with a bit of its own before it."""
    field = block[start:end]
    if field[0] in (0o200, 0o377):
        return int.from_bytes(field[1:], "big") - (0 if field[0] == 0o200 else 256 ** (len(field) - 1))
    digits = field.partition(b"\0")[0].strip() or b"0"
    if not _NUMBER.fullmatch(digits):
        raise UnreadableError("damaged, or not an archive (a header has no number where one must be)")
    return int(digits, 8)


def _time(text: str, block: bytes) -> float:
    try:
        return float(text) if text else _number(block, 136, 148)
    except ValueError:
        return _number(block, 136, 148)


def _records(content: bytes, block: bytes) -> dict[str, str]:
    """Return what an extended header says: records of `length key=value`, each on a line."""
    if _HOLES in content:
        raise UnreadableError(f"{one_line(_name(block))}: a header of a sparse file")
    found, at = {}, 0
    while at < len(content):
        length = _LENGTH.match(content, at)
        end = at + int(length[1]) if length else 0
        key, equals, value = content[length.end() if length else at : end - 1].partition(b"=")
        if not equals or not key or end > len(content) or content[end - 1 : end] != b"\n":
            raise UnreadableError("damaged, or not an archive (an extended header has something else than records)")
        name = key.decode("utf-8", "surrogateescape")
        if name in found and name in _OF_ONE_MEMBER:
            raise UnreadableError(f"{one_line(_name(block))}: an extended header that says two things of {name}")
        found[name] = value.decode("utf-8", "surrogateescape")
        at = end
    return found
