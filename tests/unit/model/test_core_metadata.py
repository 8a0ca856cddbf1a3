"""Core metadata as all sorts of builders write it."""

from __future__ import annotations

import pytest

from toolkit.model import core_metadata
from toolkit.model.core_metadata import CoreMetadata

TEXT = """\
Metadata-Version: 2.2
Name: some-thing
Version: 1.0
Requires-Python: >=3.11
Requires-Dist: one>=1
Requires-Dist: two ; extra == 'more'
Provides-Extra: Some_More
Author: J\N{LATIN SMALL LETTER U WITH DIAERESIS}rgen
License-Expression: MIT

Name: not-this
"""
READ = CoreMetadata(
    name="some-thing",
    version="1.0",
    requires_python=">=3.11",
    requires=("one>=1", "two ; extra == 'more'"),
    requires_certain=True,
    extras=("some-more",),
    authors=("J\N{LATIN SMALL LETTER U WITH DIAERESIS}rgen",),
    licence_expression="MIT",
)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("Name:", "name:").replace("Version:", "VERSION:").replace("Requires-Dist", "requires-dist"),
        TEXT.replace("Version: 1.0", "Version:1.0  "),
    ],
)
def test_line_endings_case_of_names_and_spaces_do_not_matter(text: str) -> None:
    assert core_metadata.parse(text.encode()) == READ


@pytest.mark.parametrize(
    ("version", "dynamic", "certain"),
    [("2.2", "", True), ("2.4", "Version", True), ("2.2", "requires-dist", False), ("2.1", "", False), ("", "", False)],
)
def test_requirements_are_certain_where_the_version_of_metadata_can_say_so(
    version: str, dynamic: str, certain: bool
) -> None:
    text = f"Metadata-Version: {version}\nDynamic: {dynamic}\nRequires-Dist: one\n"
    assert core_metadata.parse(text.encode()).requires_certain == certain


def test_what_old_setuptools_did_not_know_is_empty() -> None:
    assert core_metadata.parse(b"Summary: UNKNOWN\nLicense: UNKNOWN\nAuthor: UNKNOWN\n") == CoreMetadata()


def test_a_licence_in_words_is_one_line_or_what_classifiers_say() -> None:
    assert core_metadata.parse(b"License: BSD\n").licence == "BSD"
    text = b"License: Permission is\n        granted\nClassifier: License :: OSI Approved :: MIT License\n"
    assert core_metadata.parse(text).licence == "MIT License"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"no header at all", b"\n\nName: x\n"])
def test_what_is_no_metadata_says_nothing(content: bytes) -> None:
    assert core_metadata.parse(content) == CoreMetadata()


@pytest.mark.parametrize("version", ["9" * 5000, "2." + "9" * 5000, "2", "x", "", "2.1"])
def test_a_version_of_the_metadata_that_is_none_makes_nothing_certain(version: str) -> None:
    assert not core_metadata.parse(f"Metadata-Version: {version}\nName: x\n".encode()).requires_certain
