"""cargo's directory source: crates that are unpacked once, and stubs of those that nobody compiles."""

import hashlib
import io
import json
import os
import tarfile
import tomllib
from pathlib import Path

import pytest

from toolkit.build.crate_layout import CrateLayout, CrateSource
from toolkit.core.errors import UserError
from toolkit.model.crates import CRATES_IO
from toolkit.model.lock import Crate

MANIFEST = b'[package]\nname = "outer"\nversion = "1.0.0"\n'


def archive(tmp_path: Path, top: str = "outer-1.0.0", name: str = "src/lib.rs", link: str = "") -> CrateSource:
    path = tmp_path / "outer-1.0.0.crate"
    with tarfile.open(path, "w:gz") as made:
        manifest = tarfile.TarInfo(f"{top}/Cargo.toml")
        manifest.size = len(MANIFEST)
        made.addfile(manifest, io.BytesIO(MANIFEST))
        member = tarfile.TarInfo(f"{top}/{name}")
        if link:
            member.type, member.linkname = tarfile.SYMTYPE, link
        made.addfile(member, io.BytesIO())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return CrateSource(crate=Crate(name="outer", version="1.0.0", sha256=digest, source=CRATES_IO), path=path)


def lay_out(tmp_path: Path, crates: list[CrateSource], name: str = "crates") -> None:
    CrateLayout(unpacked=tmp_path / "unpacked").lay_out(crates, tmp_path / name)


def stub(line: object, source: str = CRATES_IO) -> CrateSource:
    text = line if isinstance(line, str) else json.dumps(line)
    crate = Crate(name="far", version="2.0.0", sha256="f" * 64, source=source, index_line=text)
    return CrateSource(crate=crate, path=None)


def test_a_crate_is_unpacked_with_the_checksum_of_its_archive(tmp_path: Path) -> None:
    source = archive(tmp_path)
    lay_out(tmp_path, [source])
    directory = tmp_path / "crates" / "outer-1.0.0"
    assert sorted(os.listdir(tmp_path / "crates")) == ["outer-1.0.0"]
    assert (directory / "src" / "lib.rs").exists()
    checksum = json.loads((directory / ".cargo-checksum.json").read_text())
    assert checksum == {"files": {}, "package": source.crate.sha256}


@pytest.mark.parametrize(
    ("top", "name", "link", "what"),
    [
        ("other-1.0.0", "a", "", "it holds something else than outer-1.0.0/"),
        (".", "a", "", "it holds something else than outer-1.0.0/"),
        ("outer-1.0.0", "../../../escaped", "", "escaped"),
        ("outer-1.0.0", "a", "/etc/passwd", "a link out of the archive"),
    ],
)
def test_a_crate_that_is_not_what_it_says_is_refused(tmp_path: Path, top: str, name: str, link: str, what: str) -> None:
    with pytest.raises(UserError, match=what):
        lay_out(tmp_path, [archive(tmp_path, top, name, link)])
    assert not (tmp_path / "escaped").exists()


def test_a_crate_with_other_bytes_is_refused(tmp_path: Path) -> None:
    source = archive(tmp_path)
    (tmp_path / "outer-1.0.0.crate").write_bytes(b"other")
    with pytest.raises(UserError, match="not the crate that is locked"):
        lay_out(tmp_path, [source])


def test_a_stub_says_what_the_registry_says(tmp_path: Path) -> None:
    line = {
        "deps": [
            {"name": "plain", "req": "^1", "features": ["a"], "optional": False, "default_features": False},
            {"name": "new", "package": "old", "req": "=2.0", "optional": True, "target": "cfg(windows)"},
            {"name": "cc", "req": "*", "kind": "build"},
            {"name": "tested", "req": "*", "kind": "dev"},
        ],
        "features": {"a": ["b", 'plain/"x']},
        "features2": {"b": ["dep:new"]},
        "links": "far",
    }
    lay_out(tmp_path, [stub(line)])
    directory = tmp_path / "crates" / "far-2.0.0"
    assert tomllib.loads((directory / "Cargo.toml").read_text()) == {
        "package": {"name": "far", "version": "2.0.0", "edition": "2021", "links": "far"},
        "dependencies": {"plain": {"version": "^1", "features": ["a"], "optional": False, "default-features": False}},
        "target": {
            "cfg(windows)": {
                "dependencies": {
                    "new": {
                        "version": "=2.0",
                        "package": "old",
                        "features": [],
                        "optional": True,
                        "default-features": True,
                    }
                }
            }
        },
        "build-dependencies": {"cc": {"version": "*", "features": [], "optional": False, "default-features": True}},
        "features": {"a": ["b", 'plain/"x'], "b": ["dep:new"]},
    }
    assert (directory / "src" / "lib.rs").read_text() == ""
    assert json.loads((directory / ".cargo-checksum.json").read_text())["package"] == "f" * 64


def test_a_stub_of_another_registry_names_it(tmp_path: Path) -> None:
    other = "sparse+https://own.example/"
    lay_out(tmp_path, [stub({"deps": [{"name": "near", "req": "1"}]}, other)])
    found = tomllib.loads((tmp_path / "crates" / "far-2.0.0" / "Cargo.toml").read_text())
    assert found["dependencies"]["near"]["registry-index"] == other


@pytest.mark.parametrize("line", ["[]", "{", '{"deps": 5}', {"deps": [{"name": "a"}]}, {"features": {"a": "b"}}])
def test_a_line_that_makes_no_sense_is_an_error(tmp_path: Path, line: object) -> None:
    with pytest.raises(UserError, match="no sound line of an index"):
        lay_out(tmp_path, [stub(line)])


def test_a_crate_is_unpacked_once_for_all_builds(tmp_path: Path) -> None:
    source = archive(tmp_path, name=".cargo-checksum.json")
    layout = CrateLayout(unpacked=tmp_path / "unpacked")
    layout.lay_out([source], tmp_path / "first")
    (tmp_path / "outer-1.0.0.crate").unlink()
    layout.lay_out([source], tmp_path / "second")
    first, second = (tmp_path / name / "outer-1.0.0" / ".cargo-checksum.json" for name in ("first", "second"))
    assert first.samefile(second)
    assert json.loads(first.read_text())["package"] == source.crate.sha256
