#!/usr/bin/env python3
"""Install every service, a virtual environment of its own each, below a directory that stands for the root."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from toolkit.build import wheels
from toolkit.core import console
from toolkit.install import installation
from toolkit.project import discovery, settings
from toolkit.vendored import check


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    parser = wheels.parser(__doc__ or "")
    parser.add_argument("--destdir", required=True, metavar="DIR", help="what stands for the root of the file system")
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    # What is installed has the same modes whoever installs it.
    os.umask(0o022)
    project = discovery.discover(chosen)
    check.require(project, chosen)
    installation.install(project, chosen, wheels.options_from(arguments, chosen), Path(arguments.destdir).absolute())
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
