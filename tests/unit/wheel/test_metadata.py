"""What a wheel says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wheel_files import make_wheel
from toolkit.core.errors import UserError
from toolkit.wheel import metadata


@pytest.mark.parametrize("text", ["Name: some-thing\nVersion: 1.0\n", "name: Some.Thing\r\nversion: 1.0.0\r\n\r\nx"])
def test_name_and_version_are_read_however_they_are_spelled(tmp_path: Path, text: str) -> None:
    others = {"some_thing/vendored/other-1.dist-info/METADATA": "Name: other\nVersion: 1\n"}
    found = metadata.read(make_wheel(tmp_path, "some-thing", others, inside={"METADATA": text.encode()}))
    assert found.name.lower().replace(".", "-") == "some-thing"
    assert found.version.startswith("1.0")


def test_what_is_no_wheel_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some_thing-1.0-py3-none-any.whl"
    path.write_text("no archive")
    with pytest.raises(UserError, match="is not a sound wheel"):
        metadata.read(path)


def test_metadata_that_unpacks_to_more_than_can_be_is_not_read(tmp_path: Path) -> None:
    text = b"Name: some-thing\nVersion: 1.0\n" + b"x" * (8 << 20)
    with pytest.raises(UserError, match="METADATA: more than 8 MiB"):
        metadata.read(make_wheel(tmp_path, "some-thing", {}, inside={"METADATA": text}))


def test_licences_are_found_in_their_directory_and_beside_metadata(tmp_path: Path) -> None:
    files = {"dist-info/licenses/LICENSE": "text", "dist-info/COPYING": "more", "some_thing/COPYING": "no"}
    found = metadata.licence_texts(make_wheel(tmp_path, "some-thing", files))
    assert found == {"COPYING": "more", "licenses/LICENSE": "text"}
