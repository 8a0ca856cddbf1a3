"""Where chroots get their packages from."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.debian import apt_sources
from toolkit.debian.apt_sources import Source

KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
DEB822 = """\
Types: deb deb-src
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security/
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY865UxYJKwYBBAHaRw8BAQdAd7Z0srwuhlB6JKFkcf4HU4SSS/xcRfwEQWzr

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb-src
URIs: http://source.example/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """\
# deb http://comment.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib # the distribution
deb-src http://mirror.example/debian bookworm main
deb [ arch=amd64 signed-by=/etc/apt/keyrings/tool.gpg ] https://tool.example/apt bookworm main
deb [signed-by=/etc/apt/keyrings/tool.gpg] https://flat.example/apt ./
"""
OWN = Source(uri="http://mirror.example/debian", suite="bookworm", components=("main", "contrib"))
TOOL = Source(
    uri="https://tool.example/apt", suite="bookworm", components=("main",), signed_by="/etc/apt/keyrings/tool.gpg"
)


def test_reads_both_formats_of_apt(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(ONE_LINE)
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/debian.sources").write_text(DEB822)
    (tmp_path / "sources.list.d/old.list.save").write_text("deb http://saved.example/debian bookworm main\n")
    assert [source.line for source in apt_sources.read(tmp_path)] == [
        "deb http://mirror.example/debian bookworm main contrib",
        "deb [signed-by=/etc/apt/keyrings/tool.gpg] https://tool.example/apt bookworm main",
        "deb [signed-by=/etc/apt/keyrings/tool.gpg] https://flat.example/apt ./",
        f"deb [signed-by={KEYS}] http://mirror.example/debian bookworm main contrib",
        f"deb [signed-by={KEYS}] http://mirror.example/debian bookworm-updates main contrib",
        "deb http://mirror.example/debian-security/ bookworm-security main",
    ]


def test_another_suite_comes_from_the_same_places_but_not_what_others_offer() -> None:
    security = Source(uri="http://mirror.example/security", suite="bookworm-security", components=("main",))
    backports = Source(uri=OWN.uri, suite="bookworm-backports", components=("main",))
    found = apt_sources.for_suite([TOOL, OWN, security, backports], "trixie", own="bookworm", distribution="debian")
    assert [source.line for source in found] == [
        "deb http://mirror.example/debian trixie main contrib",
        "deb http://mirror.example/security trixie-security main",
    ]


def test_unstable_has_neither_updates_nor_security() -> None:
    updates = Source(uri=OWN.uri, suite="bookworm-updates", components=("main",))
    found = apt_sources.for_suite([OWN, updates], "sid", own="bookworm", distribution="debian")
    assert [source.suite for source in found] == ["sid"]


def test_a_mirror_signed_by_a_company_counts_where_there_is_no_other() -> None:
    [found] = apt_sources.for_suite([TOOL], "trixie", own="bookworm", distribution="debian")
    assert found.line == "deb [signed-by=/etc/apt/keyrings/tool.gpg] https://tool.example/apt trixie main"


def test_a_machine_without_a_source_is_told_to_name_one() -> None:
    with pytest.raises(UserError) as caught:
        apt_sources.for_suite([], "trixie", own="bookworm", distribution="debian")
    assert "MIRROR=" in caught.value.hint


@pytest.mark.parametrize(
    ("mirror", "expected"),
    [
        ("http://other.example/debian", "deb http://other.example/debian trixie main contrib"),
        ("file:/srv/mirror", "deb file:/srv/mirror trixie main contrib"),
        (
            "deb [signed-by=/k.gpg] http://u.example/d trixie main",
            "deb [signed-by=/k.gpg] http://u.example/d trixie main",
        ),
        ("deb http://u.example/d trixie-proposed main", "deb http://u.example/d trixie-proposed main"),
    ],
)
def test_a_mirror_is_a_uri_or_a_line(mirror: str, expected: str) -> None:
    [found] = apt_sources.at_mirror(mirror, "trixie", ("main", "contrib"))
    assert found.line == expected


def test_a_line_of_another_suite_is_refused() -> None:
    with pytest.raises(UserError, match=r"MIRROR=deb http://u\.example/d noble main: this is not trixie"):
        apt_sources.at_mirror("deb http://u.example/d noble main", "trixie", ("main",))


def test_a_mirror_that_is_neither_is_refused() -> None:
    with pytest.raises(UserError, match=r"MIRROR=mirror\.example: neither"):
        apt_sources.at_mirror("mirror.example", "trixie", ("main",))
