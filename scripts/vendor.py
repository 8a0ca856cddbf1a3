#!/usr/bin/env python3
"""Fill vendor/ from requirements.txt and vendor.txt: every sdist, and all that builds it, locked by hash."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from toolkit.build import wheels
from toolkit.core import console, files
from toolkit.network import index_options, tools_environment
from toolkit.project import discovery, fingerprints, settings
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.resolve import version_options
from toolkit.vendored import check, lock_file
from toolkit.vendoring import staging


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    parser = settings.parser(__doc__ or "")
    group = version_options.add_options(parser, "vendor")
    group.add_argument("--upgrade", default="", metavar="NAMES", help="locked versions that may move: all, or names")
    group.add_argument("--dry-run", "-n", action="store_true", help="say what would change, and change nothing")
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    indexes = index_options.from_arguments(arguments)
    exclude_newer = version_options.when(arguments.exclude_newer)
    platforms = tuple(arguments.platforms.replace(",", " ").split())
    with files.exclusive(chosen.project, "make vendor"):
        staging.recover(chosen.vendor)
        project = discovery.discover(chosen)
        if not arguments.upgrade and not exclude_newer and is_current(project, chosen, platforms):
            console.step("VENDOR", "vendor/ is up to date")
            return 0
        tools_environment.enter(indexes)
        # Above the network line: only the tools environment has what these need.
        from toolkit.network import index_settings
        from toolkit.resolve import engines
        from toolkit.vendoring import vendor

        found = index_settings.read(indexes)
        building = wheels.options_from(arguments, chosen)
        upgrade = tuple(arguments.upgrade.replace(",", " ").split())
        options = vendor.VendorOptions(
            upgrade=upgrade, exclude_newer=exclude_newer, platforms=platforms, building=building
        )
        resolver = engines.get(arguments.resolver, found)
        vendor.run(project, chosen, options, found, resolver, dry_run=arguments.dry_run)
    return 0


def is_current(project: Project, chosen: Settings, platforms: tuple[str, ...]) -> bool:
    """Tell whether the locks are what this run would make; the standard library is enough to see that."""
    if not chosen.vendor.is_dir() or check.problems(project, chosen):
        return False
    locks = (lock_file.read(lock_file.path_of(chosen.vendor, project.lock_name(package))) for package in project.locked)
    wanted = {f"{fingerprints.SETTING}PLATFORMS": " ".join(platforms), f"{fingerprints.SETTING}OFFERED": "wheels"}
    # A lock without direct requirements is from before locks held who needs whom.
    return all(item.direct is not None and wanted.items() <= item.inputs.items() for item in locks)


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
