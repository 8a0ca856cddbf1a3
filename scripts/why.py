#!/usr/bin/env python3
"""Say why a distribution is there: every chain of requirements that brings it in, those of builds included."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.explain import why
from toolkit.project import discovery, settings
from toolkit.vendored import locked

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_USAGE = "name a distribution: make why NAME=flask, or make why flask"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    parser = settings.parser(__doc__ or "")
    group = parser.add_argument_group("options of why")
    group.add_argument("--chains", default="20", metavar="NUMBER", help="how many to print at most: a number, or all")
    group.add_argument("names", nargs="*", metavar="NAME", help="what to explain: names of distributions")
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    limit = parse_limit(arguments.chains)
    names = [name for words in arguments.names for name in words.replace(",", " ").split()]
    if not names:
        raise UserError("NAME is empty", _USAGE)
    for name in names:
        if not _NAME.fullmatch(name):
            raise UserError(f"NAME={name}: no distribution can be called so", _USAGE)
    needs = locked.read(discovery.discover(chosen), chosen)
    sys.stdout.write("\n".join([why.text(needs, name, limit) for name in names]))
    return 0


def parse_limit(text: str) -> int:
    """Return how many chains to print: 0 stands for all of them."""
    if text == "all":
        return 0
    if not text.isdecimal() or int(text) == 0:
        raise UserError(f"CHAINS={text}: not a number", "give how many chains to print at most, or all")
    return int(text)


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
