"""Write a new service into a project: its directory, and its package in debian/.

Run again, it writes what is missing; a file that is there is never touched, but for the paragraphs that debian/control,
debian/tests/control and debian/source/lintian-overrides lack.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from toolkit.core import console, git
from toolkit.core.errors import UserError
from toolkit.project import discovery, package_search
from toolkit.scaffold import new_project, writing
from toolkit.scaffold import new_service as scaffold
from toolkit.verbs.running import Run


def require_project(root: Path, toolkit: Path) -> None:
    """Raise `UserError` where there is no project that a service could be added to."""
    git.require_top(root)
    if root == toolkit:
        raise UserError(f"{root}: the toolkit itself, not a project", "`scripts/new-project DIRECTORY` makes one")
    if not toolkit.is_relative_to(root) and not package_search.is_toolkit(root / "common"):
        raise UserError(
            f"{root}/common: the toolkit is not there",
            "`git submodule add <its repository> common`, then `ln -s common/project.mk Makefile`",
        )
    if not (root / "Makefile").is_file():
        raise UserError(f"{root}/Makefile: there is none", "`ln -s common/project.mk Makefile`")


def print_next_steps(root: Path, name: str) -> None:
    """Say what comes next."""
    directory = name.replace("-", "_")
    console.note(f"the service {name} is in {directory}/, its package in debian/; next:")
    for services in lists_without(root, directory):
        console.note(f"    name {directory} beside the other services in {services}")
    console.note(
        f'    make vendor deb\n    git add --all && git commit --message "A service {name}"\n    make commit-vendor'
    )


def lists_without(root: Path, directory: str) -> Iterator[str]:
    """Yield the lists of services that a person keeps and this one is not in: settings, recipes for CI."""
    for setting in ("PACKAGES", "SERVICES"):
        named = scaffold.read_setting(root, setting).split()
        if named and directory not in named:
            yield setting
    for _, recipe in new_project.RECIPES.values():
        path = root / recipe
        if path.is_file() and directory not in path.read_text(encoding="utf-8", errors="replace"):
            yield recipe


def new_service_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `new-service`."""
    # Unless it is given, the project's makefile says it.
    parser.set_defaults(namespace="")
    parser.add_argument("name", metavar="NAME", help="what the service is called: mail-relay lives in mail_relay/")
    parser.add_argument("--dry-run", action="store_true", help="say what would become of each file, and do nothing")


def new_service(run: Run) -> None:
    """Write what is missing of the service."""
    arguments, chosen = run.arguments, run.settings
    scaffold.check_name(arguments.name)
    require_project(chosen.project, chosen.toolkit)
    chosen = replace(chosen, namespace=chosen.namespace or scaffold.read_setting(chosen.project, "NAMESPACE"))
    project = discovery.discover(chosen)
    entries = scaffold.entries(project, chosen, arguments.name)
    changes = writing.plan(chosen.project, [*scaffold.packaging(project, chosen, arguments.name), *entries])
    if not arguments.dry_run:
        git.note_new(chosen.project, writing.apply(chosen.project, changes))
    writing.report(changes)
    if all(change.verb == "KEEP" for change in changes):
        console.note(f"the service {arguments.name} is there already, and lacks nothing")
    elif not arguments.dry_run:
        print_next_steps(chosen.project, arguments.name)
