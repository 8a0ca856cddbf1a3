"""Nothing of where a build took place is in what it makes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from toolkit.build import compilers

SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin"
CODE = "const char *here(void) { return __FILE__; }\n"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    directory = tmp_path / "scratch with a space"
    for name in ("source", ".tmp-random"):
        (directory / name).mkdir(parents=True)
        (directory / name / "code.c").write_text(CODE)
    return directory


def wrap(scratch: Path, source: Path) -> Path:
    record = str(scratch / "record")
    return compilers.wrap(scratch / "compilers", {str(scratch): "."}, str(source), SEARCH_PATH, record)


def compile_in(scratch: Path, directory: Path, *flags: str) -> bytes:
    wrapped = wrap(scratch, scratch / "source")
    subprocess.run(
        ["gcc", "-g", "-c", str(directory / "code.c"), "-o", "code.o", *flags],
        cwd=directory,
        check=True,
        env={"PATH": f"{wrapped}:{SEARCH_PATH}"},
    )
    return (directory / "code.o").read_bytes()


@pytest.mark.parametrize("name", ["source", ".tmp-random"])
def test_no_directory_of_the_build_is_in_an_object(scratch: Path, name: str) -> None:
    made = compile_in(scratch, scratch / name)
    assert b"./code.c" in made
    assert os.fsencode(scratch) not in made
    assert b".tmp-random" not in made


def test_a_map_of_the_backends_own_does_not_bring_one_back(scratch: Path) -> None:
    temporary, source = scratch / ".tmp-random", scratch / "source"
    made = compile_in(scratch, temporary, f"-ffile-prefix-map={temporary}={source}")
    assert os.fsencode(scratch) not in made


def test_a_tree_outside_the_scratch_directory_is_hidden_too(scratch: Path, tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.mkdir()
    (local / "code.c").write_text(CODE)
    wrapped = wrap(scratch, local)
    subprocess.run(
        ["gcc", "-c", str(local / "code.c"), "-o", "code.o"],
        cwd=local,
        check=True,
        env={"PATH": f"{wrapped}:{SEARCH_PATH}"},
    )
    assert os.fsencode(local) not in (local / "code.o").read_bytes()


def test_only_compilers_that_are_there_have_a_stand_in(scratch: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    source = str(scratch / "source")
    wrapped = compilers.wrap(scratch / "compilers", {str(scratch): "."}, source, str(empty), os.devnull)
    assert list(wrapped.iterdir()) == []
