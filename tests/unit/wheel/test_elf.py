from __future__ import annotations

import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from tests.elf_files import make_noted_library
from toolkit.wheel import elf


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("elf")
    (directory / "x.c").write_text("#include <stdlib.h>\nint answer(void) { return abs(rand()); }\n")
    path = directory / "libx.so"
    words: list[str | Path] = [
        "gcc",
        "-shared",
        "-fPIC",
        "-Wl,-rpath,$ORIGIN/../x.libs:/build/y",
        "-o",
        path,
        directory / "x.c",
    ]
    subprocess.run(words, check=True)
    return path


def test_the_search_paths_of_a_library(library: Path) -> None:
    found = elf.read(library)
    assert found
    assert found.search_paths == ("$ORIGIN/../x.libs", "/build/y")
    assert found.needed == ("libc.so.6",)


def test_the_machine_is_that_of_the_interpreter(library: Path) -> None:
    one, other = elf.read(library), elf.read(Path("/usr/bin/python3").resolve())
    assert one
    assert other
    assert one.machine == other.machine
    assert other.search_paths == ()
    assert one.machine[0] == (2 if sys.maxsize > 1 << 32 else 1)


@pytest.mark.parametrize("length", [0, 3, 4, 18, 40, 64, 300])
def test_what_is_no_whole_elf_file_is_none(library: Path, tmp_path: Path, length: int) -> None:
    path = tmp_path / "x.so"
    path.write_bytes(library.read_bytes()[:length])
    assert elf.read(path) is None


def test_tables_that_lead_anywhere_are_no_elf_file(library: Path, tmp_path: Path) -> None:
    content = bytearray(library.read_bytes())
    path, whole = tmp_path / "x.so", elf.read(library)
    assert whole
    for place in range(64 + 8, 64 + 56 * 8, 8):
        path.write_bytes(content[:place] + b"\xff" * 8 + content[place + 8 :])
        found = elf.read(path)
        assert found is None or found.machine == whole.machine


def test_the_libraries_that_one_says_it_opens(tmp_path: Path) -> None:
    path = make_noted_library(
        tmp_path / "libx.so",
        '[{"soname": ["libbpf.so.1", "libbpf.so.0"], "feature": "bpf", "priority": "required"}]',
        '[{"soname": ["libzstd.so.1"]}, {"soname": ["libidn2.so.0"], "priority": "suggested"}]',
    )
    found = elf.read(path)
    assert found
    assert found.opened == (("libbpf.so.1", "libbpf.so.0"), ("libzstd.so.1",))


@pytest.mark.parametrize("text", ["", "[", "{}", "[1]", "[{}]", '[{"soname": "libx.so"}]', '[{"soname": ["a\\nb"]}]'])
def test_notes_of_another_form_say_nothing(tmp_path: Path, text: str) -> None:
    found = elf.read(make_noted_library(tmp_path / "libx.so", text))
    assert found
    assert found.opened == ()


def test_other_files_are_no_elf_files(tmp_path: Path) -> None:
    (tmp_path / "libx.so").write_text("INPUT(libx.so.1)\n")
    assert elf.read(tmp_path / "libx.so") is None
    assert elf.read(tmp_path / "missing") is None


def crafted(path: Path, segments: list[tuple[int, int, int]], content: bytes) -> Path:
    """Write a file of 64 bits with segments, each a type, a place in the content and a size."""
    start = 64 + 56 * len(segments)
    header = b"\x7fELF\2\1\1" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, len(segments), 0, 0, 0)
    rows = (struct.pack("<II6Q", kind, 4, start + at, at, at, size, size, 8) for kind, at, size in segments)
    path.write_bytes(header + b"".join(rows) + content)
    return path


def peak(path: Path) -> tuple[elf.Elf | None, int]:
    """Return what is read, and how much memory that took."""
    tracemalloc.start()
    try:
        return elf.read(path), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


NOTE_SEGMENT, LOAD_SEGMENT, DYNAMIC_SEGMENT = 4, 1, 2


@pytest.mark.parametrize("kind", [0, 0x407C0C0A])
def test_many_segments_of_the_same_notes_take_little(tmp_path: Path, kind: int) -> None:
    """With a copy of the rest at each note this takes minutes."""
    notes = struct.pack("<3I", 0, 0, kind) * 80_000
    path = crafted(tmp_path / "libx.so", [(NOTE_SEGMENT, 0, len(notes))] * 500, notes)
    found, most = peak(path)
    assert found
    assert found.opened == ()
    assert most < 4e6


@pytest.mark.parametrize(("count", "length"), [(30_000, 500_000), (30_000, 50_000), (200_000, 0)])
def test_many_entries_of_the_same_text_take_little(tmp_path: Path, count: int, length: int) -> None:
    entries = [(5, 0), (10, length + 1), *[(1, 0)] * count, (0, 0)]
    content = b"x" * length + b"\0" + b"".join(struct.pack("<qQ", *entry) for entry in entries)
    segments = [(LOAD_SEGMENT, 0, length + 1), (DYNAMIC_SEGMENT, length + 1, 16 * len(entries))]
    found, most = peak(crafted(tmp_path / "libx.so", segments, content))
    assert found is None
    assert most < 24e6


def test_a_crafted_file_is_read(tmp_path: Path) -> None:
    entries = [(5, 0), (10, 8), (1, 0), (0, 0)]
    content = b"libc.so\0" + b"".join(struct.pack("<qQ", *entry) for entry in entries)
    path = crafted(tmp_path / "libx.so", [(LOAD_SEGMENT, 0, 8), (DYNAMIC_SEGMENT, 8, 64)], content)
    assert elf.read(path) == elf.Elf((2, 1, 62), needed=("libc.so",))
