#!/usr/bin/env python3
"""Print what stand/Vagrantfile asks for, as one JSON object; before a machine is made, look whether the host can."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from toolkit.core import console
from toolkit.project import settings
from toolkit.stand import vagrant, vagrant_check


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = settings.parser(__doc__ or "")
    parser.add_argument("--provider", default="", help="what runs the machine (default: Vagrant chooses)")
    parser.add_argument("--plugins", default="", help="the plugins that Vagrant has, of those that matter")
    parser.add_argument("--check", action="store_true", help="look whether this host can run the machine")
    return parser


def main(argv: Sequence[str]) -> int:
    """Print the answer."""
    arguments = build_parser().parse_args(argv)
    chosen, wanted = settings.from_arguments(arguments), vagrant.read(os.environ)
    if arguments.check:
        vagrant_check.check(wanted, chosen.project, arguments.provider, arguments.plugins.split())
    print(json.dumps(vagrant.describe(wanted, chosen), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
