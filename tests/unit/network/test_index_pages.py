from __future__ import annotations

import pytest
from packaging.version import Version

from toolkit.network import index_pages


@pytest.mark.parametrize(
    ("filename", "name", "version"),
    [
        ("foo_bar-1.0.tar.gz", "foo-bar", "1.0"),
        ("foo-bar-1.0.tar.gz", "foo-bar", "1.0"),
        ("Foo.Bar-1.0.zip", "foo-bar", "1.0"),
        ("foo-bar-1.0.tar.bz2", "foo-bar", "1.0"),
        ("foo-bar-1.0.tgz", "foo-bar", "1.0"),
        ("foo-1.0-1.tar.gz", "foo", "1.0.post1"),
        ("foo_bar-1.0-py3-none-any.whl", "foo_bar", "1.0"),
        ("foo_bar-1.0-py3-none-any.whl", "foo", None),
        ("foo-bar-1.0.tar.gz", "foo", None),
        ("foo-1.0.exe", "foo", None),
        ("foo-latest.tar.gz", "foo", None),
        # A sign of Kelvin, which is a k in lower case.
        ("\u212aivy-1.0.tar.gz", "kivy", None),
        (f"foo-{'1' * 5000}.tar.gz", "foo", None),
        (f"foo-{'1' * 5000}-py3-none-any.whl", "foo", None),
    ],
)
def test_the_version_is_read_from_the_name_of_a_file(filename: str, name: str, version: str | None) -> None:
    assert index_pages.version_of(filename, name) == (Version(version) if version else None)
