#!/usr/bin/env python3
"""Write the bill of materials (CycloneDX) of each service to dist/, as its package carries it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from toolkit.build import wheels
from toolkit.core import console
from toolkit.install import installation, sbom
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
    built = wheels.build(project, chosen, wheels.options_from(arguments, chosen))
    for name, runtime in built.runtime.items():
        path = chosen.dist / f"{name}.cdx.json"
        sbom.write(path, installation.materials(name, chosen, built))
        console.step("SBOM", f"{path.relative_to(chosen.project)}: {len(runtime)} distributions")
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
