"""A zip archive that two readers could take for two different ones is refused; what tools write is read."""

from __future__ import annotations

import io
import os
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.archives.archive_limits import UnreadableError
from toolkit.archives.zip_archive import ZipArchive

CONTENT = os.urandom(700) + bytes(5000)


def packed(*names: str, compression: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name in names or ("a", "b"):
            archive.writestr(name, CONTENT)
        archive.comment = comment
    return stream.getvalue()


def contents(data: bytes) -> dict[str, bytes]:
    archive = ZipArchive(io.BytesIO(data))
    return {member.name: b"".join(archive.chunks(member)) for member in archive.members}


def refused(data: bytes) -> str:
    with pytest.raises(UnreadableError) as caught:
        contents(data)
    assert str(caught.value).isprintable()
    return str(caught.value)


def changed(data: bytes, signature: bytes, offset: int, value: bytes, *, last: bool = True) -> bytes:
    """Return an archive with other bytes at a place of its last (or first) record of a kind."""
    start = (data.rfind if last else data.find)(signature) + offset
    return data[:start] + value + data[start + len(value) :]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("comment", [b"", b"a comment, as git writes one"])
def test_what_python_writes_is_read(compression: int, comment: bytes) -> None:
    assert contents(packed("a", "d/é", compression=compression, comment=comment)) == {"a": CONTENT, "d/é": CONTENT}


def test_what_is_written_without_going_back_is_read() -> None:
    class Pipe(io.RawIOBase):
        data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(data)  # type: ignore[arg-type]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", CONTENT)
        with archive.open("b", "w", force_zip64=True) as stream:
            stream.write(CONTENT)
    assert contents(pipe.data) == {"a": CONTENT, "b": CONTENT}


def test_large_sizes_are_read_where_they_stand() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, archive.open("a", "w", force_zip64=True) as member:
        member.write(CONTENT)
    assert contents(stream.getvalue()) == {"a": CONTENT}


def test_more_members_than_sixteen_bits_count_are_read() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(0x10001):
            archive.writestr(str(number), b"")
    assert len(ZipArchive(stream).members) == 0x10001


LOCAL, CENTRAL, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
TWO = packed("a", "b", compression=zipfile.ZIP_STORED)
HOSTILE = {
    "nothing": (b"", "not an archive"),
    "a page": (b"<html>", "not an archive"),
    "cut": (TWO[:-1], "not an archive|its end is damaged"),
    "something behind": (TWO + b"x", "stands behind its end"),
    "another archive behind": (TWO + packed("c"), "something stands before"),
    "something before": (b"#!/bin/sh\n" + TWO, "something stands before"),
    "another archive before": (packed("c") + TWO, "something stands before"),
    "an archive in the comment": (changed(TWO, END, 20, struct.pack("<H", len(TWO))) + TWO, "something stands before"),
    "another name before": (changed(TWO, LOCAL, 30, b"c"), "says two different things"),
    "another name behind": (changed(TWO, CENTRAL, 46, b"c"), "b|says two different things"),
    "another size": (changed(TWO, LOCAL, 22, b"\1"), "says two different things"),
    "another check sum": (changed(changed(TWO, LOCAL, 14, bytes(4)), CENTRAL, 16, bytes(4)), "damaged"),
    "another compression": (changed(TWO, LOCAL, 8, b"\10"), "says two different things"),
    "an unknown compression": (changed(TWO, CENTRAL, 10, b"\x5d"), "compressed in a way .number 93"),
    "a password": (changed(TWO, CENTRAL, 8, b"\1"), "encrypted"),
    "a member on another disk": (changed(TWO, CENTRAL, 34, b"\1"), "in another part"),
    "another disk": (changed(TWO, END, 4, b"\1"), "one part of several"),
    "members that overlap": (changed(TWO, CENTRAL, 42, bytes(4)), "overlaps another member"),
    "members of one place": (
        changed(changed(TWO, CENTRAL, 42, bytes(4)), CENTRAL, 46, b"a"),
        "overlaps another member",
    ),
    "a member elsewhere": (changed(TWO, CENTRAL, 42, b"\7"), "hidden|overlaps|two different"),
    "a hidden member": (changed(TWO, END, 8, b"\1\0\1\0"), "more members than its end says"),
    "a directory that is not there": (changed(TWO, END, 16, bytes(4)), "its directory is not where"),
    "a member too many": (changed(TWO, END, 8, b"\3\0\3\0"), "its directory ends too soon"),
    "a damaged directory": (changed(TWO, CENTRAL, 28, b"\xff\xff"), "its directory is damaged"),
    "a name with a zero byte": (
        TWO.replace(b"b" + CONTENT[:3], b"\0" + CONTENT[:3]).replace(b"b" + END, b"\0" + END),
        "zero byte",
    ),
    "a name that is not UTF-8": (changed(TWO, CENTRAL, 46, b"\xff"), "not UTF-8"),
    "a directory with content": (
        changed(changed(TWO, CENTRAL, 46, b"/"), LOCAL, 30, b"/"),
        "a size that it cannot have",
    ),
    "an end of 64 bits that lies": (
        TWO[: TWO.rfind(END)] + struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1) + TWO[TWO.rfind(END) :],
        "two ends|not where its end says",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_readers_could_disagree_on_is_refused(name: str) -> None:
    data, said = HOSTILE[name]
    with pytest.raises(UnreadableError, match=said) as caught:
        contents(data)
    assert str(caught.value).isprintable()


def test_a_hidden_member_between_two_is_found() -> None:
    whole = packed("a", "b", "c", compression=zipfile.ZIP_STORED)
    first = whole.find(CENTRAL)
    second = whole.find(CENTRAL, first + 4)
    third = whole.find(CENTRAL, second + 4)
    data = whole[:second] + whole[third:]
    end, size = data.rfind(END), third - second
    data = data[: end + 8] + b"\2\0\2\0" + struct.pack("<L", data.rfind(END) - first) + data[end + 16 :]
    assert size > 0
    assert "hidden" in refused(data)


def test_content_larger_than_promised_is_refused_while_it_unpacks() -> None:
    data = packed("a")
    small = struct.pack("<L", 10)
    assert "larger than the archive says" in refused(changed(changed(data, LOCAL, 22, small), CENTRAL, 24, small))


def test_a_bomb_of_overlapping_members_is_refused_at_once() -> None:
    # As zbsm and zblg (https://www.bamsoftware.com/hacks/zipbomb/): one kernel, many names.
    kernel = packed("a")
    first, end = kernel.find(CENTRAL), kernel.rfind(END)
    entry = kernel[first:end]
    data = kernel[:first] + entry * 1000
    data += END + struct.pack("<4H2LH", 0, 0, 1000, 1000, 1000 * len(entry), first, 0)
    assert "overlaps another member" in refused(data)


def test_a_million_members_are_refused_at_once() -> None:
    data = packed("a")
    first, end = data.find(CENTRAL), data.rfind(END)
    entry = data[first:end]
    long = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 10**6, 10**6, 10**6 * len(entry), first)
    middle = data[:first] + entry * 10**6
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(middle), 1)
    short = END + struct.pack("<4H2LH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert "more than 100000 members" in refused(middle + long + locator + short)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for content in (data, b"PK\3\4" + data, data + TWO[TWO.rfind(END) :], TWO[: len(data)] + data):
        try:
            contents(content)
        except UnreadableError as error:
            assert str(error).isprintable()


@given(st.lists(st.tuples(st.integers(0, len(TWO) - 1), st.integers(0, 255)), max_size=4))
def test_any_changed_bytes(changes: list[tuple[int, int]]) -> None:
    data = bytearray(TWO)
    for position, value in changes:
        data[position] = value
    try:
        found = contents(bytes(data))
    except UnreadableError as error:
        assert str(error).isprintable()
    else:
        # Whatever is read, Python's own reader finds the same in it.
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == found


def test_a_name_of_an_unknown_encoding_is_refused() -> None:
    data = changed(changed(packed("d/é"), b"PK\1\2", 8, b"\0\0"), b"PK\3\4", 6, b"\0\0")
    assert refused(data) == "d/é: a name whose encoding it does not say, so that readers differ"
