"""Make a project or a service, or write what is missing of one, and say what comes next; what is there stays."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from toolkit.core import console, git
from toolkit.core.errors import UserError
from toolkit.project import discovery, lines, package_search
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.scaffold import new_project, new_service, writing
from toolkit.scaffold.new_project import Request


def is_new(directory: Path) -> bool:
    """Tell whether there is no project yet. Raises `UserError` where something else is in its place."""
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return True
    if not (directory / ".git").exists() or not package_search.is_toolkit(directory / "common"):
        raise UserError(
            f"{directory}: exists already, and is not a project of this toolkit",
            "name a directory that does not exist yet",
        )
    return False


def make_project(settings: Settings, request: Request, *, dry_run: bool) -> None:
    """Make a project; the request's URLs may be paths, and its service may be left to the directory's name."""
    directory, here = settings.project, Path.cwd()
    # A directory may be called with the namespace, which names of packages begin with anyway.
    service = request.service or directory.name.removeprefix(f"{settings.namespace}-")
    new_service.check_name(service)
    toolkit = git.absolute(request.toolkit, here) if request.toolkit else new_project.toolkit_url(settings.toolkit)
    vendor = request.vendor and git.absolute(request.vendor, here)
    request = replace(request, service=service, toolkit=toolkit, vendor=vendor)
    new_project.check(directory, request)
    console.step("PROJECT", str(directory))
    changes = new_project.plan(Project(root=directory, packages=()), settings, request)
    if not dry_run:
        new_project.create(settings, request, changes)
    writing.report(changes)
    if dry_run:
        return
    console.note(
        f"{directory.name} is a project with the service {request.service}, committed; next:\n"
        f"    cd {shlex.quote(lines.shown(directory, here))}\n    make vendor commit-vendor\n"
        "    ./create-virtual-environment\n    make test deb"
    )
    if not request.vendor:
        vendor = new_project.vendor_repository(directory).name
        console.note(f"vendor/ is kept in {vendor} beside the project: take it along to where the project goes")


def complete_project(settings: Settings, request: Request, *, dry_run: bool) -> None:
    """Write what is missing of a project that is there."""
    git.require_top(settings.project)
    changes = new_project.plan(discovery.discover_any(settings), settings, request)
    if not dry_run:
        git.note_new(settings.project, writing.apply(settings.project, changes))
    writing.report(changes)


def add_service(settings: Settings, name: str, runtime: str = "", *, dry_run: bool) -> None:
    """Write a service, or what is missing of it; `runtime` is one of `new_service.RUNTIMES`."""
    found = discovery.discover_any(settings)
    made = new_service.scaffolds(found, settings, name, runtime=runtime)
    changes = new_project.plan_of(settings.project, settings.toolkit, made)
    if not dry_run:
        git.note_new(settings.project, writing.apply(settings.project, changes))
    writing.report(changes)
    if all(change.verb == "KEEP" for change in changes):
        console.note(f"the service {name} exists already, and lacks nothing")
    elif not dry_run:
        directory = name.replace("-", "_")
        console.note(f"the service {name} is in {directory}/, its package in debian/; next:")
        for services in _lists_without(settings.project, directory):
            console.note(f"    name {directory} beside the other services in {services}")
        console.note(
            f'    make vendor commit-vendor\n    git add --all && git commit --message "A service {name}"\n'
            "    ./create-virtual-environment\n    make test deb"
        )


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


def _lists_without(root: Path, directory: str) -> Iterator[str]:
    """Yield the lists of services that a person keeps and this one is not in: settings, recipes for CI."""
    for setting in ("PACKAGES", "SERVICES"):
        named = new_service.read_setting(root, setting).split()
        if named and directory not in named:
            yield setting
    for _, recipe in new_project.RECIPES.values():
        path = root / recipe
        if path.is_file() and directory not in path.read_text(encoding="utf-8", errors="replace"):
            yield recipe
