#!/usr/bin/env python3
"""Build the project's Debian packages in clean chroots, for one suite or several, into dist/<suite>/."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from toolkit.build import wheels
from toolkit.core import console
from toolkit.debian import build_user, chroot, compression, deb_build, sbuild
from toolkit.debian.sbuild import SbuildOptions
from toolkit.project import discovery, settings
from toolkit.vendored import check


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    parser = settings.parser(__doc__ or "")
    parser.add_argument("--suites", default="", help="such as `bookworm trixie` (default: that of this machine)")
    parser.add_argument(
        "--version-suffix", default="~{suite}1", metavar="TEXT", help="what versions end with (default: %(default)s)"
    )
    wheels.add_jobs(parser)
    compression.add_argument(parser, compression.SMALL)
    chroot.add_arguments(parser)
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    options = SbuildOptions(
        suites=tuple(arguments.suites.split()) or (chroot.own_suite(),),
        suffix=arguments.version_suffix,
        jobs=arguments.jobs,
        compression=arguments.compression,
        mirror=arguments.mirror,
        max_age=arguments.max_age,
    )
    sbuild.check(options)
    # What is packaged has the same modes whoever builds it.
    os.umask(0o022)
    build_user.account()
    project = discovery.discover(chosen)
    packaging = deb_build.read(project, chosen)
    if project.services:
        check.require(project, chosen)
    for built in sbuild.build(project, chosen, options, packaging):
        for deb in built:
            console.step("DEB", deb.shown(chosen.project))
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
