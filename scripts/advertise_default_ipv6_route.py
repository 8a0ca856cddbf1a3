#!/usr/bin/env python3
"""Make a NAT network of VirtualBox the default IPv6 router of its machines, while none of them runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from toolkit.core import console
from toolkit.stand import virtualbox_network


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--natnetwork", required=True, metavar="NAME", help="the network, which has to exist")
    parser.add_argument("--dry-run", action="store_true", help="only show what would change")
    return parser


def main(argv: Sequence[str]) -> int:
    """Change VirtualBox's settings."""
    arguments = build_parser().parse_args(argv)
    virtualbox_network.advertise(virtualbox_network.Network(name=arguments.natnetwork, range=""), arguments.dry_run)
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
