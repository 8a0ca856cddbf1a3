"""`make check-deb`: the checks that a distribution makes of its own packages."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import console, deb822, debian_packages, directories, process
from toolkit.core.errors import UserError
from toolkit.debian import chroot, deb_names, versions
from toolkit.debian.chroot import Chroot
from toolkit.debian.proof import lifecycle, lintian, loaded, machine, testbed
from toolkit.debian.proof.check_report import CheckReport
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings

_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """The mirror of clean systems, their maximum age in days, and whether they are booted (`lifecycle.BOOT`).

    `reports` is a directory for reports of what was found.
    """

    mirror: str
    max_age: int
    boot: str = lifecycle.AUTO
    reports: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Built:
    """The results of a build: .changes files, the .dsc, binary packages without debug symbols; and older packages."""

    changes: tuple[Path, ...]
    source: Path
    packages: tuple[Path, ...]
    older: tuple[Path, ...]


def require_tools() -> None:
    """Raise `UserError` when a program that checks is missing."""
    debian_packages.require("checks packages", "lintian", "autopkgtest")


def older_packages(given: Path | None, suites: Collection[str]) -> dict[str, tuple[Path, ...]]:
    """Return the packages to upgrade from by suite: those in the directory of its name, as in dist/, if there is one.

    Of each package the newest counts. Raises `UserError` where there is none, and where several suites would have the
    same ones.
    """
    found: dict[str, tuple[Path, ...]] = {}
    for suite in suites if given else ():
        directory = given / suite if given and ((given / suite).is_dir() or len(suites) > 1) else given
        found[suite] = _newest(_packages(directory)) if directory else ()
        if not found[suite]:
            hint = "name a directory of .deb files, or one that has such a directory for each suite"
            raise UserError(f"UPGRADE_FROM={directory}: no packages there", hint)
    return found


def _newest(debs: Iterable[Path]) -> tuple[Path, ...]:
    """Return the newest package of each name that is for this machine."""
    found: dict[str, tuple[str, Path]] = {}
    here = process.read(["dpkg", "--print-architecture"]).strip()
    for deb in debs:
        text = process.read(["dpkg-deb", "--show", "--showformat=${Package} ${Version} ${Architecture}", deb])
        name, version, architecture = text.split()
        if architecture not in (here, "all"):
            continue
        if name not in found or versions.holds(version, ">>", found[name][0]):
            found[name] = version, deb
    return tuple(deb for _, deb in found.values())


def read(directory: Path, older: tuple[Path, ...] = ()) -> Built:
    """Return the results in a directory. Raises `UserError` where nothing has been built."""
    sources, changes = sorted(directory.glob("*.dsc")), sorted(directory.glob("*.changes"))
    packages = _packages(directory)
    if not (sources and changes and packages):
        raise UserError(f"{directory}: no packages there", "build them: `make deb`, or `make sbuild SUITES=...`")
    if len(sources) > 1:
        names = ", ".join(path.name for path in sources)
        raise UserError(f"{directory}: more than one source package: {names}", "remove those that are not meant")
    return Built(changes=tuple(changes), source=sources[0], packages=packages, older=older)


def _packages(directory: Path) -> tuple[Path, ...]:
    return tuple(path for path in sorted(directory.glob("*.deb")) if not deb_names.is_symbols(deb_names.package(path)))


def check(built: Built, suite: str, project: Project, settings: Settings, options: CheckOptions) -> None:
    """Run all checks of one directory. Raises `UserError` for what is wrong."""
    report = CheckReport(suite)
    try:
        with report.case("lintian"):
            _lint(built, settings)
        with report.case("life cycle"):
            recipe = chroot.minimal(suite, options.mirror, machine.PACKAGES)
            clean = chroot.provide(recipe, settings, options.max_age)
            _live(built, clean, project, settings, options.boot)
        with report.case("debian/tests"):
            _test(built, clean, settings)
    finally:
        if options.reports:
            report.write(options.reports / f"check-deb-{suite}.junit.xml")


def _live(built: Built, clean: Chroot, project: Project, settings: Settings, boot: str) -> None:
    start = time.monotonic()
    log = settings.build / "logs" / f"lifecycle-{clean.suite}.log"
    with directories.temporary(settings.build, "unpacked-") as scratch:
        lives = lifecycle.Lives(
            packages=built.packages,
            older=built.older,
            environments=tuple(loaded.unpack(project, settings, built.packages, scratch)),
            debian=settings.project / "debian",
            boot=boot,
        )
        lifecycle.check(lives, clean, log)
    middle = "upgraded, rolled back" if built.older else "installed again"
    console.step("SYSTEM", f"{clean.suite}: installed, {middle}, removed, purged ({time.monotonic() - start:.1f} s)")


def _lint(built: Built, settings: Settings) -> None:
    start = time.monotonic()
    bare = lintian.without_reason(settings.project / "debian")
    if bare:
        raise UserError(
            f"{bare[0]}: an override without a reason", "write it as a comment in the line above", "\n".join(bare[1:])
        )
    findings = lintian.run(built.changes)
    if findings:
        rest = [f"and {len(findings) - _SHOWN} more"] if len(findings) > _SHOWN else []
        tags = " ".join(dict.fromkeys(finding.tag for finding in findings))
        raise UserError(
            f"lintian: {len(findings)} errors and warnings",
            f"mend them, or override them with a reason; `lintian-explain-tags {tags}` says what they mean",
            "\n".join([*map(str, findings[:_SHOWN]), *rest]),
        )
    console.step("LINTIAN", f"no error, no warning ({time.monotonic() - start:.1f} s)")


def _test(built: Built, clean: Chroot, settings: Settings) -> None:
    # dpkg-source writes this field where there is a debian/tests/control.
    if not re.search(r"^Testsuite:", deb822.text(built.source), re.MULTILINE):
        console.warn("no debian/tests/control: nothing has started what was installed")
        return
    start = time.monotonic()
    log = settings.build / "logs" / f"autopkgtest-{clean.suite}.log"
    results = testbed.run(built.source, built.packages, clean, log)
    for result in results:
        console.step("TEST", f"{result.test}: {' '.join(filter(None, [result.outcome.lower(), result.reason]))}")
    failed = [result for result in results if result.outcome == "FAIL"]
    if failed:
        names = ", ".join(result.test for result in failed)
        raise UserError(f"debian/tests: {names} failed", f"the whole output is in {log}", failed[0].output)
    if not any(result.outcome == "PASS" for result in results):
        raise UserError("debian/tests: no test ran", f"the whole output is in {log}")
    console.step("TEST", f"{clean.suite}: debian/tests ({time.monotonic() - start:.1f} s)")
