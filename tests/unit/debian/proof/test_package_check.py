"""What `make check-deb` says before it builds a system to install into."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.debian import chroot, suites
from toolkit.debian.chroot import Chroot
from toolkit.debian.proof import check, lifecycle, lintian, machine, testbed
from toolkit.debian.proof.check import CheckOptions
from toolkit.debian.proof.check_report import CheckReport
from toolkit.project import discovery
from toolkit.project.settings import Settings

OPTIONS = CheckOptions(mirror="", max_age=7)
CLEAN = Chroot(path=Path("trixie.tar.zst"), suite="trixie", release="13")


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    for name in ("app_1.0.dsc", "app_1.0_amd64.changes", "yc-app_1.0_amd64.deb", "yc-app-dbgsym_1.0_amd64.deb"):
        (tmp_path / name).write_text("")
    return tmp_path


def test_packages_of_debug_symbols_are_not_checked(dist: Path) -> None:
    assert [path.name for path in check.read(dist).packages] == ["yc-app_1.0_amd64.deb"]


@pytest.mark.parametrize("name", ["app_1.0.dsc", "app_1.0_amd64.changes", "yc-app_1.0_amd64.deb"])
def test_nothing_built_is_told_so(dist: Path, name: str) -> None:
    (dist / name).unlink()
    with pytest.raises(UserError, match="no packages there"):
        check.read(dist)


def test_two_sources_in_one_directory_are_refused(dist: Path) -> None:
    (dist / "app_1.1.dsc").write_text("")
    with pytest.raises(UserError, match=r"more than one source package: app_1\.0\.dsc, app_1\.1\.dsc"):
        check.read(dist)


def lives(debian: Path, *packages: Path, boot: str = lifecycle.AUTO) -> lifecycle.Lives:
    return lifecycle.Lives(packages=packages, older=(), environments=(), debian=debian, boot=boot)


def deb(directory: Path, name: str, version: str, *files: str) -> Path:
    control = directory / "tree" / "DEBIAN"
    for file in files:
        (directory / "tree" / file).parent.mkdir(parents=True)
        (directory / "tree" / file).touch()
    control.mkdir(parents=True)
    (control / "control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: A <a@b.example>\nDescription: x\n"
    )
    path = directory / f"{name}_{version}_all.deb"
    subprocess.run(["dpkg-deb", "--build", directory / "tree", path], check=True, capture_output=True)
    shutil.rmtree(directory / "tree")
    return path


def test_of_older_packages_the_newest_count(tmp_path: Path) -> None:
    deb(tmp_path, "app", "1.9")
    newest = deb(tmp_path, "app", "1.10"), deb(tmp_path, "worker", "1.0")
    deb(tmp_path, "app", "1.10~rc1")
    assert check.older_packages(tmp_path, ["trixie"]) == {"trixie": newest}
    assert check.older_packages(None, ["trixie"]) == {}


def test_each_suite_has_older_packages_of_its_own(tmp_path: Path) -> None:
    for suite in ("bookworm", "trixie"):
        (tmp_path / suite).mkdir()
    found = {suite: (deb(tmp_path / suite, "app", f"1.0~{suite}1"),) for suite in ("bookworm", "trixie")}
    deb(tmp_path, "app", "2.0")
    assert check.older_packages(tmp_path, ["bookworm", "trixie"]) == found
    assert check.older_packages(tmp_path, ["trixie"]) == {"trixie": found["trixie"]}


@pytest.mark.parametrize(
    ("suites", "where"), [(["trixie"], ""), (["bookworm", "trixie"], "/bookworm"), (["empty"], "/empty")]
)
def test_a_directory_to_upgrade_from_has_to_hold_packages(tmp_path: Path, suites: list[str], where: str) -> None:
    (tmp_path / "older/empty").mkdir(parents=True)
    if where:
        deb(tmp_path / "older", "app", "1.0")
    with pytest.raises(UserError, match=f"UPGRADE_FROM=.*/older{where}: no packages there"):
        check.older_packages(tmp_path / "older", suites)


def test_what_a_check_found_is_reported(tmp_path: Path, dist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = lintian.Finding(severity="W", package="yc-app", tag="a-tag", context="x\x1b\uffff")
    monkeypatch.setattr(lintian, "run", lambda _changes: [found])
    (tmp_path / "setup.py").write_text("")
    settings = Settings(project=tmp_path)
    options = replace(OPTIONS, reports=tmp_path / "reports")
    with pytest.raises(UserError, match="lintian: 1 errors and warnings"):
        check.check(check.read(dist), "trixie", discovery.discover(settings), settings, options)
    suite = ElementTree.parse(tmp_path / "reports/check-deb-trixie.junit.xml").getroot()
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("check-deb trixie", "1", "1")
    [failure] = suite.findall("testcase[@name='lintian']/failure")
    assert failure.get("message") == "lintian: 1 errors and warnings"
    assert (failure.text or "").startswith("W: yc-app: a-tag x\\x1b?\nerror: lintian")


def test_checks_that_pass_are_reported(tmp_path: Path) -> None:
    report = CheckReport("trixie")
    for name in ("one", "two"):
        with report.case(name):
            pass
    report.write(tmp_path / "report.xml")
    suite = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert [(case.get("name"), len(case)) for case in suite] == [("one", 0), ("two", 0)]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "0", "0")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device"), SystemExit(1)])
def test_a_check_that_did_not_end_is_reported_as_an_error(tmp_path: Path, error: BaseException) -> None:
    report = CheckReport("trixie")
    with pytest.raises(type(error)), report.case("one"):
        raise error
    report.write(tmp_path / "report.xml")
    suite = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "0", "1")
    [found] = suite.findall("testcase[@name='one']/error")
    assert found.get("message") == f"{type(error).__name__}: {error}"


def test_a_system_that_cannot_be_made_is_reported(tmp_path: Path, dist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise UserError("no such mirror")

    monkeypatch.setattr(lintian, "run", lambda _changes: [])
    monkeypatch.setattr(chroot, "minimal", fail)
    (tmp_path / "setup.py").write_text("")
    settings = Settings(project=tmp_path)
    with pytest.raises(UserError, match="no such mirror"):
        check.check(
            check.read(dist),
            "trixie",
            discovery.discover(settings),
            settings,
            replace(OPTIONS, reports=tmp_path / "reports"),
        )
    suite = ElementTree.parse(tmp_path / "reports/check-deb-trixie.junit.xml").getroot()
    assert [(case.get("name"), len(case)) for case in suite] == [("lintian", 0), ("life cycle", 1)]


def test_an_override_needs_a_comment_above_it(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "yc-app.lintian-overrides").write_text("# Because.\nyc-app: one\nyc-app: two\n\nyc-app: three\n")
    (tmp_path / "source/lintian-overrides").write_text("app source: four\n")
    found = lintian.without_reason(tmp_path)
    assert found == ["debian/source/lintian-overrides:1", "debian/yc-app.lintian-overrides:5"]


def test_what_nobody_can_override_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    output = (
        "E: yc-app: malformed-deb-archive third (official) member data.tar.zst not data.tar.(gz|xz|bz2|lzma)\n"
        "W: yc-app-dbgsym: debug-file-with-no-debug-symbols [x.debug]\n"
        "N: 3 hints overridden\n"
        "E: app source: python3-depends-but-no-python3-helper yc-app\n"
        "W: app (1.0-1~x1) changes: bad-distribution-in-changes-file x\n"
        "E: app (1.0) changes: bad-distribution-in-changes-file noble\n"
        "E: yc-app: malformed-deb-archive first member is strange\n"
    )
    monkeypatch.setattr(suites, "known", lambda: ["trixie", "noble"])
    monkeypatch.setattr(process, "run", lambda _words, **_named: output)
    assert [str(finding) for finding in lintian.run([])] == [
        "E: app: python3-depends-but-no-python3-helper yc-app",
        "W: app: bad-distribution-in-changes-file x",
        "E: yc-app: malformed-deb-archive first member is strange",
    ]


@pytest.mark.parametrize(
    ("output", "what"),
    [
        ("tar: x: No space left on device", "trixie: no space left for a system to test in"),
        (" a : Depends: b but it is not\n", "trixie lacks what a package or its tests depend on: a : Depends: b"),
        ("Temporary failure resolving 'mirror.example'", "trixie: the package archive was not reached"),
        ("Traceback", "trixie: autopkgtest could not run"),
    ],
)
def test_says_why_nothing_could_be_tested(output: str, what: str) -> None:
    assert testbed.explain(output, "trixie", Path("log")).what == what


def test_a_path_that_stayed_behind_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = "STEP yc-app purge\nof apt\nWRONG yc-app purge /var/lib/a b\n"
    result = testbed.Result(test="lifecycle", outcome="FAIL", reason="non-zero exit status 1", output=output)
    monkeypatch.setattr(testbed, "run", lambda *_arguments: [result])
    with pytest.raises(UserError, match="yc-app: purged, but it left or changed /var/lib/a b\n"):
        lifecycle.check(lives(tmp_path), CLEAN, tmp_path / "logs" / "log")


def test_what_an_override_names_may_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The script's status says that something is wrong; with all of it overridden nothing is."""
    output = (
        "WRONG yc-app start yc-app.service: it has failed (status 1)\nWRONG yc-app purge /var/lib/app/notes.db\n"
        "WRONG yc-app purge user yc-app\nSTEP - end\n"
    )
    result = testbed.Result(test="lifecycle", outcome="FAIL", reason="non-zero exit status 1", output=output)
    monkeypatch.setattr(testbed, "run", lambda *_arguments: [result])
    overrides = tmp_path / "yc-app.check-overrides"
    overrides.write_text(
        "# Ours to keep.\n/var/lib/app/*\nuser yc-app\n\nyc-app.service  # it needs a database\nelse  # no\n"
    )
    lifecycle.check(lives(tmp_path), CLEAN, tmp_path / "logs" / "log")
    said = "warning: debian/yc-app.check-overrides:6: else is nothing that this check has found\n"
    assert capsys.readouterr().err == said
    overrides.write_text("/var/lib/app/* # ours to keep\nyc-app.service # it needs a database\n")
    with pytest.raises(UserError, match="yc-app: purged, but it left or changed user yc-app\n"):
        lifecycle.check(lives(tmp_path), CLEAN, tmp_path / "logs" / "log")
    overrides.write_text("/var/lib/app/*\n")
    with pytest.raises(
        UserError, match=r"debian/yc-app.check-overrides:1: .* has no reason\n hint: say why it may be so:"
    ):
        lifecycle.check(lives(tmp_path), CLEAN, tmp_path / "logs" / "log")


def test_a_script_that_broke_off_has_not_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An override hides what it names, and not the end that never came."""
    output = "WRONG yc-app start yc-app.service: it has failed\ncp: No space left on device\n"
    result = testbed.Result(test="lifecycle", outcome="FAIL", reason="non-zero exit status 1", output=output)
    monkeypatch.setattr(testbed, "run", lambda *_arguments: [result])
    (tmp_path / "yc-app.check-overrides").write_text("yc-app.service # it needs a database\n")
    with pytest.raises(UserError, match="trixie: non-zero exit status 1"):
        lifecycle.check(lives(tmp_path), CLEAN, tmp_path / "logs" / "log")


@pytest.mark.parametrize(("boot", "is_tried"), [("auto", True), ("required", True), ("no", False)])
def test_units_are_started_where_a_machine_can_be_booted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], boot: str, is_tried: bool
) -> None:
    def run(_tree: Path, _tarball: Path, output: Path, _watch: object) -> int:
        output.write_text(
            "sudo: odd\nBOOTED\nRUNS yc-app a.service\nRUNS yc-app a.service\nIDLE yc-app b.timer nothing\nSTEP - end\n"
        )
        return 0

    passed = testbed.Result(test="lifecycle", outcome="PASS", reason="", output="STEP - end\n")
    monkeypatch.setattr(machine, "run", run)
    monkeypatch.setattr(machine, "obstacle", str)
    monkeypatch.setattr(testbed, "run", lambda *_arguments: [passed])
    package = deb(tmp_path, "yc-app", "1", "lib/systemd/system/a.service")
    lifecycle.check(lives(tmp_path, package, boot=boot), CLEAN, tmp_path / "logs" / "log")
    said = capsys.readouterr()
    assert said.err == ""
    assert ("  STARTED yc-app: a.service\n" in said.out) is is_tried
    assert ("  yc-app: b.timer did not run: nothing\n" in said.out) is is_tried


def test_where_no_machine_can_be_booted_a_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    passed = testbed.Result(test="lifecycle", outcome="PASS", reason="", output="STEP - end\n")
    monkeypatch.setattr(machine, "obstacle", lambda: "that needs root")
    monkeypatch.setattr(testbed, "run", lambda *_arguments: [passed])
    without, package = deb(tmp_path, "yc-doc", "1"), deb(tmp_path, "yc-app", "1", "usr/lib/systemd/system/a.timer")
    lifecycle.check(lives(tmp_path, without, boot="required"), CLEAN, tmp_path / "logs" / "log")
    assert capsys.readouterr().err == ""
    lifecycle.check(lives(tmp_path, package), CLEAN, tmp_path / "logs" / "log")
    line = "trixie: no unit is started, as no machine can be booted here: that needs root"
    assert capsys.readouterr().err == f"warning: {line}\n"
    with pytest.raises(UserError, match="trixie: no machine can be booted here: that needs root"):
        lifecycle.check(lives(tmp_path, package, boot="required"), CLEAN, tmp_path / "logs" / "log")


def test_a_machine_that_does_not_boot_is_told_and_the_rest_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_tree: Path, _tarball: Path, output: Path, _watch: object) -> int:
        output.write_text("STEP - update\nSTEP yc-app depends\nerror: the machine did not boot\n")
        return 1

    passed = testbed.Result(test="lifecycle", outcome="PASS", reason="", output="STEP - end\n")
    monkeypatch.setattr(machine, "run", run)
    monkeypatch.setattr(machine, "obstacle", str)
    monkeypatch.setattr(testbed, "run", lambda *_arguments: [passed])
    package = deb(tmp_path, "yc-app", "1", "lib/systemd/system/a.service")
    lifecycle.check(lives(tmp_path, package), CLEAN, tmp_path / "logs" / "log")
    assert "no machine can be booted here: it did not come up: " in capsys.readouterr().err
    assert (tmp_path / "logs/boot-trixie.log").read_text().endswith("error: the machine did not boot\n")


def test_names_what_stayed_behind() -> None:
    wrong = [("yc-app", "purge", f"/var/lib/app/{number}") for number in range(7)]
    error = lifecycle.error([*wrong, ("worker", "purge", "/etc/worker")], "", Path("log"))
    assert error.what == (
        "yc-app: purged, but it left or changed /var/lib/app/0, /var/lib/app/1, /var/lib/app/2, /var/lib/app/3, "
        "/var/lib/app/4 and 2 more"
    )
    override = "or name it, with a reason, in debian/yc-app.check-overrides"
    assert error.hint == f"undo it in the `purge` of debian/yc-app.postrm, {override}"


LACKING = "app: what it depends on cannot be installed"
UNMET = "The following packages have unmet dependencies:\n app : Depends: libx (>= 2) but {}\nE: Unable\n"


@pytest.mark.parametrize(
    ("step", "output", "what", "mirror"),
    [
        ("depends", UNMET.format("it is not installable"), f"{LACKING}: app : ", True),
        ("depends", UNMET.format("1.0 is to be installed"), f"{LACKING}: app : ", False),
        ("depends", "E: Unable to fetch", LACKING, True),
        ("depends-older", "", "app, the one of UPGRADE_FROM: what it depends on cannot be installed", True),
        ("install-older", "", "app, the one of UPGRADE_FROM: it cannot be installed", False),
        ("install", "", "app: install failed", False),
        ("update", "", "the package archive was not reached", True),
        ("rollback", "", "app: rollback failed", False),
    ],
)
def test_what_apt_cannot_install_is_told_as_what_it_is(step: str, output: str, what: str, mirror: bool) -> None:
    error = lifecycle.error([("app", step, "-")], output, Path("log"))
    assert error.what.startswith(what)
    assert ("MIRROR=" in error.hint) is mirror


@pytest.mark.parametrize("field", ["Testsuite: autopkgtest\n", ""])
def test_the_source_package_says_whether_it_has_tests(
    dist: Path, field: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (dist / "app_1.0.dsc").write_text(f"Source: app\n{field}")
    (dist / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1.0"\n')
    passed = [testbed.Result(test="import", outcome="PASS", reason="(superficial)", output="")]
    monkeypatch.setattr(testbed, "run", lambda *_arguments: passed)
    monkeypatch.setattr(check, "_lint", lambda *_arguments: None)
    monkeypatch.setattr(lifecycle, "check", lambda *_arguments: None)
    clean = Chroot(path=dist, suite="trixie", release="13")
    monkeypatch.setattr(chroot, "minimal", lambda *_arguments: None)
    monkeypatch.setattr(chroot, "provide", lambda *_arguments: clean)
    built = check.read(dist)
    settings = Settings(project=dist, toolkit=dist)
    check.check(built, "trixie", discovery.discover(settings), settings, OPTIONS)
    said = capsys.readouterr()
    assert ("import: pass (superficial)" in said.out) is bool(field)
    assert ("no debian/tests/control" in said.err) is not bool(field)
