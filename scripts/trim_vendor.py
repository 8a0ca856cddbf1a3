#!/usr/bin/env python3
"""Shorten the history of the vendor repository; what branches and tags of the project record stays, under its ids."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from toolkit.core import console, files
from toolkit.core.errors import UserError
from toolkit.project import settings
from toolkit.vendor_repository import trim


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    parser = settings.parser(__doc__ or "")
    parser.add_argument("--keep", type=depth, default=10, metavar="N", help="newest revisions of each branch to keep")
    parser.add_argument("--yes", action="store_true", help="do it, instead of showing what would be done")
    return parser


def depth(text: str) -> int:
    """Return how many revisions to keep: at least one."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise UserError(f"KEEP={text}: not a number of revisions", "write 1 or more: KEEP=10")
    return int(text)


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    with files.exclusive(chosen.project, "make vendor"):
        trim.run(chosen, arguments.keep, do_it=arguments.yes)
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
