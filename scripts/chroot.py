#!/usr/bin/env python3
"""Make the chroot of a suite, with what builds the project; a fresh one is left alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from toolkit.core import console
from toolkit.debian import chroot, library
from toolkit.project import debian_control, discovery, settings
from toolkit.project.debian_control import Control
from toolkit.project.settings import Settings


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    parser = settings.parser(__doc__ or "")
    parser.add_argument("--suite", default="", help="such as trixie (default: that of this machine)")
    chroot.add_arguments(parser)
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    recipe = chroot.recipe(read_packaging(chosen), arguments.suite or chroot.own_suite(), arguments.mirror)
    made = chroot.provide(recipe, chosen, arguments.max_age)
    console.note(f"the chroot of {made.suite} is {made.path}")
    return 0


def read_packaging(chosen: Settings) -> Control | None:
    """Return what says with which packages the project is built; None where services have no debian/ yet."""
    if (chosen.project / "debian" / "control").exists():
        return debian_control.read(chosen.project / "debian")
    project = discovery.discover(chosen)
    return None if project.services else library.read(project, chosen)


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
