#!/usr/bin/env python3
"""Run the tests of every service (of every library, where there is no service) against what vendor/ builds."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from toolkit.build import wheels
from toolkit.core import console
from toolkit.install import installation
from toolkit.project import discovery, settings
from toolkit.quality import service_tests
from toolkit.vendored import check


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    return wheels.parser(__doc__ or "")


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    if "nocheck" in os.environ.get("DEB_BUILD_OPTIONS", "").split():
        console.step("TEST", "not run: DEB_BUILD_OPTIONS says nocheck")
        return 0
    project = discovery.discover(chosen)
    check.require(project, chosen)
    options = wheels.options_from(arguments, chosen)
    built = wheels.build(project, chosen, options, tests=True)
    for package in project.locked:
        name = project.lock_name(package)
        plan = installation.plan(package, name, chosen, built)
        service_tests.run(plan, built.tests[name], options, chosen.build)
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
