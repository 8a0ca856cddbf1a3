"""What stands in dist/<suite>/ before it is built again, and what is said of another build's tools."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.debian import compression
from toolkit.debian.proof import rebuild, reproducible
from toolkit.project import debian_control
from toolkit.project.settings import Settings

MIRROR = "http://mirror.example/debian"
DEB, TARBALL, DSC, BUILDINFO = (
    "worker_1.0_all.deb",
    "project_1.0.tar.gz",
    "project_1.0.dsc",
    "project_1.0_amd64.buildinfo",
)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """Return a dist/ with the results of a build for trixie."""
    (tmp_path / "trixie").mkdir()
    for name, text in {
        DEB: "package",
        TARBALL: "source",
        DSC: f"Format: 3.0 (native)\nChecksums-Sha256:\n {sha256('source')} 6 {TARBALL}\n",
        BUILDINFO: (
            f"Source: project\nVersion: 1.0\nChecksums-Sha256:\n {sha256('package')} 7 {DEB}\n"
            "Installed-Build-Depends:\n gcc-12 (= 12.2.0-14),\n make (= 4.3-4.1)\n"
        ),
    }.items():
        (tmp_path / "trixie" / name).write_text(text)
    return tmp_path


def name_in_dsc(directory: Path, name: str) -> None:
    """Have the .dsc name another file."""
    path = directory / DSC
    path.write_text(path.read_text().replace(TARBALL, name))


def test_profiles_that_are_none_get_into_no_shell(dist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = (dist / "trixie" / BUILDINFO).read_text()
    (dist / "trixie" / BUILDINFO).write_text(f'{told}Environment:\n DEB_BUILD_PROFILES="nodoc $(id)"\n')
    monkeypatch.setattr(process, "run", lambda _words: "")
    monkeypatch.setattr(debian_control, "read", lambda _path: None)
    options = rebuild.RebuildOptions(suites=("trixie",), mirror=MIRROR, max_age=7, compression=compression.SMALL)
    settings = Settings(project=dist.parent, toolkit=dist.parent)
    monkeypatch.setattr(Settings, "dist", dist)
    monkeypatch.setattr(Settings, "build", dist / "build")
    with pytest.raises(UserError, match=rf"{BUILDINFO}: DEB_BUILD_PROFILES: no profile: \$\(id\)"):
        list(rebuild.build(settings, options))


def test_what_a_build_left_is_taken(dist: Path) -> None:
    assert rebuild.read("trixie", dist).sha256 == {DEB: sha256("package")}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda path: (path / BUILDINFO).unlink(), "no packages to build again"),
        (lambda path: (path / "x.buildinfo").write_text(""), "several builds"),
        (lambda path: (path / DSC).unlink(), f"{DSC}: there is none, though {BUILDINFO} tells of its build"),
        (lambda path: (path / DEB).unlink(), f"{DEB}: there is none, though {BUILDINFO} names it"),
        (lambda path: (path / DEB).write_text("x"), f"{DEB}: not the file that {BUILDINFO} names"),
        (lambda path: (path / TARBALL).unlink(), f"{TARBALL}: there is none, though {DSC} names it"),
        (lambda path: (path / TARBALL).write_text("x"), f"{TARBALL}: not the file that {DSC} names"),
        (lambda path: (path / "other_1_all.deb").write_text(""), f"other_1_all.deb: of another build than {BUILDINFO}"),
        (lambda path: (path / DSC).write_bytes(b"Source: \xfc\n"), f"{DSC}: not UTF-8"),
        (lambda path: name_in_dsc(path, "../../secret"), f"{DSC}: no name of a file of a source package: ../../secret"),
        # The files of a source package are put beside files of ours.
        (lambda path: name_in_dsc(path, "config.pl"), f"{DSC}: no name of a file of a source package: config.pl"),
    ],
)
def test_what_is_not_what_a_build_left_is_refused(dist: Path, change: Callable[[Path], object], what: str) -> None:
    change(dist / "trixie")
    with pytest.raises(UserError) as caught:
        rebuild.read("trixie", dist)
    assert what in caught.value.what


def test_a_suite_that_is_no_name_is_refused(dist: Path) -> None:
    with pytest.raises(UserError):
        rebuild.read("../trixie", dist)


def test_tools_of_other_versions_are_named_before_the_files_that_differ(dist: Path, tmp_path: Path) -> None:
    shipped = rebuild.read("trixie", dist)
    again = replace(shipped, installed={"gcc-12": "12.2.0-14+deb12u1", "sed": "4.9-1"})
    other = rebuild.other_tools(shipped, again)
    assert other == ["gcc-12 12.2.0-14 -> 12.2.0-14+deb12u1", "make 4.3-4.1 -> (none)", "sed (none) -> 4.9-1"]
    assert rebuild.other_tools(shipped, shipped) == []
    with pytest.raises(UserError, match=r"worker_1\.0_all\.deb: made by one of the two builds only") as caught:
        reproducible.compare([dist / "trixie" / DEB], [], tmp_path / "report", rebuild.shown(other))
    assert caught.value.details.splitlines()[1:3] == [f"  {line}" for line in other[:2]]
