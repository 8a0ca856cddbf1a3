"""Verbs that make projects and services, or write what is missing of one; a file that is there is never touched."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from toolkit.core.errors import UserError
from toolkit.project.settings import Settings, default_of
from toolkit.scaffold import adopting, adoption, making, new_service, update
from toolkit.scaffold import example as examples
from toolkit.scaffold.new_project import RECIPES, Request
from toolkit.verbs.running import Run


def new_project_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `new-project`."""
    parser.add_argument(
        "directory", metavar="DIRECTORY", nargs="?", type=Path, help="where the project is made, or is (--update: here)"
    )
    parser.add_argument(
        "service",
        metavar="SERVICE",
        nargs="?",
        default="",
        help="what its first service is called (default: as the directory)",
    )
    _add_repositories(parser)
    _add_runtime(parser)
    parser.add_argument("--ci", choices=(*RECIPES, "none"), help="the system to write a recipe for (default: gitlab)")
    _add_update(parser, "what it was made of")
    parser.add_argument("--dry-run", action="store_true", help="say what would be made, and do nothing")
    # Unless it is given, the makefile of a project that is there says it.
    parser.set_defaults(namespace=None)


def _add_runtime(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--runtime",
        choices=tuple(new_service.RUNTIMES),
        default="",
        help="what the service is written with: yc_common, the toolkit's library (default), or none",
    )


def new_project(run: Run) -> None:
    """Make the project, or write what is missing of one that is there."""
    arguments = run.arguments
    if arguments.update:
        _update(replace(run.settings, project=(arguments.directory or Path()).absolute()), arguments)
        return
    if not arguments.directory:
        raise UserError(
            "DIRECTORY: where the project is to be made is missing", "`scripts/new-project ~/src/mail-relay`"
        )
    directory = arguments.directory.absolute()
    is_new = making.is_new(directory)
    ci = arguments.ci or ("gitlab" if is_new else "none")
    request = Request(service=arguments.service, ci="" if ci == "none" else ci, runtime=arguments.runtime)
    if is_new:
        chosen = Settings(project=directory, namespace=arguments.namespace or default_of("NAMESPACE"))
        request = replace(request, toolkit=arguments.toolkit, vendor=arguments.vendor)
        making.make_project(chosen, request, dry_run=arguments.dry_run)
    else:
        namespace = arguments.namespace or new_service.read_setting(directory, "NAMESPACE")
        chosen = Settings(project=directory, namespace=namespace)
        making.complete_project(chosen, request, dry_run=arguments.dry_run)


def _add_update(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "--update",
        action="store_true",
        help=f"bring {what} to the templates of now, by a merge (--dry-run: the difference)",
    )


def _update(settings: Settings, arguments: argparse.Namespace, service: str = "") -> None:
    settings = replace(settings, project=settings.project.resolve())
    making.require_project(settings.project, settings.toolkit)
    namespace = arguments.namespace or new_service.read_setting(settings.project, "NAMESPACE")
    update.run(replace(settings, namespace=namespace), service, dry_run=arguments.dry_run)


def adopt_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `adopt`."""
    parser.add_argument("directory", metavar="DIRECTORY", nargs="?", type=Path, help="the repository (default: here)")
    parser.add_argument(
        "--name", default="", help="what a program is called that is no package yet (default: as its directory)"
    )
    _add_repositories(parser)
    parser.add_argument("--dry-run", action="store_true", help="say what was found and would be done, and do nothing")
    # Unless it is given, the makefile of a project that is there says it.
    parser.set_defaults(namespace=None)


def adopt(run: Run) -> None:
    """Make a project of a repository that exists."""
    arguments = run.arguments
    directory = (arguments.directory or arguments.project).resolve()
    if not directory.is_dir():
        raise UserError(f"{directory}: no directory", "name a repository that is there; `new-project` makes one")
    chosen = Settings(project=directory, namespace=arguments.namespace or adoption.namespace_of(directory))
    request = Request(service=arguments.name, toolkit=arguments.toolkit, vendor=arguments.vendor)
    adopting.adopt(chosen, request, dry_run=arguments.dry_run)


def _add_repositories(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--toolkit", metavar="URL", default="", help="the toolkit's repository (default: where this one comes from)"
    )
    parser.add_argument(
        "--vendor",
        metavar="URL",
        default="",
        help="the repository of vendored files (default: a new one, DIRECTORY-vendor.git)",
    )


def add_service_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `new-service`."""
    # Unless it is given, the project's makefile says it.
    parser.set_defaults(namespace=None)
    parser.add_argument("name", metavar="NAME", help="what the service is called: mail-relay lives in mail_relay/")
    _add_runtime(parser)
    _add_update(parser, "its files")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done with each file, and do nothing")


def add_service(run: Run) -> None:
    """Write what is missing of the service."""
    arguments, chosen = run.arguments, run.settings
    new_service.check_name(arguments.name)
    if arguments.update:
        _update(chosen, arguments, arguments.name)
        return
    making.require_project(chosen.project, chosen.toolkit)
    chosen = replace(chosen, namespace=chosen.namespace or new_service.read_setting(chosen.project, "NAMESPACE"))
    making.add_service(chosen, arguments.name, arguments.runtime, dry_run=arguments.dry_run)


def example_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `example`."""
    parser.add_argument("--directory", type=Path, required=True, help="where the project is, or will be")


def example(run: Run) -> None:
    """Make the example, or bring one that is there up to date, and build its package."""
    examples.make(replace(run.settings, project=run.arguments.directory.absolute()))
