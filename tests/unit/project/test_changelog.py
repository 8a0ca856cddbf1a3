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
    "end",
    ["", " -- nobody\n", " -- A <a@b.example>\n", " -- A <a@b.example>  Mon, 45 Nov 2026 10:00:00 +0000\n", OLDER],
)
def test_an_entry_that_nobody_has_signed_has_a_version_and_no_signature(end: str) -> None:
    found = changelog.newest(f"{HEADING}{end}", Path("changelog"), "my-project")
    assert found.version == "1:2.0~rc1-1"
    with pytest.raises(UserError, match=r"changelog:\d: not the last line of an entry"):
        found.signature()
