"""The verb that fills vendor/; it loads little, as most runs find that nothing has changed."""

from __future__ import annotations

import argparse

from toolkit.core import console
from toolkit.network import index_options, tools_environment
from toolkit.project import fingerprints
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.resolve import version_options
from toolkit.vendored import check, lock_file
from toolkit.vendoring import staging
from toolkit.verbs.running import Run


def vendor_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `vendor`."""
    group = version_options.add_options(parser, "vendor")
    group.add_argument("--upgrade", default="", metavar="NAMES", help="locked versions that may move: all, or names")
    group.add_argument("--dry-run", "-n", action="store_true", help="say what would change, and change nothing")


def vendor(run: Run) -> None:
    """Fill vendor/, unless it is what this run would make."""
    arguments, chosen = run.arguments, run.settings
    indexes = index_options.from_arguments(arguments)
    exclude_newer = version_options.when(arguments.exclude_newer)
    platforms = tuple(arguments.platforms.replace(",", " ").split())
    staging.recover(chosen.vendor)
    project = run.project
    if not arguments.upgrade and not exclude_newer and is_current(project, chosen, platforms):
        console.step("VENDOR", "vendor/ is up to date")
        return
    tools_environment.enter(indexes)
    # Above the network line: only the tools environment has what these need.
    from toolkit.network import index_settings
    from toolkit.resolve import engines
    from toolkit.vendoring import vendor as phases

    found = index_settings.read(indexes)
    upgrade = tuple(arguments.upgrade.replace(",", " ").split())
    options = phases.VendorOptions(
        upgrade=upgrade, exclude_newer=exclude_newer, platforms=platforms, building=run.build_options
    )
    phases.run(project, chosen, options, found, engines.get(arguments.resolver, found), dry_run=arguments.dry_run)


def is_current(project: Project, chosen: Settings, platforms: tuple[str, ...]) -> bool:
    """Tell whether the locks are what this run would make; the standard library is enough to see that."""
    if not chosen.vendor.is_dir() or check.problems(project, chosen):
        return False
    locks = (lock_file.read(lock_file.path_of(chosen.vendor, project.lock_name(package))) for package in project.locked)
    wanted = {f"{fingerprints.SETTING}PLATFORMS": " ".join(platforms), f"{fingerprints.SETTING}OFFERED": "wheels"}
    # A lock without direct requirements is from before locks held who needs whom.
    return all(item.direct is not None and wanted.items() <= item.inputs.items() for item in locks)
