#!/usr/bin/env python3
"""Print what was found in the project, every setting and the version of every tool, to paste into a bug report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from toolkit.core import console
from toolkit.explain import inventory
from toolkit.project import settings


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    parser = settings.parser(__doc__ or "")
    parser.add_argument(
        "--setting",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable of the makefile, to be printed; may be repeated",
    )
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    given = {name: value for name, _, value in (setting.partition("=") for setting in arguments.setting)}
    given.setdefault("NAMESPACE", chosen.namespace)
    given.setdefault("PACKAGES", " ".join(chosen.packages))
    given.setdefault("SERVICES", " ".join(chosen.services))
    sys.stdout.write(inventory.text(inventory.sections(chosen, given)))
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
