"""Verbs on this machine: what the toolkit needs installed; and a clean project."""

from __future__ import annotations

import argparse
import os
from contextlib import ExitStack

from toolkit.core import console, files
from toolkit.debian import machine_setup
from toolkit.verbs.running import Run


def setup_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `setup`."""
    parser.add_argument(
        "--groups",
        default="build develop library sbuild check",
        help="what for: some of build, develop, library, sbuild, check and test (default: %(default)s)",
    )


def setup(run: Run) -> None:
    """Install the packages that are missing, and prepare users."""
    machine_setup.run(run.arguments.groups.split())


def clean(run: Run) -> None:
    """Remove build/ and dist/, and name them."""
    # A debian/rules clean, which starts every package build, must not take away packages that were built before.
    by_debhelper = "DH_INTERNAL_BUILDFLAGS" in os.environ
    for directory in (run.settings.build,) if by_debhelper else (run.settings.build, run.settings.dist):
        if directory.exists():
            console.step("CLEAN", f"{directory.name}/")
            with ExitStack() as stack:
                # Whatever runs there has locked one of these.
                stack.enter_context(files.exclusive(directory, "verb"))
                for used in [path for path in directory.iterdir() if path.is_dir()]:
                    stack.enter_context(files.exclusive(used, "verb"))
                try:
                    files.remove(directory)
                except KeyboardInterrupt:
                    raise KeyboardInterrupt(f"a part of {directory.name}/ is gone") from None
