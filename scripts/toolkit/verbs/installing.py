"""Verbs that install what was built, or describe it."""

from __future__ import annotations

import argparse
from pathlib import Path

from toolkit.build import building_options, wheels
from toolkit.core import console
from toolkit.install import installation
from toolkit.install import sbom as bill
from toolkit.verbs.running import Run

sbom_options = building_options.add_options


def install_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `install`."""
    building_options.add_options(parser)
    parser.add_argument("--destdir", required=True, metavar="DIR", help="what stands for the root of the file system")


def install(run: Run) -> None:
    """Install every service."""
    installation.install(run.checked, run.settings, run.build_options, Path(run.arguments.destdir).absolute())


def sbom(run: Run) -> None:
    """Write the bill of materials of each service, as its package carries it."""
    built = wheels.build(run.checked, run.settings, run.build_options)
    for name, runtime in built.runtime.items():
        path = run.settings.dist / f"{name}.cdx.json"
        bill.write(path, installation.materials(name, run.settings, built))
        console.step("SBOM", f"{path.relative_to(run.settings.project)}: {len(runtime)} distributions")
