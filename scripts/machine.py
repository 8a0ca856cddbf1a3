#!/usr/bin/env python3
"""Boot or end the container of a stand, as root; `make stand` starts this, through sudo where it has to."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.stand import machine


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    verbs.add_parser("boot", help="make it where there is none, and start it").add_argument("file", type=Path)
    verbs.add_parser("end", help="shut it down and remove it").add_argument("name")
    return parser


def main(argv: Sequence[str]) -> int:
    """Boot or end it."""
    arguments = build_parser().parse_args(argv)
    if os.geteuid() != 0:
        raise UserError("only root can boot containers", "run `make stand`, which asks sudo")
    if not shutil.which("systemd-nspawn"):
        raise UserError("systemd-nspawn: no such program", "run `make setup`, or `apt install systemd-container`")
    if arguments.verb == "boot":
        machine.boot(machine.read(arguments.file))
    else:
        machine.end(arguments.name)
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
