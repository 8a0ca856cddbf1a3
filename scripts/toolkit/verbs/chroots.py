"""The verb that makes the chroot of a suite."""

from __future__ import annotations

import argparse

from toolkit.core import console
from toolkit.debian import chroot as chroots
from toolkit.debian import suites
from toolkit.project import debian_control
from toolkit.project.debian_control import Control
from toolkit.verbs.running import Run


def chroot_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `chroot`."""
    parser.add_argument("--suite", default="", help="such as trixie (default: that of this machine)")
    chroots.add_arguments(parser)


def chroot(run: Run) -> None:
    """Make the chroot of a suite."""
    suite = run.arguments.suite or suites.own()
    recipe = chroots.recipe(_packaging_if_any(run), suite, run.arguments.mirror)
    made = chroots.provide(recipe, run.settings, run.arguments.max_age)
    console.note(f"the chroot of {made.suite} is {made.path}")


def _packaging_if_any(run: Run) -> Control | None:
    """Return what says with which packages the project is built; None where services have no debian/ yet."""
    if (run.settings.project / "debian" / "control").exists():
        return debian_control.read(run.settings.project / "debian")
    if run.project.services:
        return None
    from toolkit.debian import library

    return library.read(run.project, run.settings)
