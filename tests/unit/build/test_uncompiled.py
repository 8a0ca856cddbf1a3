"""What a build could not compile, and did without, is told; what was only tried is not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from toolkit.build import compilers, system_headers, uncompiled

PATH = "/usr/local/bin:/usr/bin:/bin"
WRONG = '#include "own.h"\n#include <odd/missing.h>\nint x;\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a source tree with an extension that does not compile, and one that does."""
    tree = tmp_path / "source"
    for name, text in {
        "fast/_speedups.c": WRONG,
        "fast/own.h": "#include <also_missing.h>\n",
        "fast/_fine.c": "int y;\n",
        "fast/_cython.pyx": 'cdef extern from "gone.h":\n    int z\n',
        "other/_speedups.c": WRONG,
        "cmake/check_sse.c": WRONG,
        "tests/broken.c": WRONG,
    }.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    return tree


class Build:
    """Compilers as a build finds them."""

    def __init__(self, directory: Path, tree: Path) -> None:
        self.record, self.tree = directory / "record with a blank", tree
        made = compilers.wrap(directory / "compilers", {str(directory): "."}, str(tree), PATH, str(self.record))
        self.environment = {"PATH": f"{made}:{PATH}"}

    def compile(self, *words: str, directory: Path | None = None) -> int:
        command = ["gcc", "-c", *words, "-o", os.devnull]
        done = subprocess.run(
            command, cwd=directory or self.tree, env=self.environment, capture_output=True, check=False
        )
        return done.returncode

    def lacks(self) -> tuple[str, ...]:
        return uncompiled.read(self.record, self.tree)[0]


@pytest.fixture
def build(tmp_path: Path, tree: Path) -> Build:
    return Build(tmp_path, tree)


def test_what_did_not_compile_is_told_by_its_path_in_the_tree(build: Build) -> None:
    assert build.compile("fast/_fine.c") == 0
    assert build.compile("fast/_speedups.c") == build.compile("../fast/_speedups.c", directory=build.tree / "fast") == 1
    assert build.lacks() == ("fast/_speedups.c",)


def test_what_compiled_in_the_end_is_there(build: Build) -> None:
    assert build.compile("-DONE", "fast/_fine.c", "-fno-such-flag") == 1
    assert build.compile("fast/_fine.c") == 0
    assert build.compile("-fno-such-flag", "fast/_fine.c") == 1
    assert build.lacks() == ()


@pytest.mark.parametrize(
    "place",
    [
        "cmake/sse.c",
        "config/sse.c",
        "tests/broken.c",
        "src/check_sse.c",
        "src/simdtest.c",
        "build/CMakeFiles/CMakeScratch/TryCompile-x/_fine.c",
        "build/meson-private/tmp1/testfile.c",
        "conftest.c",
        "_configtest.c",
        "out/flag_check.c",
    ],
)
def test_what_is_there_to_be_tried_is_not_told(build: Build, place: str) -> None:
    (build.tree / place).parent.mkdir(parents=True, exist_ok=True)
    (build.tree / place).write_text(WRONG)
    assert build.compile(place) == 1
    assert build.lacks() == ()


def test_a_probe_outside_of_the_tree_is_none_of_its_files(build: Build, tmp_path: Path) -> None:
    for name in ("probe.c", "_cython.c", "_speedups.c"):
        (tmp_path / name).write_text(WRONG)
        assert build.compile(str(tmp_path / name)) == 1
    assert build.lacks() == ()


def test_a_copy_that_failed_is_no_loss_where_the_source_itself_compiled(build: Build, tmp_path: Path) -> None:
    (tmp_path / "copy/fast").mkdir(parents=True)
    (tmp_path / "copy/fast/_fine.c").write_text(WRONG)
    assert build.compile(str(tmp_path / "copy/fast/_fine.c")) == 1
    assert build.compile("fast/_fine.c") == 0
    assert build.lacks() == ()


def test_c_that_was_made_of_cython_and_a_copy_of_the_tree_are_known(build: Build, tmp_path: Path) -> None:
    for place in ("other/_speedups.c", "fast/_cython.c"):
        copy = tmp_path / ".tmp-build" / place
        copy.parent.mkdir(parents=True)
        copy.write_text(WRONG)
        assert build.compile(copy.name, directory=copy.parent) == 1
    assert build.lacks() == ("fast/_cython.pyx", "other/_speedups.c")


def test_a_tree_of_any_depth_is_looked_at(build: Build) -> None:
    subprocess.run(["sh", "-c", "for n in $(seq 1500); do mkdir d && cd d; done"], cwd=build.tree, check=True)
    try:
        assert build.compile("fast/_speedups.c") == 1
        assert build.lacks() == ("fast/_speedups.c",)
    finally:
        # shutil of 3.11 does not get that deep.
        subprocess.run(["rm", "-r", build.tree / "d"], check=True)


def test_of_a_log_only_what_is_about_a_source_counts() -> None:
    output = "_configtest.c:1:10: fatal error: sys/endian.h: No such file\ncompilation terminated.\n1\n2\n3\n"
    output += "In file included from fast/_speedups.c:1:\nfast/own.h:1:10: fatal error: yaml.h: No such file\n"
    told = uncompiled.about(output, ["fast/_speedups.c"])
    assert "yaml.h" in told and "sys/endian.h" not in told


@pytest.mark.parametrize("content", [b"", b"\n\t\t\n", b"1\n", b"\xff\t\xff\t\xff.c\n", b"1\t/\t\x00.c\n", None])
def test_a_record_may_hold_anything(build: Build, content: bytes | None) -> None:
    if content is None:
        build.record.symlink_to("/dev/zero")
    else:
        build.record.write_bytes(content)
    assert build.lacks() == ()


def test_headers_that_come_or_change_are_another_state(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    include = tmp_path / "include"
    (include / "x86_64-linux-gnu" / "odd").mkdir(parents=True)
    monkeypatch.setattr(system_headers, "_PLACES", (str(include),))
    first = uncompiled.state(build.tree, ["fast/_speedups.c"])
    assert first.keys() == {"", "also_missing.h", "odd/missing.h"}
    names = [name for name in first if name]
    assert uncompiled.now(names) == first
    header = include / "x86_64-linux-gnu" / "odd" / "missing.h"
    header.touch()
    second = uncompiled.now(names)
    assert second != first
    header.write_text("int known;\n")
    assert uncompiled.now(names) not in (first, second)
    assert uncompiled.state(build.tree, ["fast/_cython.pyx"]).keys() == {"", "_cython.pxd", "gone.h"}
