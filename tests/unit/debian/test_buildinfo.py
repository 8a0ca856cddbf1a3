"""What a .buildinfo tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.debian import buildinfo

TEXT = f"""\
Format: 1.0
Source: some-project (1:1.0)
Binary: worker yc-api-service
Architecture: all amd64
Version: 1:1.0~trixie1
Binary-Only-Changes:
 some-project (1:1.0~trixie1) trixie; urgency=medium, binary-only=yes
 .
   * Built for trixie from the source of 1:1.0.
 .
  -- Some Developer <developer@example.com>  Mon, 02 Nov 2026 10:00:00 +0000
Checksums-Md5:
 {"0" * 32} 3750 worker_1.0~trixie1_all.deb
Checksums-Sha256:
 {"a" * 64} 3750 worker_1.0~trixie1_all.deb
 {"b" * 64} 6488 yc-api-service_1.0~trixie1_amd64.deb
Build-Origin: Debian
Build-Architecture: amd64
Build-Date: Fri, 27 Nov 2026 23:39:18 +0000
Build-Path: /build/python-common/package
Installed-Build-Depends:
 autoconf (= 2.71-3),
 automake (= 1:1.16.5-1.3)
Environment:
 DEB_BUILD_OPTIONS="nocheck parallel=2"
 ODD="a \\"quoted\\" \\\\ word"
"""
SIGNATURE = "-----BEGIN PGP SIGNATURE-----\n\niQIzBAEBCgAdFiEE\n-----END PGP SIGNATURE-----\n"
ENTRY = """\
some-project (1:1.0~trixie1) trixie; urgency=medium, binary-only=yes

  * Built for trixie from the source of 1:1.0.

 -- Some Developer <developer@example.com>  Mon, 02 Nov 2026 10:00:00 +0000
"""


@pytest.mark.parametrize("text", [TEXT, f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{TEXT}\n{SIGNATURE}"])
def test_a_build_is_told_whether_it_is_signed_or_not(tmp_path: Path, text: str) -> None:
    path = tmp_path / "some-project.buildinfo"
    path.write_text(text)
    assert buildinfo.read(path) == buildinfo.Buildinfo(
        path=path,
        dsc="some-project_1.0.dsc",
        version="1:1.0~trixie1",
        sha256={"worker_1.0~trixie1_all.deb": "a" * 64, "yc-api-service_1.0~trixie1_amd64.deb": "b" * 64},
        installed={"autoconf": "2.71-3", "automake": "1:1.16.5-1.3"},
        environment={"DEB_BUILD_OPTIONS": "nocheck parallel=2", "ODD": 'a "quoted" \\ word'},
        entry=ENTRY,
    )


def test_packages_of_the_source_s_own_version_have_no_entry(tmp_path: Path) -> None:
    path = tmp_path / "some-project.buildinfo"
    path.write_text(f"Source: some-project\nVersion: 1.0-1\nChecksums-Sha256:\n {'a' * 64} 1 worker_1.0-1_all.deb\n")
    found = buildinfo.read(path)
    assert (found.dsc, found.entry, found.installed) == ("some-project_1.0-1.dsc", "", {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Source: some-project\n",
        TEXT.replace("Checksums-Sha256", "Checksums-Sha512"),
        TEXT.replace("Source: some-project", "Source: ../some-project"),
        TEXT.replace("Source: some-project", "Source: -o"),
        TEXT.replace("(1:1.0)\nBinary", "(1/../../x)\nBinary"),
        TEXT.replace("Version: 1:1.0", "Version: 1:1/0"),
    ],
)
def test_a_file_that_tells_of_no_build_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "some-project.buildinfo"
    path.write_text(text)
    with pytest.raises(UserError, match="no Source, Version or Checksums-Sha256"):
        buildinfo.read(path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (TEXT.replace("Some Developer", "J\xfcrgen").encode("latin-1"), "not UTF-8"),
        (TEXT.replace("nocheck", "no\0check").encode(), "not a text"),
        (TEXT.encode() + b"#" * (8 << 20), "more than"),
        (TEXT.replace(" some-project (1:1.0~trixie1) t", " other (1:1.0~trixie1) t").encode(), "Binary-Only-Changes"),
    ],
)
def test_a_file_that_no_build_writes_is_refused(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "some-project.buildinfo"
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"{path}: {what}"):
        buildinfo.read(path)


@pytest.mark.parametrize("odd", [f" {'x' * (1 << 20)}\n", " x\n" * (1 << 20)])
def test_a_file_that_is_made_to_take_long_does_not(tmp_path: Path, odd: str) -> None:
    """With work that grows with the square of the length this takes minutes."""
    path = tmp_path / "some-project.buildinfo"
    path.write_text(TEXT.replace(" autoconf (= 2.71-3),\n", odd))
    assert buildinfo.read(path).installed == {"automake": "1:1.16.5-1.3"}
