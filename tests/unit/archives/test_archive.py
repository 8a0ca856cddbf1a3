"""Archives: what they hold comes out, and nothing of it outside."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import re
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.foreign_values import one_error
from toolkit.archives import archive, archive_limits
from toolkit.core.errors import UserError

FILES = {"pkg-1/PKG-INFO": b"Name: pkg\n", "pkg-1/src/a.py": b"a = 1\n", "pkg-1/setup.py": b"setup()\n"}


def info(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    result = tarfile.TarInfo(name)
    result.type, result.linkname, result.mode, result.mtime = kind, target, mode, 1_700_000_000
    return result


def tar(path: Path, *items: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as output:  # type: ignore[call-overload]
        for item, content in items:
            item.size = len(content)
            output.addfile(item, io.BytesIO(content))
    return path


def packed(path: Path, contents: dict[str, bytes], mode: str = "w:gz") -> Path:
    return tar(path, *((info(name), content) for name, content in contents.items()), mode=mode)


def zipped(path: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as output:
        for name, content in contents.items():
            output.writestr(name, content)
    return path


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return info(name, tarfile.SYMTYPE, target), b""


def hard(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return info(name, tarfile.LNKTYPE, target), b""


def read(path: Path, name: str) -> bytes | None:
    return archive.read_members(path, (name,)).get(name)


def empty(parent: Path) -> Path:
    (parent / "out").mkdir()
    return parent / "out"


def tree(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def refused(path: Path, directory: Path) -> str:
    """Return why an archive is refused, in the same words whether it is unpacked or only checked."""
    with pytest.raises(UserError) as caught:
        archive.extract(path, directory)
    with pytest.raises(UserError, match=f"^{re.escape(str(caught.value))}$"):
        archive.check(path)
    assert caught.value.what.isprintable()
    assert str(path) in caught.value.what
    assert "choose another version" in caught.value.hint
    return caught.value.what


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", ""])
def test_a_tar_of_every_compression_comes_out_whole(tmp_path: Path, kind: str) -> None:
    # The name says nothing: what matters is what the file is.
    path = packed(tmp_path / "any_1.0~beta", FILES, f"w:{kind}")
    top = archive.extract(path, empty(tmp_path))
    assert top == tmp_path / "out" / "pkg-1"
    assert tree(tmp_path / "out") == FILES


def test_a_zip_comes_out_whole(tmp_path: Path) -> None:
    top = archive.extract(zipped(tmp_path / "a.zip", FILES), empty(tmp_path))
    assert top == tmp_path / "out" / "pkg-1"
    assert tree(tmp_path / "out") == FILES


def test_a_tar_whose_first_file_begins_like_a_zip_is_a_tar(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tar", {"PKG-INFO": b"x"}, "w:")
    assert read(path, "PKG-INFO") == b"x"


@pytest.mark.parametrize("contents", [{"setup.py": b"1"}, {"a/x": b"1", "b/y": b"2"}, {"pkg/x": b"1", "README": b"2"}])
def test_a_flat_archive_has_the_directory_itself_as_its_top(tmp_path: Path, contents: dict[str, bytes]) -> None:
    path = packed(tmp_path / "a.tar.gz", contents)
    assert archive.extract(path, empty(tmp_path)) == tmp_path / "out"
    assert archive.names(path) == list(contents)


def test_files_that_macos_adds_do_not_make_an_archive_flat(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tar.gz", {"._pkg-1": b"x", **FILES})
    assert archive.extract(path, empty(tmp_path)).name == "pkg-1"
    assert read(path, "PKG-INFO") == b"Name: pkg\n"


def test_modes_are_plain_and_times_not_before_1980(tmp_path: Path) -> None:
    old = info("p/old", mode=0o6777)
    old.mtime = 5
    path = tar(
        tmp_path / "a.tar.gz",
        (info("p", tarfile.DIRTYPE, mode=0o2777), b""),
        (old, b"x"),
        (info("p/data", mode=0o466), b"y"),
    )
    top = archive.extract(path, empty(tmp_path))
    assert [stat.S_IMODE((top / name).stat().st_mode) for name in (".", "old", "data")] == [0o755, 0o755, 0o644]
    assert (top / "old").stat().st_mtime == 315532800
    assert (top / "data").stat().st_mtime == 1_700_000_000


def test_a_zip_keeps_what_may_be_run(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as output:
        for name, mode in (("p/run", 0o100755), ("p/data", 0o100644), ("p/none", 0)):
            item = zipfile.ZipInfo(name, (2001, 2, 3, 4, 5, 6))
            item.external_attr = mode << 16
            output.writestr(item, "x")
    top = archive.extract(tmp_path / "a.zip", empty(tmp_path))
    assert [(top / name).stat().st_mode & 0o777 for name in ("run", "data", "none")] == [0o755, 0o644, 0o644]
    assert (top / "run").stat().st_mtime == 981173106


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/etc/cron.d/x", "absolute"),
        ("../x", "`..`"),
        ("p/../../x", "`..`"),
        ("p/..", "`..`"),
        ("p/" + "x" * 256, "255"),
    ],
)
@pytest.mark.parametrize("pack", [packed, zipped])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str, reason: str, pack: type) -> None:
    path = pack(tmp_path / "a", {"p/first": b"1", name: b"2"})
    assert reason in refused(path, empty(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["a", "out"]


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a", "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as output:
        output.addfile(info("p/\xe9"))
    assert "not UTF-8" in refused(tmp_path / "a", empty(tmp_path))


LEADING_OUT = {
    "absolute": [link("p/l", "/etc/passwd")],
    "up": [link("p/l", "../../x")],
    "in two steps": [link("p/d/up", ".."), link("p/out", "d/up/../../..")],
    "in two steps that look right": [link("p/a/b/up", "../../.."), link("p/c", "a/b/up/../x")],
    "of the top itself": [link("p", "..")],
    "by a hard link": [hard("p/h", "../../etc/passwd")],
    "by a hard link to a link": [link("p/l", "x"), hard("p/h", "p/l")],
    "by a hard link to what is not there": [hard("p/h", "p/none")],
}


@pytest.mark.parametrize("items", LEADING_OUT.values(), ids=LEADING_OUT)
def test_a_link_that_leads_out_is_refused(tmp_path: Path, items: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    assert "link" in refused(tar(tmp_path / "a", *items), empty(tmp_path))


def test_a_link_longer_than_any_path_is_refused_by_its_bytes(tmp_path: Path) -> None:
    assert "more than 1024 bytes" in refused(tar(tmp_path / "a", link("p/l", "\U0001f600" * 1024)), empty(tmp_path))


def test_links_without_end_are_refused_soon(tmp_path: Path) -> None:
    assert "without end" in refused(tar(tmp_path / "a", link("p/a", "b"), link("p/b", "a")), empty(tmp_path))
    slow = [link(f"p/{number}", "a/../" * 200 + f"{number + 1}") for number in range(3000)]
    archive.check(tar(tmp_path / "b", link("p/a", "."), link("p/b", "a/a/a/x/../y")))
    assert "without end" in refused(tar(tmp_path / "c", *slow), tmp_path)


def test_a_zip_with_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a", "w") as output:
        item = zipfile.ZipInfo("p/l")
        item.external_attr = 0o120777 << 16
        output.writestr(item, "../../x")
    assert "link out" in refused(tmp_path / "a", empty(tmp_path))


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    for number, items in enumerate(
        [
            [link("p/l", "d"), (info("p/l/x"), b"bad")],
            [(info("p/d/x"), b"1"), link("p/d", "e")],
            [(info("p/f"), b"1"), (info("p/f/x"), b"2")],
            [(info("p/d/x"), b"1"), (info("p/d"), b"2")],
        ]
    ):
        (tmp_path / f"{number}").mkdir()
        assert "directory" in refused(tar(tmp_path / f"a{number}", *items), tmp_path / f"{number}")


@pytest.mark.parametrize(
    "second",
    [(info("p/x"), b"new"), (info("p/x"), b"ol"), (info("p/x"), b"older"), link("p/x", "y"), hard("p/x", "p/y")],
)
def test_a_name_that_stands_for_two_things_is_refused(tmp_path: Path, second: tuple[tarfile.TarInfo, bytes]) -> None:
    path = tar(tmp_path / "a", (info("p/y"), b"kept"), (info("p/x"), b"old"), second)
    assert "p/x: it stands there twice" in refused(path, empty(tmp_path))


def test_a_file_in_the_place_of_a_link_is_refused(tmp_path: Path) -> None:
    path = tar(tmp_path / "a", (info("p/y"), b"kept"), link("p/x", "y"), (info("p/x"), b"new"))
    assert "p/x: it stands there twice" in refused(path, empty(tmp_path))


def test_a_member_that_stands_there_twice_is_unpacked_once(tmp_path: Path) -> None:
    items = [(info("p/x"), b"same"), link("p/y", "x")]
    top = archive.extract(tar(tmp_path / "a", *items, *items), empty(tmp_path))
    assert (top / "x").read_bytes() == b"same"
    assert os.readlink(top / "y") == "x"


def test_links_that_stay_inside_are_made(tmp_path: Path) -> None:
    path = tar(
        tmp_path / "a", link("p/early", "d/x"), (info("p/d/x"), b"1"), link("p/d/up", "../early"), hard("p/h", "p/d/x")
    )
    top = archive.extract(path, empty(tmp_path))
    assert [(top / name).read_bytes() for name in ("early", "d/up", "h")] == [b"1"] * 3


@pytest.mark.parametrize(
    "kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE], ids=["fifo", "character", "block"]
)
def test_devices_and_fifos_are_refused(tmp_path: Path, kind: bytes) -> None:
    assert "p/dev: neither a file" in refused(tar(tmp_path / "a", (info("p/dev", kind), b"")), empty(tmp_path))


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz", "w:"])
def test_files_larger_than_a_block_of_any_compressor_are_whole(tmp_path: Path, mode: str) -> None:
    # Random bytes stay as long as they are: then a block of bz2 has 900 kB of them.
    contents = {f"p/{number}": random.Random(number).randbytes(1_234_567) for number in range(3)}
    whole = packed(tmp_path / "whole", contents, mode)
    (tmp_path / "out").mkdir()
    top = archive.extract(whole, tmp_path / "out")
    assert {f"p/{path.name}": path.read_bytes() for path in top.iterdir()} == contents


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz", "w:"])
def test_a_truncated_archive_is_refused_wherever_it_ends(tmp_path: Path, mode: str) -> None:
    content = os.urandom(3000)
    whole = packed(tmp_path / "whole", {"p/a": content, "p/b": content}, mode).read_bytes()
    # An uncompressed tar that ends after a member cannot be told from a whole one.
    last = 4000 if mode == "w:" else len(whole) - 1
    for number, length in enumerate([*range(0, last, 331), last]):
        (tmp_path / "cut").write_bytes(whole[:length])
        (tmp_path / f"{number}").mkdir()
        refused(tmp_path / "cut", tmp_path / f"{number}")


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_one_changed_byte_is_noticed(tmp_path: Path, mode: str) -> None:
    data = bytearray(packed(tmp_path / "a", {"p/a": os.urandom(3000)}, mode).read_bytes())
    data[len(data) // 2] ^= 0x10
    (tmp_path / "a").write_bytes(data)
    refused(tmp_path / "a", empty(tmp_path))


def test_a_damaged_header_is_not_the_end_of_the_archive(tmp_path: Path) -> None:
    data = bytearray(packed(tmp_path / "a", {"p/a": b"1", "p/b": b"2"}, "w:").read_bytes())
    data[1024] ^= 1
    (tmp_path / "a").write_bytes(data)
    assert "damaged" in refused(tmp_path / "a", empty(tmp_path))


def test_a_damaged_zip_and_what_is_no_archive_are_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(tmp_path / "a", {"p/a": os.urandom(3000)}).read_bytes())
    data[1000] ^= 1
    (tmp_path / "a").write_bytes(data)
    refused(tmp_path / "a", empty(tmp_path))
    for content in (b"", b"<html>not found</html>", data[:2000]):
        (tmp_path / "b").write_bytes(content)
        refused(tmp_path / "b", tmp_path / "out")
        with pytest.raises(UserError, match="damaged"):
            archive.read_members(tmp_path / "b", ["PKG-INFO"])


def test_a_member_of_negative_size_does_not_go_round_for_ever(tmp_path: Path) -> None:
    item = info("p/a")
    item.size = -512
    header = item.tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "a").write_bytes(header * 3 + bytes(1024))
    refused(tmp_path / "a", empty(tmp_path))


@pytest.mark.parametrize("pack", [packed, zipped])
def test_a_bomb_is_stopped_while_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: type) -> None:
    monkeypatch.setattr(archive_limits, "_ALWAYS_ALLOWED", 1 << 20)
    path = pack(tmp_path / "a", {"p/zeros": bytes(6 << 20)})
    assert "far more" in refused(path, empty(tmp_path))
    written = sum(file.stat().st_size for file in (tmp_path / "out").rglob("*") if file.is_file())
    assert written <= max(1 << 20, 200 * path.stat().st_size)


def test_a_bomb_is_stopped_while_it_is_only_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_limits, "_ALWAYS_ALLOWED", 1 << 20)
    path = packed(tmp_path / "a", {"p/zeros": bytes(6 << 20), "p/PKG-INFO": b"x"})
    with pytest.raises(UserError, match="far more"):
        read(path, "PKG-INFO")


def test_the_limits_are_those_of_the_largest_real_archives() -> None:
    assert archive_limits.unpacked(1000) == 256 << 20
    assert archive_limits.unpacked(2 << 20) == 400 << 20
    assert archive_limits.unpacked(1 << 30) == 4 << 30


def test_the_number_of_members_has_to_do_with_the_size() -> None:
    assert [archive_limits.members(size) for size in (1000, 4 << 20, 1 << 30)] == [20_000, 65_536, 100_000]


def test_a_header_that_claims_gigabytes_is_not_read_into_memory(tmp_path: Path) -> None:
    item = info("p/a", tarfile.XHDTYPE)
    item.size = 200 << 20
    (tmp_path / "a").write_bytes(item.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    assert "header" in refused(tmp_path / "a", empty(tmp_path))


def test_a_header_of_negative_size_does_not_read_all_the_rest(tmp_path: Path) -> None:
    for kind in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME):
        header = bytearray(info("p/a", kind).tobuf(tarfile.GNU_FORMAT))
        header[124:136] = b"\xff" * 10 + b"\xfe\0"
        (tmp_path / "a").write_bytes(summed(header) + bytes(4096))
        (tmp_path / f"out-{kind!r}").mkdir()
        assert "a header of -512 bytes" in refused(tmp_path / "a", tmp_path / f"out-{kind!r}")


def summed(header: bytearray) -> bytes:
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.mark.parametrize(
    ("extension", "said"),
    [
        (b"1" * 200_000, "something else than records"),
        (b"8 path=a\n", "something else than records"),
        (b"99 path=a\n", "something else than records"),
        (b"10 path=a\n10 path=b\n", "says two things of path"),
        (b"x" * 300_000, "a header of 300032 bytes"),
        (b"22 path=../../../evil\n", "../../../evil: a name with `..`"),
        (b"15 path=/etc/x\n", "/etc/x: an absolute name"),
        (b"13 path=a\nb\n\n", "a name with control characters"),
        (b"13 path=a\x1b[2\n", "a name with control characters"),
        (b"12 path=a\0b\n", "a name with a zero byte"),
        (b"12 size=-50\n", "two different things of its size"),
        (b"23 size=99999999999999\n", "two different things of its size"),
        (b"8 size=\n", "two different things of its size"),
        (b"15 mtime=1e400\n", "cannot be read"),
        (b"22 GNU.sparse.map=0,1\n", "a sparse file"),
        (b"22 GNU.sparse.name=p/b\n", "a sparse file"),
        (b"24 GNU.sparse.realsize=1\n", "a sparse file"),
        (b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n", "a sparse file"),
    ],
)
def test_an_extended_header_is_not_believed(tmp_path: Path, extension: bytes, said: str) -> None:
    first = info("x", tarfile.XHDTYPE)
    first.size = len(extension)
    data = first.tobuf(tarfile.GNU_FORMAT) + extension + bytes(-len(extension) % 512)
    (tmp_path / "a").write_bytes(data + info("p/a").tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    assert said in refused(tmp_path / "a", empty(tmp_path))


def test_a_sparse_file_is_refused_before_its_map_is_read(tmp_path: Path) -> None:
    header = bytearray(info("p/a", tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT))
    # The map goes on in the next block; here there is none.
    header[482] = 1
    (tmp_path / "a").write_bytes(summed(header))
    assert "p/a: a sparse file" in refused(tmp_path / "a", empty(tmp_path))


def test_a_name_that_readers_differ_in_is_refused(tmp_path: Path) -> None:
    header = bytearray(info("b").tobuf(tarfile.GNU_FORMAT))
    # GNU tar reads `b`, Python's tarfile `p/b`.
    header[345:346] = b"p"
    (tmp_path / "a").write_bytes(summed(header) + bytes(1024))
    assert "b: a name that readers differ in" in refused(tmp_path / "a", empty(tmp_path))


def test_a_name_in_two_fields_is_read(tmp_path: Path) -> None:
    name = f"p/{'d' * 90}/{'x' * 90}"
    (tmp_path / "a").write_bytes(info(name).tobuf(tarfile.USTAR_FORMAT) + bytes(1024))
    assert archive.names(tmp_path / "a") == [name.removeprefix("p/")]


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_headers_without_end_are_refused(tmp_path: Path, kind: bytes) -> None:
    header = info("x", kind)
    header.size = 12
    (tmp_path / "a").write_bytes((header.tobuf(tarfile.GNU_FORMAT) + b"12 comment=\n" + bytes(500)) * 2000)
    assert "two headers of one kind for one member" in refused(tmp_path / "a", empty(tmp_path))


def test_what_is_hidden_behind_the_end_is_refused(tmp_path: Path) -> None:
    whole = packed(tmp_path / "a", FILES, "w:").read_bytes()
    (tmp_path / "b").write_bytes(gzip.compress(whole + packed(tmp_path / "c", {"evil/x": b"1"}, "w:").read_bytes()))
    assert "something hidden stands behind its end" in refused(tmp_path / "b", empty(tmp_path))


@pytest.mark.parametrize("name", ["p/a\nb", "p/\x1b[2J", "p/Icon\r", "p/\x85"])
@pytest.mark.parametrize("pack", [packed, zipped])
def test_a_name_with_control_characters_is_refused_and_not_printed(tmp_path: Path, name: str, pack: type) -> None:
    assert "control characters" in refused(pack(tmp_path / "a", {name: b"1"}), empty(tmp_path))


@given(st.lists(st.tuples(st.integers(0, 10_239), st.integers(0, 255)), max_size=4), st.sampled_from(["w:", "w:gz"]))
def test_any_changed_bytes(changes: list[tuple[int, int]], mode: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = packed(Path(directory, "a"), FILES, mode)
        content = bytearray(path.read_bytes())
        for place, value in changes:
            content[place % len(content)] = value
        path.write_bytes(content)
        used(path)


@given(st.binary(max_size=600), st.sampled_from([b"", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"PK\3\4"]))
def test_any_bytes(content: bytes, magic: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "a").write_bytes(magic + content)
        used(Path(directory, "a"))


def used(path: Path) -> None:
    """Unpack an archive and read of it, and see that nothing is written outside."""
    with one_error():
        try:
            archive.extract(path, empty(path.parent))
        except UserError as error:
            with pytest.raises(UserError, match=f"^{re.escape(str(error))}$"):
                archive.check(path)
            raise
        archive.check(path)
    with one_error():
        archive.read_members(path, ["PKG-INFO"])
    assert set(os.listdir(path.parent)) == {path.name, "out"}


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_limits, "_ALWAYS_MEMBERS", 3)
    assert len(archive.names(packed(tmp_path / "a", {f"p/{number}": b"" for number in range(3)}))) == 3
    path = packed(tmp_path / "b", {f"p/{number}": b"" for number in range(4)})
    assert "more than 3 members" in refused(path, empty(tmp_path))


def test_named_files_right_below_the_top_are_read_in_one_pass(tmp_path: Path) -> None:
    contents = {"pkg-1/docs/setup.py": b"deeper", "pkg-1/pkg.egg-info/PKG-INFO": b"other", **FILES}
    for path in (packed(tmp_path / "a", contents), zipped(tmp_path / "b", contents)):
        wanted = ["setup.py", "PKG-INFO", "pyproject.toml"]
        assert archive.read_members(path, wanted) == {"PKG-INFO": b"Name: pkg\n", "setup.py": b"setup()\n"}
        assert archive.read_members(path, ["src/a.py"]) == {"src/a.py": b"a = 1\n"}
        assert read(path, "pyproject.toml") is None


def test_of_a_flat_archive_the_files_at_its_root_are_read(tmp_path: Path) -> None:
    path = packed(tmp_path / "a", {"tests/setup.py": b"of the tests", "setup.py": b"its own"})
    assert read(path, "setup.py") == b"its own"


def test_a_huge_file_is_not_read_into_memory(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="p/PKG-INFO: more than 8 MiB"):
        read(packed(tmp_path / "a", {"p/PKG-INFO": bytes((8 << 20) + 1)}), "PKG-INFO")


def test_names_are_below_the_top_and_each_once(tmp_path: Path) -> None:
    path = tar(
        tmp_path / "a", (info("./p/", tarfile.DIRTYPE), b""), (info("./p/x"), b""), (info("p/x"), b""), link("p/l", "x")
    )
    assert archive.names(path) == ["x", "l"]


def test_what_is_read_is_of_an_archive_that_can_be_unpacked(tmp_path: Path) -> None:
    path = packed(tmp_path / "pkg-1.tar.gz", {"pkg-1/PKG-INFO": b"x", "pkg-1/data": os.urandom(1 << 20)})
    assert read(path, "PKG-INFO") == b"x"
    path.write_bytes(path.read_bytes()[:600_000])
    with pytest.raises(UserError, match="damaged"):
        read(path, "PKG-INFO")
    twice = tar(tmp_path / "twice", (info("p/PKG-INFO"), b"Name: a"), (info("p/PKG-INFO"), b"Name: b"))
    with pytest.raises(UserError, match="it stands there twice"):
        read(twice, "PKG-INFO")


@pytest.mark.parametrize("field", [b"12 path=p/b\n", b"12 size=512\n", b"14 linkpath=a\n", b"21 hdrcharset=BINARY\n"])
def test_a_header_of_all_members_says_nothing_of_one(tmp_path: Path, field: bytes) -> None:
    first = info("x", tarfile.XGLTYPE)
    first.size = len(field)
    data = first.tobuf(tarfile.GNU_FORMAT) + field + bytes(-len(field) % 512)
    (tmp_path / "a").write_bytes(data + info("p/a").tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    assert re.search("header of all members|two different things of its size", refused(tmp_path / "a", empty(tmp_path)))


@pytest.mark.parametrize("kind", [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_only_a_file_has_content(tmp_path: Path, kind: bytes) -> None:
    hidden = info("p/hidden").tobuf(tarfile.GNU_FORMAT)
    first, second = info("p/a"), info("p/b", kind, "p/a" if kind == tarfile.LNKTYPE else "a")
    second.size = len(hidden)
    data = first.tobuf(tarfile.GNU_FORMAT) + second.tobuf(tarfile.GNU_FORMAT) + hidden + bytes(1024)
    (tmp_path / "a").write_bytes(data)
    assert "p/b: a " in refused(tmp_path / "a", empty(tmp_path))


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
@pytest.mark.parametrize("rest", [b"hidden", b"PK\5\6", b"\0" * 511 + b"x"])
def test_what_is_hidden_behind_the_compressed_data_is_refused(tmp_path: Path, mode: str, rest: bytes) -> None:
    path = packed(tmp_path / "a", FILES, mode)
    path.write_bytes(path.read_bytes() + rest)
    assert "damaged" in refused(path, empty(tmp_path))


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_an_archive_in_several_compressed_parts_is_read(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    plain = packed(tmp_path / "plain", FILES, "w:").read_bytes()
    (tmp_path / "a").write_bytes(compress(plain[:700]) + compress(plain[700:]))
    archive.extract(tmp_path / "a", empty(tmp_path))
    assert tree(tmp_path / "out") == FILES


def test_a_header_that_asks_for_a_gigabyte_of_memory_is_refused(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 28}]
    plain = packed(tmp_path / "plain", FILES, "w:").read_bytes()
    (tmp_path / "a").write_bytes(lzma.compress(plain, filters=filters))
    assert "Memory usage limit exceeded" in refused(tmp_path / "a", empty(tmp_path))


@pytest.mark.parametrize("pack", [packed, zipped])
def test_too_many_directories_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: type) -> None:
    monkeypatch.setattr(archive_limits, "DIRECTORIES", 40)
    path = pack(tmp_path / "a", {f"p/{number}/b/c/d/e/f": b"" for number in range(9)})
    assert "more than 40 directories" in refused(path, empty(tmp_path))
