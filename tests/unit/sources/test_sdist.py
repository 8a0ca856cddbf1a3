"""What an sdist says of its requirements, old and new."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.sources import sdist
from toolkit.sources.sdist import Facts


def read(directory: Path, **members: str) -> Facts:
    """Write an sdist and read it; dots of names are spelled `__`, a slash `___`."""
    path = directory / "some-thing-1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for key, text in members.items():
            name = key.replace("PKG_", "PKG-").replace("___", "/").replace("__", ".").replace("egg_", "egg-")
            member = tarfile.TarInfo(f"some-thing-1/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return sdist.read(path, path.name)


def test_metadata_tells_requirements_certain_or_not(tmp_path: Path) -> None:
    found = read(tmp_path, PKG_INFO="Metadata-Version: 2.1\nName: some-thing\nRequires-Dist: one>=1\n")
    assert (found.requires, found.metadata.requires_certain) == (("one>=1",), False)


def test_the_list_of_old_setuptools_is_read_with_its_conditions(tmp_path: Path) -> None:
    text = "one\n\n[:python_version < '3']\ntwo\n\n[Fast_er]\nthree>1\n\n[fast:sys_platform == 'win32']\nfour\n"
    assert read(tmp_path, src___some_thing__egg_info___requires__txt=text).requires == (
        "one",
        "two ; python_version < '3'",
        "three>1 ; extra == 'fast-er'",
        "four ; (sys_platform == 'win32') and extra == 'fast'",
    )


def test_what_pyproject_declares_serves_where_metadata_is_silent(tmp_path: Path) -> None:
    text = '[build-system]\nrequires=[]\n[project]\ndependencies = ["one"]\n'
    assert read(tmp_path, pyproject__toml=text).requires == ("one",)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "some-thing-1.tar.gz"
    path.write_bytes(b"not an archive")
    with pytest.raises(UserError, match="some-thing-1"):
        sdist.read(path, path.name)


def test_a_section_that_never_ends_does_not_take_for_ever() -> None:
    line = "[" + "a" * 1_000_000
    assert list(sdist._from_requires_txt(f"{line}\n[x:python_version < '3']\nsix\n".encode())) == [
        line,
        "six ; (python_version < '3') and extra == 'x'",
    ]
