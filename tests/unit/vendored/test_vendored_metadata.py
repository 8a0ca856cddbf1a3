"""What vendored files say of their requirements, old and new, source and wheel."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.model.lock import Distribution, Kind, VendoredFile
from toolkit.vendored import vendored_metadata
from toolkit.vendored.vendored_metadata import Said


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def read(path: Path, kind: Kind = "sdist") -> Said:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    file = VendoredFile(name=path.name, size=path.stat().st_size, sha256=digest)
    item = Distribution(name="some-thing", version="1", kind=kind, files=(file,))
    return vendored_metadata.read_all([item], path.parent)["some-thing==1"]


def sdist(directory: Path, **members: str) -> Path:
    """Write an sdist; dots of names are spelled `__`."""
    path = directory / "some-thing-1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for key, text in members.items():
            name = key.replace("__", ".").replace("PKG_", "PKG-")
            member = tarfile.TarInfo(f"some-thing-1/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def test_metadata_and_build_system(tmp_path: Path) -> None:
    path = sdist(
        tmp_path,
        PKG_INFO="Metadata-Version: 2.2\nName: some-thing\nRequires-Dist: one>=1\n",
        pyproject__toml='[build-system]\nrequires = ["maker"]\n',
    )
    assert read(path) == Said(requires=("one>=1",), build=("maker",))


def test_an_sdist_from_before_build_systems_is_built_with_setuptools(tmp_path: Path) -> None:
    path = sdist(tmp_path, PKG_INFO="Metadata-Version: 1.1\nName: some-thing\n")
    assert read(path).build == ("setuptools>=40.8.0",)


def test_the_list_of_old_setuptools_is_read_with_its_conditions(tmp_path: Path) -> None:
    text = "one\n\n[:python_version < '3']\ntwo\n\n[Fast_er]\nthree>1\n\n[fast:sys_platform == 'win32']\nfour\n"
    path = tmp_path / "some-thing-1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("some-thing-1/src/some_thing.egg-info/requires.txt")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text.encode()))
    assert read(path).requires == (
        "one",
        "two ; python_version < '3'",
        "three>1 ; extra == 'fast-er'",
        "four ; (sys_platform == 'win32') and extra == 'fast'",
    )


def test_what_pyproject_declares_serves_where_metadata_is_silent(tmp_path: Path) -> None:
    path = sdist(tmp_path, pyproject__toml='[build-system]\nrequires=[]\n[project]\ndependencies = ["one"]\n')
    assert read(path) == Said(requires=("one",))


def test_a_wheel(tmp_path: Path) -> None:
    path = tmp_path / "some_thing-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("some_thing.py", "")
        archive.writestr("some_thing-1.dist-info/METADATA", "Name: some-thing\nRequires-Dist: one\n")
    assert read(path, "wheels") == Said(requires=("one",))


def test_what_was_read_is_kept_by_the_files_hash(tmp_path: Path) -> None:
    path = sdist(tmp_path, PKG_INFO="Requires-Dist: one\n")
    first = read(path)
    kept = list((tmp_path / "cache").rglob("*.json"))
    assert len(kept) == 1
    kept[0].write_text("{")
    assert read(path) == first


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "some-thing-1.tar.gz"
    path.write_bytes(b"not an archive")
    with pytest.raises(UserError, match="some-thing-1"):
        read(path)


def test_a_missing_file_says_nothing(tmp_path: Path) -> None:
    file = VendoredFile(name="gone-1.tar.gz", size=1, sha256="0")
    gone = Distribution(name="gone", version="1", kind="sdist", files=(file,))
    assert vendored_metadata.read_all([gone], tmp_path) == {}
