"""ELF files: which machine one is for, which libraries it needs or opens, and where it looks for them.

https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html
https://uapi-group.org/specifications/specs/elf_dlopen_metadata/
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import documents
from toolkit.core.documents import Table

MAGIC = b"\x7fELF"
_LOAD, _DYNAMIC, _NOTE = 1, 2, 4  # PT_*
_END, _NEEDED, _STRTAB, _STRSZ, _RPATH, _RUNPATH = 0, 1, 5, 10, 15, 29  # DT_*
_DLOPEN = 0x407C0C0A
#: Bytes of a table that is read, and of all texts in it; those of large libraries have some hundred KiB. Of one text.
_LONGEST, _LONGEST_TEXT = 16 << 20, 1 << 16
#: Bytes of a dynamic section, which has an entry of 16 for each library that is needed; and of all notes.
_LONGEST_DYNAMIC, _LONGEST_NOTES = 1 << 20, 1 << 20


@dataclass(frozen=True)
class Elf:
    """What a file's headers say: its machine (class, byte order, architecture), its search paths, what it needs.

    `opened` are the libraries that it loads when it wants them, as it says itself: of each the names that will do.
    """

    machine: tuple[int, int, int]
    search_paths: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    opened: tuple[tuple[str, ...], ...] = ()


def read(path: Path) -> Elf | None:
    """Return what the headers of a file say; None for what is no ELF file, or a damaged one."""
    try:
        with path.open("rb") as stream:
            if stream.read(4) != MAGIC:
                return None
            return _read(stream.fileno())
    except (OSError, struct.error, ValueError, LookupError, OverflowError):
        return None


def _read(file: int) -> Elf:
    start = os.pread(file, 20, 0)
    bits, order = start[4], start[5]
    byte_order = {1: "<", 2: ">"}[order]
    (architecture,) = struct.unpack(f"{byte_order}H", start[18:20])
    words = _Words(file=file, order=byte_order, is_wide={1: False, 2: True}[bits])
    dynamic = words.dynamic()
    paths = (path for key, text in dynamic if key in (_RPATH, _RUNPATH) for path in text.split(":") if path)
    needed = tuple(text for key, text in dynamic if key == _NEEDED)
    return Elf((bits, order, architecture), tuple(paths), needed, tuple(words.opened()))


@dataclass(frozen=True, kw_only=True)
class _Words:
    """The tables of a file, of 32 or (`is_wide`) 64 bits."""

    file: int
    order: str
    is_wide: bool

    def dynamic(self) -> list[tuple[int, str]]:
        """Return the entries of the dynamic section that are texts. Raises `ValueError`, `struct.error`."""
        segments = self._segments()
        dynamic = next(((offset, size) for kind, offset, _, size in segments if kind == _DYNAMIC), None)
        if not dynamic:
            return []
        if dynamic[1] > _LONGEST_DYNAMIC:
            raise ValueError("a dynamic section that is too long")
        entries: list[tuple[int, int]] = []
        for entry in struct.iter_unpack(f"{self.order}{'qQ' if self.is_wide else 'iI'}", self._bytes(*dynamic)):
            if entry[0] == _END:
                break
            entries.append((entry[0], entry[1]))
        values = dict(entries)
        if _STRTAB not in values:
            return []
        texts = self._bytes(_offset(segments, values[_STRTAB]), values.get(_STRSZ, 0))
        named = [(key, value) for key, value in entries if key in (_NEEDED, _RPATH, _RUNPATH)]
        ends = [texts.index(b"\0", start, start + _LONGEST_TEXT) for _, start in named]
        # Any number of entries may have the same text.
        if sum(ends) - sum(start for _, start in named) > _LONGEST:
            raise ValueError("texts that are too long")
        return [(key, os.fsdecode(texts[start:end])) for (key, start), end in zip(named, ends, strict=True)]

    def opened(self) -> Iterator[tuple[str, ...]]:
        """Yield the names in notes of what is loaded at run time, but for what is only suggested."""
        with contextlib.suppress(ValueError, struct.error):
            for note in self._notes():
                for description in self._descriptions(note):
                    table = Table({"notes": documents.json_value(description.rstrip(b"\0"))})
                    yield from filter(None, map(_sonames, table.tables("notes")))

    def _notes(self) -> Iterator[bytes]:
        """Yield the segments of notes. Raises `ValueError` where they are too long in all."""
        left = _LONGEST_NOTES
        for kind, offset, _, size in self._segments():
            if kind == _NOTE:
                left -= size
                if left < 0:
                    raise ValueError("notes that are too long")
                yield self._bytes(offset, size)

    def _descriptions(self, notes: bytes) -> Iterator[bytes]:
        """Yield the descriptions of the notes for dlopen."""
        place = 0
        while place + 12 <= len(notes):
            name, description, kind = struct.unpack(f"{self.order}3I", notes[place : place + 12])
            start = place + 12 + _aligned(name)
            if kind == _DLOPEN and notes[place + 12 : place + 12 + name] == b"FDO\0":
                yield notes[start : start + description]
            place = start + _aligned(description)

    def _segments(self) -> list[tuple[int, int, int, int]]:
        """Return the type, offset, address and size in the file of each segment."""
        if self.is_wide:
            header, form, names = (
                struct.unpack(f"{self.order}Q14xHH", os.pread(self.file, 26, 32)),
                "II6Q",
                (0, 2, 3, 5),
            )
        else:
            header, form, names = struct.unpack(f"{self.order}I10xHH", os.pread(self.file, 18, 28)), "8I", (0, 1, 2, 4)
        offset, size, count = header
        rows = (self._bytes(offset + number * size, struct.calcsize(form)) for number in range(count))
        unpacked = (struct.unpack(f"{self.order}{form}", row) for row in rows)
        return [(row[names[0]], row[names[1]], row[names[2]], row[names[3]]) for row in unpacked]

    def _bytes(self, offset: int, size: int) -> bytes:
        if size > _LONGEST:
            raise ValueError("a table that is too long")
        return os.pread(self.file, size, offset)


def _aligned(size: int) -> int:
    return (size + 3) & ~3


def _sonames(table: Table) -> tuple[str, ...]:
    return () if table.text("priority", "recommended") == "suggested" else table.texts("soname")


def _offset(segments: list[tuple[int, int, int, int]], address: int) -> int:
    """Return where in the file is what will be at an address. Raises `ValueError`."""
    for kind, offset, start, size in segments:
        if kind == _LOAD and start <= address < start + size:
            return address - start + offset
    raise ValueError("an address outside")
