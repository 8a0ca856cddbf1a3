"""Verbs that build Debian packages, and prove what they built."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolkit.build import building_options
from toolkit.core import console, root
from toolkit.core.errors import UserError
from toolkit.core.sizes import human
from toolkit.debian import (
    build_user,
    compression,
    deb_build,
    deb_names,
    installable,
    source_tree,
    suite_pythons,
    suites,
)
from toolkit.debian import chroot as chroots
from toolkit.debian import sbuild as suite_builds
from toolkit.debian.deb_build import Deb
from toolkit.debian.proof import check, lifecycle, machine, rebuild, two_builds
from toolkit.debian.proof import reproducible as second_build
from toolkit.debian.proof.check import CheckOptions
from toolkit.debian.proof.rebuild import RebuildOptions
from toolkit.debian.sbuild import SbuildOptions
from toolkit.project import settings
from toolkit.project.debian_control import Control
from toolkit.project.settings import default_of
from toolkit.sandbox import confined
from toolkit.verbs.running import Run


def deb_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `deb`."""
    building_options.add_options(parser)
    compression.add_argument(parser, compression.FAST)
    parser.add_argument("--dry-run", action="store_true", help="check everything and say what would be built")


def deb(run: Run) -> None:
    """Build the packages, or say what would be built."""
    packaging = deb_build.prepare(run.project, run.settings)
    run.check_services()
    suite_pythons.require_here(run.project, run.build_options.python)
    if run.arguments.dry_run:
        _announce(run, packaging)
        return
    debs = deb_build.build(run.project, run.settings, run.build_options, packaging, run.arguments.compression)
    # A service brings all that it needs.
    _report(run, debs, {} if run.project.services else installable.unmet(debs))


def _announce(run: Run, packaging: Control) -> None:
    project, chosen = run.project, run.settings
    paths = source_tree.list_files(project, chosen, packaging)
    size = source_tree.size(chosen.project, paths)
    source = f"{packaging.name} {packaging.version}, {packaging.format}"
    console.note(f"source package {source}: {len(paths)} files, {human(size)}")
    for service in project.services:
        name = packaging.package_of(service, chosen.namespace)
        architecture = packaging.binaries[name].get("Architecture")
        console.note(f"binary package {name}, {architecture}: the service {service.service_name}")
    if not project.services:
        for name, stanza in packaging.binaries.items():
            console.note(f"binary package {name}, {stanza.get('Architecture')}")


def _report(run: Run, debs: Sequence[Deb], unmet: Mapping[str, Sequence[str]]) -> None:
    root = run.settings.project
    for deb in debs:
        console.step("DEB", deb.shown(root))
    for name, missing in unmet.items():
        console.warn(f"{name} depends on packages that {suites.own()} does not have: {', '.join(missing)}")
    paths = " ".join(f"./{deb.path.relative_to(root)}" for deb in debs if not deb_names.is_symbols(deb.name))
    console.note(f"install with: apt-get install {paths}")


def sbuild_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `sbuild`."""
    parser.add_argument("--suites", default="", help="such as `bookworm trixie` (default: that of this machine)")
    parser.add_argument(
        "--version-suffix",
        default=default_of("VERSION_SUFFIX"),
        metavar="TEXT",
        help="what versions end with (default: %(default)s)",
    )
    building_options.add_jobs(parser)
    building_options.add_extensions(parser, building_options.REQUIRED)
    compression.add_argument(parser, compression.SMALL)
    chroots.add_arguments(parser)


def sbuild(run: Run) -> None:
    """Build the packages of each suite in a clean chroot."""
    arguments = run.arguments
    options = run.options(
        SbuildOptions, suites=tuple(arguments.suites.split()) or (suites.own(),), suffix=arguments.version_suffix
    )
    suite_builds.check(options)
    build_user.account()
    packaging = deb_build.read(run.project, run.settings)
    run.check_services()
    if not options.mirror:
        suite_pythons.require(run.project, options.suites)
    for suite, built in zip(
        dict.fromkeys(options.suites), suite_builds.build(run.project, run.settings, options, packaging), strict=True
    ):
        for deb in built:
            console.step("DEB", deb.shown(run.settings.project))
        # Libraries and interpreters of another suite have other names.
        if suite == suites.own():
            two_builds.warn(run.settings.dist, run.settings.dist / suite, packaging.dsc)


def reproducible_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `reproducible`."""
    parser.add_argument("--suites", default="", help="build what stands in dist/<suite>/ of each again, and compare")
    building_options.add_jobs(parser)
    confined.add_options(parser)
    parser.add_argument("--python", default="", help="the interpreter to build for")
    compression.add_argument(parser, compression.FAST, of_suites=compression.SMALL)
    chroots.add_arguments(parser)


def reproducible(run: Run) -> None:
    """Build the packages twice, or those of suites again, and compare them."""
    if names := tuple(dict.fromkeys(run.arguments.suites.split())):
        _rebuild(run, names)
        return
    arguments, chosen = run.arguments, run.settings
    packaging = deb_build.prepare(run.project, chosen)
    run.check_services()
    options = building_options.BuildOptions(
        jobs=arguments.jobs,
        store=chosen.build / "wheel-store",
        python=arguments.python,
        sandbox=confined.from_arguments(arguments),
    )
    used = arguments.compression or compression.FAST
    for name, digest in second_build.build(run.project, chosen, options, packaging, used).items():
        console.step("SAME", f"{name}  sha256 {digest}")


def _rebuild(run: Run, names: tuple[str, ...]) -> None:
    build_user.account()
    options = run.options(RebuildOptions, suites=names, compression=run.arguments.compression or compression.SMALL)
    for suite, digests in rebuild.build(run.settings, options):
        for name, digest in digests.items():
            console.step("SAME", f"{suite}/{name}  sha256 {digest}")


def check_deb_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `check-deb`."""
    parser.add_argument("--suites", default="", help="check dist/<suite>/ of each, instead of what stands in dist/")
    parser.add_argument("--upgrade-from", default="", metavar="DIRECTORY", help="older packages, to upgrade from")
    parser.add_argument(
        "--boot",
        type=_boot,
        metavar="WHEN",
        default=default_of("BOOT"),
        help="start units in a machine that boots: auto (where one can), required, or no (default: %(default)s)",
    )
    settings.add_reports(parser)
    chroots.add_arguments(parser)


def _boot(text: str) -> str:
    if text not in lifecycle.BOOT:
        raise UserError(f"BOOT={text}: no such way", "write auto, required or no")
    return text


def check_deb(run: Run) -> None:
    """Check the packages of each suite."""
    arguments, chosen = run.arguments, run.settings
    directories = {suite: chosen.dist / suite for suite in arguments.suites.split()} or {suites.own(): chosen.dist}
    options = run.options(CheckOptions)
    check.require_tools()
    upgrade_from = Path(arguments.upgrade_from).absolute() if arguments.upgrade_from else None
    older = check.older_packages(upgrade_from, directories)
    found = {suite: check.read(directory, older.get(suite, ())) for suite, directory in directories.items()}
    for suite, built in found.items():
        console.step("CHECK", f"{', '.join(path.name for path in built.packages)}")
        check.check(built, suite, run.project, chosen, options)


def boot_machine_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `boot-machine`."""
    parser.add_argument("tree", type=Path, help="what it runs, a tree with a program")
    parser.add_argument("tarball", type=Path, help="what it is made of")


def boot_machine(run: Run) -> int:
    """Boot a machine that runs a program; `make check-deb` runs this, through sudo where it has to."""
    root.require("check-deb")
    return machine.boot(run.arguments.tree, run.arguments.tarball)
