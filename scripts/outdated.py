#!/usr/bin/env python3
"""Say what has newer releases: those that the requirements allow, and the newest there are; changes nothing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from toolkit import locked, resolving, settings, toolenv, ui
from toolkit import project as projects


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    parser = settings.parser(__doc__ or "")
    group = resolving.add_options(parser, "outdated")
    group.add_argument("--json", action="store_true", help="print JSON, and nothing else")
    group.add_argument("--strict", action="store_true", help="end with status 1 where anything has newer releases")
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    if arguments.json:
        ui.verbosity = 0
    exclude_newer = resolving.when(arguments.exclude_newer)
    project = projects.discover(chosen)
    locked.require(project, chosen)
    toolenv.enter(arguments.index_url, arguments.extra_index_url)
    # Above the network line: only the tools environment has what these need.
    from toolkit import engines, indexes, outdated, upgrade, vendoring

    found = indexes.read(arguments.index_url, arguments.extra_index_url)
    platforms = tuple(arguments.platforms.replace(",", " ").split())
    options = vendoring.VendorOptions(upgrade=("all",), exclude_newer=exclude_newer, platforms=platforms)
    outlook = upgrade.look(project, chosen, options, found, engines.get(arguments.resolver, found))
    shown = outdated.to_json(outlook.rows) if arguments.json else outlook.text()
    sys.stdout.write(shown)
    return 1 if outlook.rows and arguments.strict else 0


if __name__ == "__main__":
    sys.exit(ui.run_main(lambda: main(sys.argv[1:])))
