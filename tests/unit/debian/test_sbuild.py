"""Versions of suites, and what sbuild is told and says."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.core.progress import Relay
from toolkit.debian import deb_build, sbuild
from toolkit.debian.chroot import Chroot
from toolkit.debian.compression import SMALL
from toolkit.debian.sbuild import PackageBuild, SbuildOptions
from toolkit.project.settings import Settings
from toolkit.verbs import packages

TRIXIE = Chroot(path=Path("trixie.tar.zst"), suite="trixie", release="13")
END = "\nBuild finished at 2026\nFail-Stage: build\n"
DSC = "Format: 3.0 (native)\nChecksums-Sha256:\n {sha} 1000 some-project_1.0.tar.gz\nFiles:\n x\n"


def options(suffix: str, *suites: str) -> SbuildOptions:
    return SbuildOptions(suites=suites, suffix=suffix, jobs=1, mirror="", max_age=7, compression=SMALL)


@pytest.mark.parametrize(
    ("template", "expected"), [("~{suite}1", "~trixie1"), ("+deb{release}u1", "+deb13u1"), ("", ""), ("+1", "+1")]
)
def test_a_suffix_names_the_suite_or_its_release(template: str, expected: str) -> None:
    sbuild.check(options(template, "trixie"))
    assert sbuild.suffix(template, TRIXIE) == expected


@pytest.mark.parametrize("template", ["~{suit}1", "a b", "-1", "_1", "{}"])
def test_a_suffix_that_no_version_can_have_is_refused(template: str) -> None:
    with pytest.raises(UserError, match="not the end of a version"):
        sbuild.check(options(template, "trixie"))


@pytest.mark.parametrize("template", ["", "+1"])
def test_two_suites_have_two_versions(template: str) -> None:
    with pytest.raises(UserError, match="gives bookworm and trixie the same version"):
        sbuild.check(options(template, "bookworm", "trixie"))


def test_the_release_of_ubuntu_is_part_of_a_version() -> None:
    versions = [
        sbuild.suffix("~ubuntu{release}.1", Chroot(path=Path("x"), suite=suite, release=release))
        for suite, release in (("noble", "24.04"), ("resolute", "26.04"))
    ]
    sbuild.check(options("~ubuntu{release}.1", "noble", "resolute"))
    assert versions == ["~ubuntu24.04.1", "~ubuntu26.04.1"]


def test_a_suite_without_a_release_number_is_told_so() -> None:
    with pytest.raises(UserError, match="sid has no release number"):
        sbuild.suffix("~{release}", Chroot(path=Path("x"), suite="sid", release=""))


def test_the_same_version_of_another_source_is_refused(tmp_path: Path) -> None:
    dsc, target = tmp_path / "some-project_1.0.dsc", tmp_path / "dist/trixie"
    dsc.write_text(DSC.format(sha="a" * 64))
    target.mkdir(parents=True)
    sbuild.refuse_other_source(dsc, target)
    signed = f"-----BEGIN PGP SIGNED MESSAGE-----\n{dsc.read_text()}-----BEGIN PGP SIGNATURE-----\n"
    (target / dsc.name).write_text(signed)
    sbuild.refuse_other_source(dsc, target)
    (target / dsc.name).write_text(DSC.format(sha="b" * 64))
    with pytest.raises(UserError, match=r"trixie/some-project_1\.0\.dsc: this version is there already"):
        sbuild.refuse_other_source(dsc, target)


@pytest.mark.parametrize(
    ("output", "inside", "what", "hint"),
    [
        (
            f"error: x: its tests fail\n hint: mend them\nmake: *** [x] Error 1\n{END}" + "summary\n" * 40,
            UserError("x: its tests fail", "mend them"),
            "trixie: x: its tests fail",
            "mend them",
        ),
        (f"cc: segmentation fault\n{END}", None, "trixie: dpkg-buildpackage failed", "x.log"),
        ("Fail-Stage: create-session\n", None, "trixie: sbuild failed at create-session", "x.log"),
        (f"cp: No space left on device\n{END}", None, "trixie: no space left for the build", "TMPDIR="),
    ],
)
def test_says_what_failed(output: str, inside: UserError | None, what: str, hint: str) -> None:
    error = sbuild.explain(process.CommandError(["sbuild"], 2, output), inside, "trixie", Path("x.log"))
    assert error.what == what
    assert hint in error.hint


def test_logs_that_an_error_names_are_kept_when_the_chroot_is_gone(tmp_path: Path) -> None:
    inside = "/build/python-common/package/build/logs/wire-1.0.log"
    relay = Relay()
    relay.receive({"event": "log", "path": inside, "text": "cc: no\n"})
    relay.receive(
        {"event": "error", "what": "wire 1.0: its wheel could not be built", "hint": f"see {inside}", "details": inside}
    )
    log = tmp_path / "logs" / "sbuild-trixie.log"
    kept = deb_build.keep_logs(relay.logs, log)
    output = f"error: wire 1.0: its wheel could not be built\n{END}"
    error = sbuild.explain(process.CommandError(["sbuild"], 2, output), relay.error, "trixie", log, kept)
    path = tmp_path / "logs" / "sbuild-trixie-wire-1.0.log"
    assert (error.hint, error.details, path.read_text()) == (f"see {path}", str(path), "cc: no\n")


@pytest.mark.parametrize("given", ["", "optional", "pyyaml"])
def test_a_chroot_s_build_requires_extensions_unless_told_otherwise(tmp_path: Path, given: str) -> None:
    parser = argparse.ArgumentParser()
    packages.sbuild_options(parser)
    chosen = parser.parse_args([f"--extensions={given}"] if given else []).extensions
    settings = Settings(project=tmp_path, toolkit=tmp_path / "common")
    # Of the rest nothing is read.
    unread: Any = None
    work = PackageBuild(dsc=tmp_path, recipe=unread, jobs=1, compression=SMALL, extensions=chosen)
    assert f"  'PYTHON_COMMON_EXTENSIONS' => '{given or 'required'}',\n" in sbuild.configuration(
        work, settings, tmp_path
    )
    assert options("", "trixie").extensions == "required"
