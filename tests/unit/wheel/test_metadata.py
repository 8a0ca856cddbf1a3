"""What a wheel says of itself, and what a broken one gets."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.wheel import metadata


def wheel(directory: Path, text: str | None, inside: str = "some_thing-1.0.dist-info") -> Path:
    path = directory / "some_thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("some_thing/vendored/other-1.dist-info/METADATA", "Name: other\nVersion: 1\n")
        if text is not None:
            archive.writestr(f"{inside}/METADATA", text)
            archive.writestr(f"{inside}/licenses/LICENSE", "text")
            archive.writestr(f"{inside}/COPYING", "more")
    return path


@pytest.mark.parametrize("text", ["Name: some-thing\nVersion: 1.0\n", "name: some-thing\r\nversion: 1.0\r\n\r\nx"])
def test_name_and_version_are_read_however_they_are_spelled(tmp_path: Path, text: str) -> None:
    found = metadata.read(wheel(tmp_path, text, "Some.Thing-1.0.dist-info"))
    assert (found.name, found.version) == ("some-thing", "1.0")


@pytest.mark.parametrize(("text", "what"), [("Version: 1.0\n", "no Name"), ("Name: some-thing\n", "no Version")])
def test_a_wheel_without_a_name_or_a_version_is_refused(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(UserError, match=f"METADATA has {what}"):
        metadata.read(wheel(tmp_path, text))


def test_what_is_no_wheel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a wheel"):
        metadata.read(wheel(tmp_path, None))
    (tmp_path / "other.whl").write_text("no archive")
    with pytest.raises(UserError, match="not a wheel"):
        metadata.read(tmp_path / "other.whl")


def test_metadata_that_unpacks_to_more_than_can_be_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="METADATA has no Name"):
        metadata.read(wheel(tmp_path, "Name: some-thing\nVersion: 1.0\n" + "x" * (8 << 20)))


def test_licences_are_found_in_their_directory_and_beside_metadata(tmp_path: Path) -> None:
    found = metadata.licence_texts(wheel(tmp_path, "Name: some-thing\n"))
    assert found == {"COPYING": "more", "licenses/LICENSE": "text"}
