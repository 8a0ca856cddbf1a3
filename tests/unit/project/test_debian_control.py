from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from toolkit.core.errors import UserError
from toolkit.project import debian_control
from toolkit.project.discovery import Package

CONTROL = """\
# The packages of the project.
Source: my-project
Build-Depends: debhelper-compat (= 13), python3-dev:any <!nocheck>,
# a comment inside a field
 python3-packaging | other [amd64]
Build-Depends-Indep: dh-sequence-x
Rules-Requires-Root: no

Package: yc-my-service
Architecture: any
Depends: ${python3:Depends}
Description: a service
 with a long description
 .
 of two paragraphs

Package: plain
Architecture: all
"""
CHANGELOG = """\
my-project (1:2.0~rc1) unstable; urgency=medium

  * New.

 -- A <a@b.example>  Mon, 02 Nov 2026 10:00:00 +0000
"""


@pytest.fixture
def debian(workspace: Workspace) -> Path:
    workspace.write(
        {
            "debian/control": CONTROL,
            "debian/changelog": CHANGELOG,
            "debian/rules": "#!/usr/bin/make -f\n%:\n\tdh $@\n",
            "debian/source/format": "3.0 (native)\n",
        }
    )
    return workspace.root / "debian"


def _service(name: str) -> Package:
    return Package(path=Path("/project", name), name=name, is_service=True)


def test_reads_what_debian_says(debian: Path) -> None:
    found = debian_control.read(debian)
    assert (found.name, found.version, found.file_version, found.upstream_version) == (
        "my-project",
        "1:2.0~rc1",
        "2.0~rc1",
        "2.0~rc1",
    )
    assert found.is_native
    assert not found.needs_root
    assert list(found.binaries) == ["yc-my-service", "plain"]
    assert found.binaries["plain"].line == 17


def test_knows_the_names_in_build_depends_without_versions_architectures_and_profiles(debian: Path) -> None:
    assert debian_control.read(debian).build_depends == {
        "debhelper-compat",
        "python3-dev",
        "python3-packaging",
        "other",
        "dh-sequence-x",
    }


def test_takes_the_upstream_version_from_a_version_with_a_revision(debian: Path) -> None:
    (debian / "source/format").write_text("3.0 (quilt)\n")
    (debian / "changelog").write_text("my-project (2:1.0-rc-3) unstable; urgency=low\n")
    found = debian_control.read(debian)
    assert (found.upstream_version, found.is_native) == ("1.0-rc", False)


@pytest.mark.parametrize(("service", "package"), [("my_service", "yc-my-service"), ("plain", "plain")])
def test_a_service_has_the_package_with_or_without_the_namespace(debian: Path, service: str, package: str) -> None:
    assert debian_control.read(debian).package_of(_service(service), "yc") == package


def test_names_the_stanza_to_add_for_a_service_without_package(debian: Path) -> None:
    with pytest.raises(UserError, match="no binary package for the service other") as caught:
        debian_control.read(debian).package_of(_service("other"), "yc")
    assert "Package: yc-other" in caught.value.hint


def test_refuses_two_packages_for_one_service(debian: Path) -> None:
    (debian / "control").write_text(f"{CONTROL}\nPackage: my-service\nArchitecture: any\n")
    with pytest.raises(UserError, match="yc-my-service and my-service are both"):
        debian_control.read(debian).package_of(_service("my_service"), "yc")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("control", "Package: a\n", r"control:1: the first paragraph has no field `Source`"),
        ("control", "", r"control:1: the first paragraph"),
        ("control", "Source: a\n\nPackage: b\n", r"control:3: a paragraph without `Architecture`"),
        ("control", "Source: a\nSection: b\nSource: c\n", r"control:3: a second `Source`"),
        ("control", "Source: a\nnonsense\n", r"control:2: neither a field nor its continuation: 'nonsense'"),
        ("control", " x\n", r"control:1: neither a field"),
        ("control", "Source: a\nBuild-Depends: b (= 1, c\n", r"control:1: Build-Depends: 'b \(= 1' is not a package"),
        ("changelog", "", r"changelog:1: not the heading of an entry: ''"),
        ("changelog", "\n\nmy-project 1.0\n", r"changelog:3: not the heading of an entry"),
        ("changelog", "my-project (x) unstable; urgency=low\n", r"changelog:1: not the heading"),
        ("changelog", "other (1.0) unstable; urgency=low\n", r"changelog:1: other is called my-project"),
        ("changelog", "my-project (1.0-1) unstable; urgency=low\n", r"changelog:1: 1.0-1 has a Debian revision"),
        ("source/format", "1.0\n", r"source/format: the source format is 1.0"),
        ("source/format", "3.0 (quilt)\n", r"changelog:1: .* has no Debian revision"),
    ],
)
def test_says_what_is_wrong_and_on_which_line(debian: Path, file: str, text: str, message: str) -> None:
    (debian / file).write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        debian_control.read(debian)
    assert caught.value.hint


@pytest.mark.parametrize("file", ["control", "changelog", "rules"])
def test_says_which_file_is_missing(debian: Path, file: str) -> None:
    (debian / file).unlink()
    with pytest.raises(UserError, match=f"debian/{file}: there is none"):
        debian_control.read(debian)


@pytest.mark.parametrize("file", ["control", "changelog", "source/format"])
def test_refuses_a_file_in_another_encoding(debian: Path, file: str) -> None:
    (debian / file).write_bytes(b"Source: a\nMaintainer: J\xf6rg\n")
    with pytest.raises(UserError, match=f"{file}: not UTF-8"):
        debian_control.read(debian)
