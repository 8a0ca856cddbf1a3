#!/usr/bin/env python3
"""Say what has newer releases: those that the requirements allow, and the newest there are; changes nothing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from toolkit.build import wheels
from toolkit.core import console
from toolkit.network import index_options, tools_environment
from toolkit.project import discovery, settings
from toolkit.resolve import version_options
from toolkit.vendored import locked


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    parser = settings.parser(__doc__ or "")
    group = version_options.add_options(parser, "outdated")
    group.add_argument("--json", action="store_true", help="print JSON, and nothing else")
    group.add_argument("--strict", action="store_true", help="end with status 1 where anything has newer releases")
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    if arguments.json:
        console.verbosity = 0
    indexes = index_options.from_arguments(arguments)
    exclude_newer = version_options.when(arguments.exclude_newer)
    project = discovery.discover(chosen)
    locked.require(project, chosen)
    tools_environment.enter(indexes)
    # Above the network line: only the tools environment has what these need.
    from toolkit.explain import outdated, upgrade
    from toolkit.network import index_settings
    from toolkit.resolve import engines
    from toolkit.vendoring import vendor

    found = index_settings.read(indexes)
    platforms = tuple(arguments.platforms.replace(",", " ").split())
    building = wheels.options_from(arguments, chosen)
    options = vendor.VendorOptions(
        upgrade=("all",), exclude_newer=exclude_newer, platforms=platforms, building=building
    )
    outlook = upgrade.look(project, chosen, options, found, engines.get(arguments.resolver, found))
    shown = outdated.to_json(outlook.rows) if arguments.json else outlook.text()
    sys.stdout.write(shown)
    return 1 if outlook.rows and arguments.strict else 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
