#!/usr/bin/env python3
"""Build the project's Debian packages in clean chroots, for one suite or several, into dist/<suite>/."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from toolkit import check, chroot, compression, debian, sbuild, settings, ui, unprivileged, wheels
from toolkit import project as projects
from toolkit.sbuild import SbuildOptions


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    parser = settings.parser(__doc__ or "")
    parser.add_argument("--suites", default="", help="such as `bookworm trixie` (default: that of this machine)")
    parser.add_argument("--version-suffix", default="~{suite}1", metavar="TEXT",
                        help="what versions end with (default: %(default)s)")
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
    unprivileged.account()
    project = projects.discover(chosen)
    packaging = debian.read(project, chosen)
    if project.services:
        check.require(project, chosen)
    for built in sbuild.build(project, chosen, options, packaging):
        for deb in built:
            ui.step("DEB", deb.shown(chosen.project))
    return 0


if __name__ == "__main__":
    sys.exit(ui.run_main(lambda: main(sys.argv[1:])))
