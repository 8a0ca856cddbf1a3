#!/usr/bin/env python3
"""Run the linters of every service (of every library, where there is no service), offline, with what vendor/ holds.

They are those that dev-requirements.txt or test-requirements.txt name, or pyproject.toml and the like configure. Where
there is none, the syntax is checked.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from toolkit.build import interpreters, wheels
from toolkit.build.wheels import BuildOptions, Built
from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.install import installation
from toolkit.project import discovery, settings
from toolkit.project.discovery import Package, Project
from toolkit.project.settings import Settings
from toolkit.quality import linters, linting
from toolkit.quality.linting import Linting
from toolkit.vendored import check, lock_file


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    return wheels.parser(__doc__ or "")


def lint(project: Project, chosen: Settings, options: BuildOptions) -> dict[str, dict[str, str]]:
    """Return what linters say, by package and linter."""
    wanted = {package: linters.wanted(project, package) for package in project.locked}
    built = wheels.build(project, chosen, options, tests=True, development=True) if any(wanted.values()) else None
    said = {}
    for package in project.locked:
        if built and wanted[package]:
            found = linting.run(_linting(project, package, chosen, built, wanted[package]), options)
        else:
            locked = lock_file.read(lock_file.path_of(chosen.vendor, project.lock_name(package)))
            output = linting.check_syntax(package, interpreters.find(locked.pythons, options.python))
            found = {"the syntax check": output} if output else {}
        said[package.service_name] = found
    return said


def _linting(
    project: Project, package: Package, chosen: Settings, built: Built, wanted: Sequence[linters.Wanted]
) -> Linting:
    name = project.lock_name(package)
    # What is for all of the project's developers is in the first one's lock; it fits the same interpreter.
    first = project.lock_name(project.locked[0])
    shared = built.tests[first] if built.interpreters[first] == built.interpreters[name] else ()
    return Linting(
        project=project,
        plan=installation.plan(package, name, chosen, built),
        wanted=wanted,
        tools=(*built.tests[name], *shared),
        scratch=chosen.build,
    )


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    project = discovery.discover(chosen)
    check.require(project, chosen)
    said = lint(project, chosen, wheels.options_from(arguments, chosen))
    faults = {name: found for name, found in said.items() if found}
    if faults:
        what = "; ".join(f"{name}: {', '.join(found)}" for name, found in faults.items())
        details = "\n".join(output.rstrip() for found in faults.values() for output in found.values())
        raise UserError(f"{what}: faults found", "mend what is said above", details)
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
