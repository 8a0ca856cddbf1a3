"""Machines and suites of Ubuntu, by what such a machine says of itself: no archive is reached."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from toolkit.core import os_release, process
from toolkit.core.errors import UserError
from toolkit.debian import apt_sources, chroot, suites

UBUNTU = """\
PRETTY_NAME="Ubuntu {version} LTS"
NAME="Ubuntu"
VERSION_ID="{version}"
VERSION_CODENAME={suite}
ID=ubuntu
ID_LIKE=debian
UBUNTU_CODENAME={suite}
"""
DEBIAN = 'VERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n'
#: /etc/apt/sources.list.d/ubuntu.sources as Ubuntu's installer writes it, with other hosts.
SOURCES = """\
Types: deb
URIs: http://archive.example/ubuntu/
Suites: {suite} {suite}-updates {suite}-backports
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg

Types: deb
URIs: http://security.example/ubuntu/
Suites: {suite}-security
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
"""
#: As `add-apt-repository ppa:...` writes it: its keys are in the file.
PPA = """\
Types: deb
URIs: https://ppa.example/pythons/ppa/ubuntu/
Suites: {suite}
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBFl8fYEBEADQmGZ6pDrwY9iH9DVlwNwTOvOZ7q7lHXPl
 -----END PGP PUBLIC KEY BLOCK-----
"""
DEBIAN_SOURCES = """\
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
KEY = "[signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] "
Machine = Callable[[str, str], None]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return what makes this machine another one, of a suite and release of Ubuntu or else Debian 12."""
    directory = tmp_path / "sources.list.d"
    directory.mkdir()
    monkeypatch.setattr(os_release, "_FILES", (tmp_path / "os-release",))
    monkeypatch.setattr(apt_sources, "read", partial(apt_sources.read, tmp_path))
    monkeypatch.setattr(apt_sources, "KEYRINGS", {name: f"{tmp_path}/{name}.gpg" for name in ("debian", "ubuntu")})
    monkeypatch.setattr(process, "read", lambda words: "amd64\n")
    monkeypatch.setattr(suites, "TABLES", tmp_path)
    (tmp_path / "debian.csv").write_text("version,codename,series\n12,Bookworm,bookworm\n13,Trixie,trixie\n")
    (tmp_path / "ubuntu.csv").write_text(
        "version,codename,series\n24.04 LTS,Noble Numbat,noble\n26.04 LTS,Resolute Raccoon,resolute\n"
    )

    def become(suite: str, version: str) -> None:
        is_debian = suite == "bookworm"
        (tmp_path / "os-release").write_text(DEBIAN if is_debian else UBUNTU.format(suite=suite, version=version))
        if is_debian:
            (directory / "debian.sources").write_text(DEBIAN_SOURCES)
        else:
            # apt reads them in this order.
            (directory / "pythons-ubuntu-ppa.sources").write_text(PPA.format(suite=suite))
            (directory / "ubuntu.sources").write_text(SOURCES.format(suite=suite))

    return become


@pytest.mark.parametrize(("own", "version"), [("noble", "24.04"), ("resolute", "26.04")])
@pytest.mark.parametrize("suite", ["noble", "resolute"])
def test_suites_come_with_updates_and_security_and_without_ppas(
    machine: Machine, own: str, version: str, suite: str
) -> None:
    machine(own, version)
    assert suites.own() == own
    components = "main universe restricted multiverse"
    assert chroot.minimal(suite).sources == (
        f"deb {KEY}http://archive.example/ubuntu/ {suite} {components}",
        f"deb {KEY}http://archive.example/ubuntu/ {suite}-updates {components}",
        f"deb {KEY}http://security.example/ubuntu/ {suite}-security {components}",
    )


def test_a_mirror_has_the_components_of_the_archive_and_not_of_a_ppa(machine: Machine) -> None:
    machine("noble", "24.04")
    [source] = chroot.minimal("noble", "http://near.example/ubuntu").sources
    assert source == "deb http://near.example/ubuntu noble main universe restricted multiverse"


@pytest.mark.parametrize(
    ("own", "suite", "distribution"), [("noble", "trixie", "Debian"), ("bookworm", "noble", "Ubuntu")]
)
def test_a_suite_of_the_other_distribution_wants_a_mirror(
    machine: Machine, own: str, suite: str, distribution: str
) -> None:
    machine(own, "24.04")
    with pytest.raises(UserError) as caught:
        chroot.recipe(None, suite)
    assert caught.value.what == f"{suite} is a suite of {distribution}, of which this machine has no source"
    assert caught.value.hint == f"name a mirror of {distribution}: MIRROR=<URI>"


@pytest.mark.parametrize(
    ("own", "suite", "components", "keyring"),
    [("noble", "trixie", "main", "debian.gpg"), ("bookworm", "noble", "main universe", "ubuntu.gpg")],
)
def test_a_mirror_of_the_other_distribution_needs_its_uri_and_its_keys_alone(
    machine: Machine, tmp_path: Path, own: str, suite: str, components: str, keyring: str
) -> None:
    machine(own, "24.04")
    uri = "http://other.example/archive"
    # The keys may be where apt looks for those of all archives.
    assert chroot.minimal(suite, uri).sources == (f"deb {uri} {suite} {components}",)
    (tmp_path / keyring).touch()
    key = f"[signed-by={tmp_path / keyring}] "
    assert chroot.minimal(suite, uri).sources == (f"deb {key}{uri} {suite} {components}",)
    assert chroot.minimal(suite, f"deb {uri} {suite} main").sources == (f"deb {key}{uri} {suite} main",)
    own_key = "deb [signed-by=/own.gpg] "
    assert chroot.minimal(suite, f"{own_key}{uri} {suite} main").sources == (f"{own_key}{uri} {suite} main",)


@pytest.mark.parametrize(
    ("suite", "package"), [("noble", "Ubuntu's package ubuntu-keyring"), ("trixie", "Debian's package debian-archive-")]
)
def test_keys_that_are_missing_are_named_by_their_distribution(machine: Machine, suite: str, package: str) -> None:
    machine("bookworm", "")
    recipe = chroot.Recipe(suite=suite, architecture="amd64", sources=(f"deb http://m.example/x {suite} main",))
    error = process.CommandError(["mmdebstrap"], 1, "W: GPG error: NO_PUBKEY 871920D1991BC93C\n")
    assert package in chroot.explain(error, recipe, Path("x.log")).hint
