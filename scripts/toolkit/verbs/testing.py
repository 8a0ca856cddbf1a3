"""Verbs that run a project's own tests and linters on what was built."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from toolkit.build import building_options, wheels
from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.install import installation
from toolkit.project import settings
from toolkit.project.discovery import Package
from toolkit.quality import linting, service_tests
from toolkit.quality.reports import Reports
from toolkit.verbs.running import Run


def lint_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lint`."""
    building_options.add_options(parser)
    parser.add_argument("--service", default="", metavar="NAME", help="this one alone (default: all)")


def test_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `test`."""
    lint_options(parser)
    settings.add_reports(parser)


def _chosen(run: Run) -> Sequence[Package]:
    """Return the packages that are asked for: SERVICE=, or all that have a lock."""
    project, given = run.project, run.arguments.service
    if not given:
        return project.locked
    chosen = project.chosen(given)
    if chosen not in project.locked:
        names = ", ".join(map(project.lock_name, project.locked))
        raise UserError(f"SERVICE={given}: a library, which is tested with the services", f"there are {names}")
    return [chosen]


def test(run: Run) -> None:
    """Run the tests of every service (of every library, where there is no service)."""
    if "nocheck" in os.environ.get("DEB_BUILD_OPTIONS", "").split():
        console.step("TEST", "not run: DEB_BUILD_OPTIONS says nocheck")
        return
    project = run.checked
    given = run.arguments.reports
    reports = Reports(directory=given, project=run.settings.project) if given else None
    chosen = _chosen(run)
    built = wheels.build(project, run.settings, run.build_options, chosen, tests=True)
    for package in chosen:
        name = project.lock_name(package)
        plan = installation.plan(package, name, run.settings, built)
        service_tests.run(plan, built.tests[name], run.build_options, run.settings.build, reports)


def lint(run: Run) -> None:
    """Run the linters; raises `UserError` with what they find."""
    faults = {
        name: found
        for name, found in linting.find_faults(run.checked, run.settings, run.build_options, _chosen(run)).items()
        if found
    }
    if faults:
        what = "; ".join(f"{name}: {', '.join(found)}" for name, found in faults.items())
        details = "\n".join(output.rstrip() for found in faults.values() for output in found.values())
        raise UserError(f"{what}: faults found", "mend what is said above", details)
