"""Make a new project: a git repository with the toolkit in common/, vendored files in vendor/, and a first service.

Run again, it writes the files that are missing, and touches none that is there.
"""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path

from toolkit.core import console, git
from toolkit.core.errors import UserError
from toolkit.project import discovery, lines, package_search, settings
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.scaffold import new_project as scaffold
from toolkit.scaffold import new_service, writing
from toolkit.scaffold.new_project import RECIPES, Request
from toolkit.verbs.running import Run


def is_new(directory: Path) -> bool:
    """Tell whether there is no project yet. Raises `UserError` where something else is in its place."""
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return True
    if not (directory / ".git").exists() or not package_search.is_toolkit(directory / "common"):
        raise UserError(
            f"{directory}: there already, and no project of this toolkit", "name a directory that is not there yet"
        )
    return False


def create(chosen: Settings, request: Request, dry_run: bool) -> None:
    """Make a project, and say what comes next."""
    scaffold.check(chosen.project, request)
    console.step("PROJECT", str(chosen.project))
    changes = scaffold.plan(Project(root=chosen.project, packages=()), chosen, request)
    if not dry_run:
        scaffold.create(chosen, request, changes)
    writing.report(changes)
    if not dry_run:
        print_next_steps(chosen.project, request)


def complete(chosen: Settings, request: Request, dry_run: bool) -> None:
    """Write what is missing of a project that is there."""
    git.require_top(chosen.project)
    changes = scaffold.plan(discovery.discover(chosen), chosen, request)
    if not dry_run:
        git.note_new(chosen.project, writing.apply(chosen.project, changes))
    writing.report(changes)


def print_next_steps(directory: Path, request: Request) -> None:
    """Say what was made, and what comes next."""
    console.note(
        f"{directory.name} is a project with the service {request.service}, committed; next:\n"
        f"    cd {shlex.quote(lines.shown(directory, Path.cwd()))}\n    make vendor deb\n    make commit-vendor"
    )
    if not request.vendor:
        vendor = scaffold.vendor_repository(directory).name
        console.note(f"vendor/ is kept in {vendor} beside the project: take it along to where the project goes")


def new_project_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `new-project`."""
    parser.add_argument("directory", metavar="DIRECTORY", type=Path, help="where the project is made")
    parser.add_argument(
        "service",
        metavar="SERVICE",
        nargs="?",
        default="",
        help="what its first service is called (default: as the directory)",
    )
    parser.add_argument(
        "--toolkit", metavar="URL", default="", help="the toolkit's repository (default: where this one comes from)"
    )
    parser.add_argument(
        "--vendor",
        metavar="URL",
        default="",
        help="the repository of vendored files (default: a new one, DIRECTORY-vendor.git)",
    )
    parser.add_argument("--ci", choices=(*RECIPES, "none"), help="the system to write a recipe for (default: gitlab)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be made, and do nothing")
    # Unless it is given, the makefile of a project that is there says it.
    parser.set_defaults(namespace="")


def new_project(run: Run) -> None:
    """Make the project, or write what is missing of one that is there."""
    arguments = run.arguments
    directory = arguments.directory.absolute()
    chosen = Settings(project=directory, toolkit=settings.TOOLKIT, namespace=arguments.namespace or "yc")
    ci = arguments.ci or ("gitlab" if is_new(directory) else "none")
    request = Request(service=arguments.service, ci="" if ci == "none" else ci)
    if is_new(directory):
        create(chosen, with_defaults(request, arguments, directory), arguments.dry_run)
    else:
        namespace = arguments.namespace or new_service.read_setting(directory, "NAMESPACE")
        complete(replace(chosen, namespace=namespace), request, arguments.dry_run)


def with_defaults(request: Request, arguments: argparse.Namespace, directory: Path) -> Request:
    """Return the request of a new project, with the name of its service, and where its submodules come from."""
    service = request.service or directory.name
    new_service.check_name(service)
    toolkit = arguments.toolkit and git.absolute(arguments.toolkit, Path.cwd())
    vendor = arguments.vendor and git.absolute(arguments.vendor, Path.cwd())
    toolkit = toolkit or scaffold.toolkit_url(settings.TOOLKIT)
    return replace(request, service=service, toolkit=toolkit, vendor=vendor)
