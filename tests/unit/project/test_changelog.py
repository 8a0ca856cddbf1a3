"""The newest entry of a changelog, as dpkg reads it too."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.project import changelog

HEADING = "my-project (1:2.0~rc1-1) unstable; urgency=medium\n\n  * New.\n\n"
END = " -- A <a@b.example>  Mon, 02 Nov 2026 10:00:00 +0530\n"
OLDER = "\nmy-project (1.0) unstable; urgency=low\n\n  * Old.\n\n -- B <b@b.example>  Sun, 01 Nov 2026 10:00:00 +0000\n"


def test_it_says_what_dpkg_says(tmp_path: Path) -> None:
    path = tmp_path / "changelog"
    path.write_text(f"\n{HEADING}{END}{OLDER}")
    found = changelog.newest(path.read_text(), path, "my-project")
    fields = [
        process.read(["dpkg-parsechangelog", "--file", path, "--show-field", name]).strip()
        for name in ("Version", "Maintainer", "Date", "Timestamp")
    ]
    signature = found.signature()
    assert [found.version, *signature.text.split("  "), str(signature.timestamp)] == fields
    assert found.line == 2


@pytest.mark.parametrize(
    ("debian", "python"),
    [
        ("1.0", "1.0"),
        ("1:2.0~rc1-3", "2.0rc1"),
        ("1.2-1~bookworm1", "1.2"),
        ("1.2~beta2", "1.2b2"),
        ("1.2~rc1~dev4", "1.2rc1.dev4"),
        ("1.2+dfsg1-2", "1.2"),
        ("1.2+ds", "1.2"),
        ("1.2~bpo12+1", "1.2"),
        ("1.2+deb12u3", "1.2"),
        ("1.2+git20260131", "1.2+git20260131"),
        ("1.2.post4", "1.2.post4"),
    ],
)
def test_a_version_as_python_spells_it(debian: str, python: str) -> None:
    found = changelog.newest(f"xx ({debian}) unstable; urgency=low\n\n  * New.\n\n{END}", Path("c"), "xx")
    assert found.python_version() == python


@pytest.mark.parametrize("debian", ["1.2~20260131", "1.2~git20260131", "2.0+really1.9~x", "1.x"])
def test_a_version_that_python_cannot_spell(debian: str) -> None:
    found = changelog.newest(f"\nxx ({debian}) unstable; urgency=low\n\n{END}", Path("changelog"), "xx")
    with pytest.raises(UserError, match=r"^error: changelog:2: .* is no version of a Python package"):
        found.python_version()


def test_what_a_rebuild_for_a_suite_has_put_before_it_is_not_of_the_source() -> None:
    rebuilt = f"my-project (1.0~bookworm1) bookworm; urgency=medium, binary-only=yes\n\n  * Built.\n\n{END}\n"
    found = changelog.of_source(f"{rebuilt}{HEADING}{END}", Path("changelog"))
    assert (found.version, found.line) == ("1:2.0~rc1-1", 7)
    assert changelog.of_source(f"{HEADING}{END}", Path("changelog")).line == 1
    with pytest.raises(UserError, match="not the heading of an entry"):
        changelog.of_source("nothing\n", Path("changelog"))


@pytest.mark.parametrize(
    "end",
    ["", " -- nobody\n", " -- A <a@b.example>\n", " -- A <a@b.example>  Mon, 45 Nov 2026 10:00:00 +0000\n", OLDER],
)
def test_an_entry_that_nobody_has_signed_has_a_version_and_no_signature(end: str) -> None:
    found = changelog.newest(f"{HEADING}{end}", Path("changelog"), "my-project")
    assert found.version == "1:2.0~rc1-1"
    with pytest.raises(UserError, match=r"changelog:\d: not the last line of an entry"):
        found.signature()
