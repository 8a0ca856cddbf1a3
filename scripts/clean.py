#!/usr/bin/env python3
"""Remove what the other verbs made in the project: build/ and dist/."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from toolkit.core import console, files
from toolkit.project import settings


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    return settings.parser(__doc__ or "")


def main(argv: Sequence[str]) -> int:
    """Remove the directories that are there, and name them."""
    chosen = settings.from_arguments(build_parser().parse_args(argv))
    # A debian/rules clean, which starts every package build, must not take away packages that were built before.
    by_debhelper = "DH_INTERNAL_BUILDFLAGS" in os.environ
    for directory in (chosen.build,) if by_debhelper else (chosen.build, chosen.dist):
        if directory.exists():
            console.step("CLEAN", f"{directory.name}/")
            files.remove_tree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
