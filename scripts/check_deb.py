#!/usr/bin/env python3
"""Check built Debian packages: lintian; install, upgrade, remove and purge in a clean system; their own tests."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from toolkit.core import console
from toolkit.debian import chroot
from toolkit.debian.proof import check
from toolkit.debian.proof.check import CheckOptions
from toolkit.project import settings


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    parser = settings.parser(__doc__ or "")
    parser.add_argument("--suites", default="", help="check dist/<suite>/ of each, instead of what stands in dist/")
    parser.add_argument("--upgrade-from", default="", metavar="DIRECTORY", help="older packages, to upgrade from")
    chroot.add_arguments(parser)
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    suites = arguments.suites.split()
    places = {suite: chosen.dist / suite for suite in suites} or {chroot.own_suite(): chosen.dist}
    options = CheckOptions(
        upgrade_from=Path(arguments.upgrade_from).absolute() if arguments.upgrade_from else None,
        mirror=arguments.mirror,
        max_age=arguments.max_age,
    )
    check.require_tools()
    found = {suite: check.read(place, options) for suite, place in places.items()}
    for suite, built in found.items():
        console.step("CHECK", f"{', '.join(path.name for path in built.packages)}")
        check.check(built, suite, chosen, options)
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
