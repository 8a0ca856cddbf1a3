"""Adopt a repository: its submodules and the files it lacks appear together, staged, or nothing has changed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from toolkit.core import console, directories, files, git
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line
from toolkit.core.git import Repository
from toolkit.project.settings import Settings
from toolkit.scaffold import adoption, new_project, writing
from toolkit.scaffold.adoption import Adoption
from toolkit.scaffold.new_project import Request
from toolkit.scaffold.part import Part

#: What `git submodule add` changes in a git directory, beside `modules/`.
_OF_GIT = ("index", "config")


def adopt(settings: Settings, request: Request, *, dry_run: bool) -> None:
    """Make a project of a repository; `request.service` is a name for what has none, its URLs may be paths.

    Raises `UserError`, and then everything is as it was.
    """
    root, here = settings.project, Path.cwd()
    if root == settings.toolkit:
        raise UserError(f"{root}: the toolkit itself, not a project", "run it in the repository that is to be adopted")
    _require_top(root)
    repository = Repository(directory=root, name=root.name)
    git.require_quiet(repository)
    missing = [path for path in ("common", "vendor") if not (root / path).exists()]
    toolkit, vendor = request.toolkit, request.vendor
    if "common" in missing:
        toolkit = git.absolute(toolkit, here) if toolkit else new_project.toolkit_url(settings.toolkit)
    request = replace(request, toolkit=toolkit, vendor=vendor and git.absolute(vendor, here))
    new_project.check(root, request)
    found = adoption.plan(settings, request.service)
    for part in found.parts:
        _tell(part)
    if dry_run:
        for path in missing:
            url = toolkit if path == "common" else request.vendor or f"../{new_project.vendor_repository(root).name}"
            console.step("CLONE", f"{path}/ from {url}")
    else:
        _create(repository, settings, request, found, missing)
    writing.report(found.changes)
    for note in found.notes:
        console.note(note)
    if not dry_run:
        _tell_next(repository, request, found, missing)


def _require_top(root: Path) -> None:
    try:
        git.require_top(root)
    except UserError as error:
        if git.ask(root, "rev-parse", "--show-toplevel"):
            raise
        raise UserError(
            error.what, "`git init && git add --all && git commit` makes one of what is there; then again"
        ) from None


def _tell(part: Part) -> None:
    if not part.is_service:
        console.step("FOUND", f"{part.shown}: the library {part.name}")
    elif part.own_script:
        console.step("FOUND", f"{part.shown}: the service {part.service}, started by bin/{part.own_script}")
    for program in part.programs:
        kind = "service" if program.runs_on else "command"
        what = f"its program {program.process}" if program.process else f"the {kind} {part.service}"
        console.step("FOUND", f"{part.shown}: {what}, started by `{one_line(program.shown)}` ({program.origin})")


def _create(
    repository: Repository, settings: Settings, request: Request, found: Adoption, missing: Sequence[str]
) -> None:
    root = settings.project
    with directories.temporary(root.parent, ".adopt-") as scratch, ExitStack() as undo:
        # All that needs a network or may ask somebody is done before anything of the repository changes.
        staged = scratch / root.name
        git.run(scratch, "init", "--quiet", root.name)
        cloned = new_project.clone(staged, settings, request, missing)
        _restore_at_the_end(undo, repository, missing)
        new = writing.apply(root, found.changes)
        undo.callback(_remove_new, root, new)
        made = new_project.vendor_repository(staged)
        if made.exists():
            made.rename(new_project.vendor_repository(root))
            undo.callback(files.remove, new_project.vendor_repository(root))
        for path, url in cloned:
            (staged / path).rename(root / path)
            undo.callback(files.remove, root / path)
            git.add_submodule(root, url, path)
            # Git noted where the submodules' repositories were.
            git.run(root, "submodule", "--quiet", "sync", "--", path)
        if new:
            git.run(root, "add", "--force", "--", *new)
        undo.pop_all()


def _restore_at_the_end(undo: ExitStack, repository: Repository, missing: Sequence[str]) -> None:
    """Have the index, the configuration and .gitmodules of a repository, as they are now, brought back by `undo`."""
    for path in [*map(repository.path, _OF_GIT), repository.directory / ".gitmodules"]:
        undo.callback(_restore, path, path.read_bytes() if path.is_file() else None)
    for path in [repository.path("modules"), *(repository.path(f"modules/{path}") for path in missing)]:
        if not os.path.lexists(path):
            undo.callback(files.remove, path)


def _restore(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    elif path.read_bytes() != content:
        files.write_atomic(path, content)


def _remove_new(root: Path, paths: Sequence[str]) -> None:
    for path in paths:
        (root / path).unlink(missing_ok=True)
        for parent in (root / path).parents:
            if parent == root or any(parent.iterdir()):
                break
            parent.rmdir()


def _tell_next(repository: Repository, request: Request, found: Adoption, missing: Sequence[str]) -> None:
    root = repository.directory
    make = "make"
    if found.has_own_makefile:
        make = "make --file common/project.mk"
        console.note("Makefile is the project's own: with a line `include common/project.mk` it has these targets, too")
    lock = f" FROM={found.lock}" if found.lock else ""
    console.note(
        f"{root.name} is a project, and what was written is staged; next:\n    {make} vendor deb{lock}\n"
        f'    git commit --message "Packaged for Debian"\n    {make} commit-vendor'
    )
    for path in ("build", "dist"):
        if not repository.succeeds("check-ignore", "--quiet", f"{path}/x"):
            console.note(f".gitignore does not name {path}/, which `make` writes: add a line /{path}/")
    if "vendor" in missing and not request.vendor:
        vendor = new_project.vendor_repository(root).name
        console.note(f"vendor/ is kept in {vendor} beside the project: take it along to where the project goes")
    listed = repository.ask("ls-files", "--others", "--exclude-standard").splitlines()
    if listed:
        more = f" and {len(listed) - 1} more" if len(listed) > 1 else ""
        console.warn(f"{one_line(listed[0])}{more}: not in git, so not in the package; `git add` or ignore it")
