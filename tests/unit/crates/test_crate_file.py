"""The archives of crates, which may be anything."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.crates import crate_file
from toolkit.model.lock import Crate

_CRATE = Crate(name="foo", version="1.0.0+x", sha256="", source="")
_MANIFEST = '[package]\nname = "foo"\nversion = "1.0.0+x"\n'


def _archive(directory: Path, files: dict[str, str]) -> Path:
    path = directory / "foo-1.0.0+x.crate"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def test_a_crate_stands_in_a_directory_of_its_name(tmp_path: Path) -> None:
    crate_file.check(_archive(tmp_path, {"foo-1.0.0+x/Cargo.toml": _MANIFEST, "foo-1.0.0+x/a/Cargo.toml": "?"}), _CRATE)


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({}, "it holds something else than foo-1.0.0+x/ with a Cargo.toml"),
        ({"Cargo.toml": _MANIFEST}, "it holds something else than foo-1.0.0+x/ with a Cargo.toml"),
        ({"foo-1.0.0+x/lib.rs": ""}, "it holds something else than foo-1.0.0+x/ with a Cargo.toml"),
        ({"foo-2.0.0/Cargo.toml": _MANIFEST}, "it holds something else than foo-1.0.0+x/ with a Cargo.toml"),
        (
            {"foo-1.0.0+x/Cargo.toml": _MANIFEST, "bar-1.0.0/Cargo.toml": _MANIFEST},
            "it holds something else than foo-1.0.0+x/ with a Cargo.toml",
        ),
        ({"foo-1.0.0+x/Cargo.toml": _MANIFEST.replace("foo", "bar")}, "its Cargo.toml is that of bar 1.0.0+x"),
        ({"foo-1.0.0+x/Cargo.toml": _MANIFEST.replace("1.0.0", "1.0.1")}, "its Cargo.toml is that of foo 1.0.1+x"),
        ({"foo-1.0.0+x/Cargo.toml": "[package]\nname = 5"}, "its Cargo.toml: package.name is no text: `5`"),
        ({"foo-1.0.0+x/Cargo.toml": "[workspace]"}, "its Cargo.toml: package is missing"),
    ],
)
def test_what_is_another_crate_is_refused(tmp_path: Path, files: dict[str, str], what: str) -> None:
    with pytest.raises(UserError) as caught:
        crate_file.check(_archive(tmp_path, files), _CRATE)
    assert caught.value.what == f"foo-1.0.0+x.crate: {what}"
    assert "find out where it came from" in caught.value.hint


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "foo-1.0.0+x.crate"
    path.write_bytes(_archive(tmp_path, {"foo-1.0.0+x/Cargo.toml": _MANIFEST}).read_bytes()[:-20])
    with pytest.raises(UserError, match="damaged, or not an archive"):
        crate_file.check(path, _CRATE)
