#!/usr/bin/env python3
"""Build wheels of everything the locks name and of the project's own packages, from vendor/, without a network."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from toolkit.build import wheels
from toolkit.core import console
from toolkit.project import discovery, settings
from toolkit.vendored import check


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    return wheels.parser(__doc__ or "")


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    project = discovery.discover(chosen)
    check.require(project, chosen)
    start = time.monotonic()
    built = wheels.build(project, chosen, wheels.options_from(arguments, chosen))
    count = len({wheel for service in built.runtime.values() for wheel in service})
    console.step("BUILT", f"{count} wheels for {', '.join(built.runtime)} in {time.monotonic() - start:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
