#!/usr/bin/env python3
"""Make a Vagrant box of a suite for libvirt, of Debian packages alone, and tell how to use it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from toolkit.core import console
from toolkit.debian import chroot
from toolkit.project import settings
from toolkit.stand import box


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    parser = settings.parser(__doc__ or "")
    parser.add_argument("--suite", default="", help="such as trixie (default: that of this machine)")
    parser.add_argument("--mirror", default="", help="where packages come from: a URI, or a line of sources.list")
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    suite = arguments.suite or chroot.own_suite()
    made = box.make(chroot.minimal(suite, arguments.mirror), chosen)
    console.note(f"""the box {made.name} is {made.path}; a stand of this suite is made of it:
    STAND_SUITE={suite} vagrant up --provider=libvirt""")
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
