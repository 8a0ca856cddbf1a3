"""Verbs that build wheels, install them, or describe what is in them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from toolkit.build import building_options, wheels
from toolkit.core import console
from toolkit.verbs.running import Run

build_options = load_options = building_options.add_options


def build(run: Run) -> None:
    """Build every wheel."""
    project, start = run.checked, time.monotonic()
    built = wheels.build(project, run.settings, run.build_options)
    count = len({wheel for service in built.runtime.values() for wheel in service})
    console.step("BUILT", f"{count} wheels for {', '.join(built.runtime)} in {time.monotonic() - start:.1f} s")


def install_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `install`."""
    building_options.add_options(parser)
    parser.add_argument("--destdir", required=True, metavar="DIR", help="what stands for the root of the file system")


def install(run: Run) -> None:
    """Install every service."""
    # What installs is not loaded by `build`, which runs far more often.
    from toolkit.install import installation

    installation.install(run.checked, run.settings, run.build_options, Path(run.arguments.destdir).absolute())


def load(run: Run) -> None:
    """Load all that the trees of the binary packages hold."""
    from toolkit.install import installation

    installation.load(run.project, run.settings, run.build_options)


def sbom_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `sbom`."""
    building_options.add_options(parser)
    parser.add_argument("--suites", default="", help="take the bills out of the packages in dist/<suite>/ of each")


def sbom(run: Run) -> None:
    """Write the bill of materials of each service, as its package carries it, or as those of suites do."""
    from toolkit.install import installation
    from toolkit.install import sbom as bill

    if suites := run.arguments.suites.split():
        _take_bills_out(run, suites)
        return
    built = wheels.build(run.checked, run.settings, run.build_options)
    for name, runtime in built.runtime.items():
        path = run.settings.dist / bill.file_name(name)
        bill.write(path, installation.materials(name, run.settings, built))
        console.step("SBOM", f"{path.relative_to(run.settings.project)}: {len(runtime)} distributions")


def _take_bills_out(run: Run, suites: Sequence[str]) -> None:
    from toolkit.debian import carried_bills
    from toolkit.debian.proof import check

    found = {directory: check.read(directory) for directory in (run.settings.dist / suite for suite in suites)}
    for directory, built in found.items():
        for path, deb in carried_bills.take_out(run.project, run.settings, built.packages, directory):
            console.step("SBOM", f"{path.relative_to(run.settings.project)}: as {deb} carries it")
