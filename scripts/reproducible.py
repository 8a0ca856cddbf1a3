#!/usr/bin/env python3
"""Build the Debian packages twice, with all different that must not matter, and compare them byte for byte."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from toolkit.build import wheels
from toolkit.core import console
from toolkit.debian import compression, deb_build
from toolkit.debian.proof import reproducible
from toolkit.project import discovery, settings
from toolkit.vendored import check


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    parser = settings.parser(__doc__ or "")
    wheels.add_jobs(parser)
    parser.add_argument("--python", default="", help="the interpreter to build for")
    compression.add_argument(parser, compression.FAST)
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    os.umask(0o022)
    project = discovery.discover(chosen)
    packaging = deb_build.prepare(project, chosen)
    if project.services:
        check.require(project, chosen)
    options = wheels.BuildOptions(jobs=arguments.jobs, store=chosen.build / "wheel-store", python=arguments.python)
    for name, digest in reproducible.build(project, chosen, options, packaging, arguments.compression).items():
        console.step("SAME", f"{name}  sha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
