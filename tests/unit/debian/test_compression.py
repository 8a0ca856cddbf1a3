"""How packages are compressed: what is understood, and what is refused before anything is built."""

from __future__ import annotations

import pytest

from toolkit.core.errors import UserError
from toolkit.debian import compression


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zstd:19", {"DPKG_DEB_COMPRESSOR_TYPE": "zstd", "DPKG_DEB_COMPRESSOR_LEVEL": "19"}),
        ("xz", {"DPKG_DEB_COMPRESSOR_TYPE": "xz"}),
        ("xz:0", {"DPKG_DEB_COMPRESSOR_TYPE": "xz", "DPKG_DEB_COMPRESSOR_LEVEL": "0"}),
        ("none", {"DPKG_DEB_COMPRESSOR_TYPE": "none"}),
    ],
)
def test_kind_and_level_become_what_dpkg_deb_reads(text: str, expected: dict[str, str]) -> None:
    assert compression.parse(text).environment == expected


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("lzma", "DEB_COMPRESSION=lzma: no such compression", "zstd"),
        ("zstd:23", "zstd has no such level", "1 to 22"),
        ("xz:best", "xz has no such level", "0 to 9"),
        ("none:1", "none has no such level", "DEB_COMPRESSION=none"),
    ],
)
def test_what_dpkg_deb_does_not_know_is_refused(text: str, what: str, hint: str) -> None:
    with pytest.raises(UserError, match=what) as raised:
        compression.parse(text)
    assert hint in raised.value.hint
