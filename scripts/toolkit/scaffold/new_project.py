"""A new project: a repository with the toolkit and the vendored files as submodules, and a first service."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from toolkit.core import console, directories, git, os_release, process, secrets
from toolkit.core.errors import UserError
from toolkit.project import package_search
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.quality import service_tests
from toolkit.scaffold import new_service, record, templates, writing
from toolkit.scaffold.record import Scaffold
from toolkit.scaffold.templates import Entry
from toolkit.scaffold.writing import Change

#: Recipes of docs/ci, each with where its system looks for it.
RECIPES = {
    "gitlab": ("gitlab-ci.yml", ".gitlab-ci.yml"),
    "github": ("github-actions.yml", ".github/workflows/packages.yml"),
    "jenkins": ("Jenkinsfile", "Jenkinsfile"),
}
_OTHER_TOOLKIT = "name the toolkit's own repository"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for: the first service, and where things come from.

    `toolkit` and `vendor` are URLs of the submodules, the second empty for a new repository beside the project; `ci` is
    one of `RECIPES`, or empty; `summary` says what the service does, `runtime` what it is written with; `overlay` is
    templates laid over the common ones.
    """

    service: str
    toolkit: str = ""
    vendor: str = ""
    ci: str = ""
    summary: str = ""
    runtime: str = ""
    overlay: tuple[str, ...] = ()


def toolkit_url(toolkit: Path) -> str:
    """Return the URL that others get the toolkit from: its own origin, else itself.

    Raises `UserError` where it has no repository.
    """
    if not (toolkit / ".git").exists():
        raise UserError(
            f"{toolkit}: not a git repository, so it cannot become a submodule",
            "say where it is kept, --toolkit URL, or get it with `git clone`",
        )
    # CI systems clone with a password of the job, or a token in the place of the user.
    origin = secrets.without_credentials(git.ask(toolkit, "config", "remote.origin.url"))
    url = git.absolute(origin or str(toolkit), toolkit)
    if git.is_local(url):
        console.warn(f"common/ will come from {url}, which others cannot reach; --toolkit URL names another repository")
    return url


def plan(project: Project, settings: Settings, request: Request) -> list[Change]:
    """Return what is done with each file of a project; without a service, only with those that belong to none."""
    made = scaffolds(project, settings, request)
    if request.service:
        made |= new_service.scaffolds(
            project, settings, request.service, request.summary, request.runtime, request.overlay
        )
    return plan_of(project.root, settings.toolkit, made)


def plan_of(root: Path, toolkit: Path, made: Mapping[str, Scaffold]) -> list[Change]:
    """Return what is done with each file when scaffolds are written, and with the record of them."""
    found = {key: entries(key, scaffold, toolkit) for key, scaffold in made.items()}
    changes = writing.plan(root, (entry for part in found.values() for entry in part))
    kept = {change.entry.path for change in changes if change.verb == "KEEP"}
    revision = git.ask(toolkit, "rev-parse", "HEAD")
    # Of a part that was there nobody knows what it was written from.
    whole = {
        key: replace(scaffold, revision=revision)
        for key, scaffold in made.items()
        if kept.isdisjoint(entry.path for entry in found[key] if not entry.is_part)
    }
    return [*changes, record.change(root, whole)]


def scaffolds(project: Project, settings: Settings, request: Request) -> dict[str, Scaffold]:
    """Return what is written for a project without its services."""
    values = {"project": new_service.source_name(project.root, request.service), "namespace": settings.namespace}
    kinds = ("project",) if service_tests.is_configured(project.root) else ("project", "pytest")
    found = {"project": Scaffold(templates=kinds, values=values)}
    if request.ci:
        names = {package.path.name for package in project.services} | {request.service.replace("-", "_")}
        system = os_release.read()
        values = {"recipe": request.ci, "services": " ".join(sorted(names - {""}))}
        values |= {"system": system.get("ID", ""), "suite": system.get("VERSION_CODENAME", "")}
        found["ci"] = Scaffold(templates=(), values=values)
    return found


def entries(key: str, scaffold: Scaffold, toolkit: Path) -> list[Entry]:
    """Return the files of a scaffold by the templates of a toolkit."""
    if key == "ci":
        return [_recipe(toolkit / "docs" / "ci", scaffold.values)]
    return templates.read(scaffold.values, *(toolkit / "templates" / kind for kind in scaffold.templates))


def _recipe(directory: Path, values: Mapping[str, str]) -> Entry:
    """Return a recipe with these services and this system's release instead of those that it is written with."""
    source, target = RECIPES[values["recipe"]]
    text = (directory / source).read_text(encoding="utf-8")
    text = re.sub(r"api_service(\W+)worker", lambda found: found[1].join(values["services"].split()), text)
    if values["system"] and values["suite"]:
        text = re.sub(r"bookworm(\W+)trixie", lambda _: values["suite"], text)
        text = text.replace("debian:bookworm", f"{values['system']}:{values['suite']}")
    return Entry(path=PurePosixPath(target), text=text)


def vendor_repository(directory: Path) -> Path:
    """Return the repository of vendored files that a project without another one begins with."""
    return directory.with_name(f"{directory.name}-vendor.git")


def check(directory: Path, request: Request) -> None:
    """Raise `UserError` where a project cannot be made: before anything is written, and without changing anything."""
    for parent in directory.parents:
        if package_search.is_toolkit(parent / "common"):
            raise UserError(
                f"{directory}: inside the project {parent}",
                "`common/scripts/new-service NAME`, run there, adds a service to it",
            )
    git.identity(directory)
    vendor = vendor_repository(directory)
    if not request.vendor and os.path.lexists(vendor) and not (directory / "vendor").exists():
        raise UserError(
            f"{vendor}: exists already, where the repository of vendored files would be made",
            f"to use it, say --vendor {vendor}",
        )
    if not (directory / "common").exists() and not git.heads(request.toolkit, "--toolkit"):
        raise UserError(f"--toolkit {request.toolkit}: the repository there is empty", _OTHER_TOOLKIT)
    if request.vendor:
        git.heads(request.vendor, "--vendor")


def create(settings: Settings, request: Request, changes: Sequence[Change]) -> None:
    """Make the repository, with everything committed. It appears whole or not at all."""
    directory = settings.project
    with directories.temporary(directory.parent, ".new-project-") as scratch:
        project = scratch / directory.name
        git.run(scratch, "init", "--quiet", directory.name)
        for change in changes:
            writing.write(project, change.entry, change.text)
        for path, url in clone(project, settings, request):
            git.add_submodule(project, url, path)
        git.run(project, "add", "--all", "--force")
        git.run(project, "commit", "--quiet", "--message", f"A project with the service {request.service}")
        made = vendor_repository(project)
        if made.exists():
            made.rename(vendor_repository(directory))
        try:
            project.rename(directory)
        except BaseException:
            if not request.vendor:
                vendor_repository(directory).rename(made)
            raise
    # Git noted where the submodules' repositories were.
    git.run(directory, "submodule", "--quiet", "sync")


def clone(
    project: Path, settings: Settings, request: Request, paths: Collection[str] = ("common", "vendor")
) -> list[tuple[str, str]]:
    """Clone into a directory what become the submodules of a project; return the path of each, and its URL."""
    found = []
    if "common" in paths:
        _clone_toolkit(project, settings.toolkit, request.toolkit)
        found.append(("common", request.toolkit))
    if "vendor" in paths:
        found.append(("vendor", _clone_vendor(project, settings, request)))
    return found


def _clone_toolkit(project: Path, toolkit: Path, url: str) -> None:
    """Clone the toolkit at the commit that runs now, whose templates these are; if it is not there, at the newest."""
    console.step("CLONE", f"common/ from {url}")
    git.run(project, "clone", "--quiet", "--", url, "common")
    head = git.ask(toolkit, "rev-parse", "HEAD")
    common = project / "common"
    if head and not git.ask(common, "cat-file", "-t", head):
        git.ask(common, "fetch", "--quiet", "origin", head)
    try:
        git.run(common, "checkout", "--quiet", "--detach", head or "HEAD")
    except process.CommandError:
        console.warn(
            f"common/ is another version of the toolkit than this one, whose commit {head[:12]} is not at {url}"
        )
    else:
        if git.ask(toolkit, "status", "--porcelain", "--untracked-files=no"):
            console.warn(
                f"common/ is the commit {head[:12]}; changes to {toolkit} that are not committed are not in it"
            )
    if not package_search.is_toolkit(common):
        raise UserError(f"--toolkit {url}: what is there is not this toolkit", _OTHER_TOOLKIT)


def _clone_vendor(project: Path, settings: Settings, request: Request) -> str:
    """Clone vendor/, and return its URL. A repository that is empty gets a first commit: submodules are at one."""
    url = request.vendor or f"../{vendor_repository(project).name}"
    console.step("CLONE", f"vendor/ from {url}")
    if not request.vendor:
        git.run(project, "init", "--quiet", "--bare", vendor_repository(project))
    git.run(project, "clone", "--quiet", "--", url, "vendor")
    vendor = project / "vendor"
    if not request.vendor or not git.heads(url, "--vendor"):
        for entry in templates.read({"project": settings.project.name}, settings.toolkit / "templates" / "vendor"):
            writing.write(vendor, entry, entry.text)
        git.run(vendor, "add", "--all")
        git.run(vendor, "commit", "--quiet", "--message", "A place for vendored files")
        if not request.vendor:
            git.run(vendor, "push", "--quiet", "origin", "HEAD")
    return url
