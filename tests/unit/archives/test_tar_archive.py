"""Tar archives: read as Python's tarfile reads them, and refused where readers differ."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.archives.archive_limits import UnreadableError
from toolkit.archives.tar_archive import DIRECTORY, FILE, TarArchive

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
_PART = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=40).map(
    lambda text: text.replace("/", "_")
)
_NAME = st.lists(_PART, min_size=1, max_size=6).map("/".join)


def read(data: bytes, limit: int = 1 << 30) -> list[tuple[str, bytes, bytes]]:
    archive = TarArchive(io.BytesIO(data), limit)
    return [(member.name, member.kind, b"".join(archive.chunks())) for member in archive.members()]


def header(
    name: str = "p/a", kind: bytes = tarfile.REGTYPE, size: int = 0, form: int = tarfile.GNU_FORMAT
) -> bytearray:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return bytearray(info.tobuf(tarfile.GNU_FORMAT))


def summed(block: bytearray, total: Callable[[Iterable[int]], int] = sum) -> bytes:
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % total(block)
    return bytes(block)


def extension(kind: bytes, content: bytes) -> bytes:
    return bytes(header("x", kind, len(content))) + content + bytes(-len(content) % 512)


@given(
    st.lists(st.tuples(_NAME, st.binary(max_size=1500)), max_size=5),
    st.sampled_from(FORMATS),
    st.floats(min_value=0, max_value=2**31),
)
def test_members_are_those_that_tarfile_packed(contents: list[tuple[str, bytes]], form: int, time: float) -> None:
    stream, packed = io.BytesIO(), []
    with tarfile.open(fileobj=stream, mode="w", format=form) as output:
        for name, content in contents:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), time if form == tarfile.PAX_FORMAT else int(time)
            try:
                output.addfile(info, io.BytesIO(content))
            except ValueError:
                # ustar has no room for it.
                continue
            packed.append((name.rstrip("/"), FILE, content))
    assert read(stream.getvalue()) == packed
    times = [member.mtime for member in TarArchive(io.BytesIO(stream.getvalue()), 1 << 30).members()]
    assert times == [time if form == tarfile.PAX_FORMAT else int(time)] * len(packed)


@pytest.mark.parametrize("form", FORMATS[1:])
def test_long_names_and_targets_are_whole(form: int) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as output:
        info = tarfile.TarInfo("p/" + "n" * 400)
        info.type, info.linkname = tarfile.SYMTYPE, "t" * 500
        output.addfile(info)
    (member,) = TarArchive(io.BytesIO(stream.getvalue()), 1 << 30).members()
    assert (member.name, member.target) == (info.name, info.linkname)


def test_a_directory_of_the_oldest_form_is_one() -> None:
    assert read(summed(header("p/d/", tarfile.AREGTYPE)) + bytes(1024)) == [("p/d", DIRECTORY, b"")]


def test_a_number_may_be_binary() -> None:
    block = header()
    block[136:148] = b"\x80" + (1_700_000_000).to_bytes(11, "big")
    (member,) = TarArchive(io.BytesIO(summed(block) + bytes(1024)), 1 << 20).members()
    assert member.mtime == 1_700_000_000


def test_a_check_sum_of_signed_bytes_is_right() -> None:
    block = header("p/ä")
    data = summed(block, lambda found: sum(byte - 256 if byte > 127 else byte for byte in found))
    assert read(data + bytes(1024)) == [("p/ä", FILE, b"")]


def test_what_all_members_are_said_to_be_counts_for_each() -> None:
    data = extension(tarfile.XGLTYPE, b"13 mtime=5.5\n") + bytes(header()) + bytes(header("b"))
    assert [found.mtime for found in TarArchive(io.BytesIO(data + bytes(1024)), 1 << 20).members()] == [5.5, 5.5]


def test_content_that_nobody_reads_is_passed_over() -> None:
    data = bytes(header("a", size=700)) + b"x" * 700 + bytes(324) + bytes(header("b")) + bytes(1024)
    assert [member.name for member in TarArchive(io.BytesIO(data), 1 << 20).members()] == ["a", "b"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        (bytes(header())[:300], "it ends too soon"),
        (bytes(header(size=600)) + b"x" * 599, "it ends too soon"),
        (bytes(header(size=600)) + b"x" * 600, "it ends too soon"),
        (extension(tarfile.XHDTYPE, b"10 path=b\n"), "it ends too soon"),
        (summed(header())[:-1] + b"1" + bytes(1024), "another check sum"),
        (bytes(header()) + bytes(512) + b"x" * 512, "something hidden"),
        (summed(header()[:124] + bytearray(b"00000000009\0") + header()[136:]), "no number"),
        (
            extension(tarfile.GNUTYPE_LONGNAME, b"b\0") + extension(tarfile.XHDTYPE, b"10 path=c\n") + bytes(header()),
            "two long names",
        ),
    ],
)
def test_what_is_damaged_or_has_two_meanings_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(UnreadableError, match=said):
        read(data)


def test_no_more_is_read_than_the_limit() -> None:
    with pytest.raises(UnreadableError, match="far more"):
        read(bytes(header(size=5000)) + bytes(5120) + bytes(1024), limit=4096)
