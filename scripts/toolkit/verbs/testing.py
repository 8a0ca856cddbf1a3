"""Verbs that run a project's own tests and linters on what was built."""

from __future__ import annotations

import os
from collections.abc import Sequence

from toolkit.build import building_options, interpreters, wheels
from toolkit.build.wheels import Built
from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.install import installation
from toolkit.project.discovery import Package
from toolkit.quality import linters, linting, service_tests
from toolkit.quality.linting import Linting
from toolkit.vendored import lock_file
from toolkit.verbs.running import Run

test_options = lint_options = building_options.add_options


def test(run: Run) -> None:
    """Run the tests of every service (of every library, where there is no service)."""
    if "nocheck" in os.environ.get("DEB_BUILD_OPTIONS", "").split():
        console.step("TEST", "not run: DEB_BUILD_OPTIONS says nocheck")
        return
    project = run.checked
    built = wheels.build(project, run.settings, run.build_options, tests=True)
    for package in project.locked:
        name = project.lock_name(package)
        plan = installation.plan(package, name, run.settings, built)
        service_tests.run(plan, built.tests[name], run.build_options, run.settings.build)


def lint(run: Run) -> None:
    """Run the linters; raises `UserError` with what they find."""
    faults = {name: found for name, found in find_faults(run).items() if found}
    if faults:
        what = "; ".join(f"{name}: {', '.join(found)}" for name, found in faults.items())
        details = "\n".join(output.rstrip() for found in faults.values() for output in found.values())
        raise UserError(f"{what}: faults found", "mend what is said above", details)


def find_faults(run: Run) -> dict[str, dict[str, str]]:
    """Return the output of linters that found something, by service and linter."""
    project, options = run.checked, run.build_options
    used = {package: linters.choose(project, package) for package in project.locked}
    built = wheels.build(project, run.settings, options, tests=True, development=True) if any(used.values()) else None
    faults = {}
    for package in project.locked:
        if built and used[package]:
            found = linting.run(_linting(run, package, built, used[package]), options)
        else:
            locked = lock_file.of_package(project, package, run.settings.vendor)
            output = linting.check_syntax(package, interpreters.find(locked.pythons, options.python))
            found = {"the syntax check": output} if output else {}
        faults[package.service_name] = found
    return faults


def _linting(run: Run, package: Package, built: Built, used: Sequence[linters.ChosenLinter]) -> Linting:
    project, name = run.project, run.project.lock_name(package)
    # What is for all of the project's developers is in the first one's lock; it fits the same interpreter.
    first = project.lock_name(project.locked[0])
    shared = built.tests[first] if built.interpreters[first] == built.interpreters[name] else ()
    return Linting(
        project=project,
        plan=installation.plan(package, name, run.settings, built),
        linters=used,
        tools=(*built.tests[name], *shared),
        scratch=run.settings.build,
    )
