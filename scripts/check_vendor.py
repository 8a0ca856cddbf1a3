#!/usr/bin/env python3
"""Check, offline, that vendor/ holds exactly what its locks list and that the locks are not stale."""

from __future__ import annotations

import argparse
import sys

from toolkit.core import console
from toolkit.project import discovery, settings
from toolkit.vendored import check


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    return settings.parser("Check vendor/ against its locks, and the locks against the files they were made from.")


def main(argv: list[str]) -> int:
    """Check, and say so; raises `UserError` with everything that is wrong."""
    chosen = settings.from_arguments(build_parser().parse_args(argv))
    check.require(discovery.discover(chosen), chosen)
    files = [path for path in chosen.vendor.iterdir() if path.is_file() and path.name != ".git"]
    size = sum(path.stat().st_size for path in files)
    console.step("CHECK", f"vendor/: {len(files)} files, {size / 1e6:.1f} MB, all as locked")
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
