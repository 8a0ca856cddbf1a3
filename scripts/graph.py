#!/usr/bin/env python3
"""Draw the dependencies of each service, and what builds them, as an SVG picture in dist/."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from toolkit.core import console, files
from toolkit.explain import picture
from toolkit.project import discovery, settings
from toolkit.vendored import locked


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    return settings.parser(__doc__ or "")


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    chosen = settings.from_arguments(build_parser().parse_args(argv))
    needs = locked.read(discovery.discover(chosen), chosen)
    chosen.dist.mkdir(parents=True, exist_ok=True)
    for item in needs:
        path = chosen.dist / f"{item.lock.service}.svg"
        files.write_atomic(path, picture.draw(item))
        count = sum(1 for _ in item.lock.distributions())
        console.step("GRAPH", f"{path.relative_to(chosen.project)}: {count} distributions")
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
