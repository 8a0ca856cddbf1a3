from __future__ import annotations

import pytest

from toolkit.model import archive_names


@pytest.mark.parametrize("ending", archive_names.ENDINGS)
def test_an_archive_is_known_by_its_ending(ending: str) -> None:
    assert archive_names.split(f"foo.bar-1.0{ending}") == ("foo.bar-1.0", ending)


@pytest.mark.parametrize("name", ["foo-1.0.whl", "foo-1.0.tar", "foo-1.0", "tgz", ""])
def test_any_other_name_stays_whole(name: str) -> None:
    assert archive_names.split(name) == (name, "")
