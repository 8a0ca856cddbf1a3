"""The verb `trim-vendor`: its checks, its messages, and what becomes of the trimmed repository."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from toolkit.core import console, directories, git
from toolkit.core.errors import UserError
from toolkit.core.git import Repository
from toolkit.core.sizes import human
from toolkit.project import submodules
from toolkit.project.settings import Settings
from toolkit.vendor_repository import state, trimming
from toolkit.vendor_repository.origin import Origin, locate, remote_of
from toolkit.vendor_repository.state import Repositories
from toolkit.vendor_repository.trimming import Size, Trim


def run(settings: Settings, keep: int, *, do_it: bool) -> None:
    """Show what a trim to the newest `keep` revisions of each branch drops, and with `do_it` do it."""
    repositories = state.find(settings)
    vendor = _require_settled(repositories)
    remote = remote_of(vendor)
    origin = locate(vendor, remote)
    _require_pushed(vendor, remote)
    state.require_all_fetched(repositories.project)
    source = origin.whole(settings, vendor)
    revisions = _available(state.recorded_by_tips(repositories.project), source, vendor)
    plan = trimming.plan(source, revisions, keep)
    _show(plan, repositories.project)
    if not plan.dropped:
        console.note("nothing to do: all of it is kept")
    elif do_it:
        _trim(plan, origin, settings)
    else:
        console.note("nothing has been done: `make trim-vendor YES=1` does it")


def _require_settled(repositories: Repositories) -> Repository:
    """Return the repository of vendor/. Raises `UserError` where it has none, or where something is not committed."""
    if not repositories.vendor:
        raise UserError(
            "vendor/: a directory of the project, whose history is the project's own",
            "only a vendor/ that is a submodule has a history that can be shortened",
        )
    if repositories.url:
        raise UserError(
            "vendor/: a git repository of its own, but no submodule of the project", "`make commit-vendor` makes it one"
        )
    git.require_quiet(repositories.vendor)
    if repositories.vendor.read("status", "--porcelain", "--untracked-files=all"):
        raise UserError("vendor/: what is in it is not committed", "`make commit-vendor`, push it, and trim then")
    return repositories.vendor


def _require_pushed(vendor: Repository, remote: str) -> None:
    """Raise `UserError` where commits of vendor/ are nowhere but here."""
    vendor.run("fetch", "--quiet", "--update-shallow", remote)
    count = vendor.read("rev-list", "--count", "HEAD", "--branches", "--not", f"--remotes={remote}", "--tags")
    if count != "0":
        raise UserError(
            f"vendor/: commits that {remote} does not have: {count}",
            f"push them first: `git -C vendor push {remote} HEAD`, and its other branches",
        )


def _available(revisions: Mapping[str, str], source: Repository, vendor: Repository) -> list[str]:
    """Return the recorded revisions that the repository has. Raises `UserError` where one of the others is here."""
    found = []
    for revision, name in revisions.items():
        if source.commit_of(revision):
            found.append(revision)
        elif vendor.commit_of(revision):
            raise UserError(
                f"{name} of the project records the revision {revision[:12]} of vendor/, "
                f"which {source.name} does not have",
                f"push it first: `git -C vendor push origin {revision}:refs/tags/{revision[:12]}`",
            )
        else:
            console.warn(
                f"{name} of the project records the revision {revision[:12]} of vendor/, which is nowhere any more"
            )
    return found


def _show(plan: Trim, project: Repository) -> None:
    """Say what there is, what stays and what goes."""
    console.step("ALL", f"{plan.source.name}: {_shown(plan.total)}")
    newest = "the newest revision" if plan.depth == 1 else f"the newest {plan.depth} revisions"
    console.step("KEEP", f"{_shown(plan.kept)}: {newest} of each branch, its tags,")
    console.step("", "and what branches and tags of the project record")
    if plan.dropped:
        days = sorted(commit.day for commit in plan.dropped.values())
        gone = Size(
            commits=len(plan.dropped),
            objects=plan.total.objects - plan.kept.objects,
            bytes=plan.total.bytes - plan.kept.bytes,
        )
        share = f"{100 * gone.bytes / plan.total.bytes:.0f} %" if plan.total.bytes else "nothing"
        console.step("DROP", f"{_shown(gone)} ({share}), of {days[0]} to {days[-1]}")
        between = len(state.ever_recorded(project) & plan.dropped.keys())
        if between:
            console.note(
                f"commits between branches and tags of the project record {between} of these: "
                f"they will have no vendor/ (git bisect, say)"
            )


def _shown(size: Size) -> str:
    """Return a size as messages say it."""
    many = "" if size.commits == 1 else "s"
    return f"{size.commits} revision{many}, {size.objects} objects, {human(size.bytes)}"


def _trim(plan: Trim, origin: Origin, settings: Settings) -> None:
    """Do it: in place where the repository is on this machine, else make what is to be put in its place."""
    if not origin.directory:
        target = settings.build / "trim-vendor" / "trimmed.git"
        with directories.temporary(target.parent, "trim-") as scratch:
            directories.replace(trimming.build(plan, scratch / target.name).directory, target)
        return _print_server_steps(origin, target, settings.project)
    backup = origin.directory.with_name(f"{origin.directory.name}.before-trim")
    if os.path.lexists(backup):
        raise UserError(
            f"{backup}: what was there before it was last trimmed is still kept",
            "remove it when all is well with the trimmed one, then again",
        )
    with directories.temporary(origin.directory.parent, ".trim-vendor-") as scratch:
        trimming.replace(plan, trimming.build(plan, scratch / origin.directory.name), backup)
    console.step("TRIM", f"{origin.name}: {_shown(plan.kept)}")
    there, whole = shlex.quote(str(origin.directory)), shlex.quote(str(backup))
    console.note(
        f"what was there before is in {backup.name} beside it\n"
        f"    when all is well:   rm -rf {whole}\n"
        f"    to have it back:    mv {there} {there}.trimmed && mv {whole} {there}"
    )
    _print_clone_steps()
    return None


def _print_server_steps(origin: Origin, made: Path, project: Path) -> None:
    """Say how what was made gets to where it belongs."""
    path = made.relative_to(project) if made.is_relative_to(project) else made
    console.step("TRIM", f"{path} is {origin.name}, trimmed")
    found = origin.commands(path)
    if found:
        console.note(
            "\n".join(
                [
                    "next, when nobody pushes:",
                    *(f"    {command}" for command in found),
                    "what was there before stays there, its name ending in .before-trim",
                ]
            )
        )
        _print_clone_steps()
    else:
        console.note(
            "who administers that server can put it in the place of the repository; by a push it cannot come there "
            '("shallow update not allowed")\nwhat saves as much for who clones, without that: '
            "`git config --file .gitmodules submodule.vendor.shallow true`"
        )


def _print_clone_steps() -> None:
    """Say what clones have to do with it."""
    console.note(
        "clones stay as they are, and large; one that lags behind all that is kept, or shall become small:\n"
        '    git submodule deinit --force vendor && rm -rf "$(git rev-parse --git-dir)/modules/vendor" && '
        f"{submodules.HINT.removesuffix(' --recursive')} vendor"
    )
