"""Verbs on vendor/ as it stands: checked, committed, its history shortened."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence

from toolkit.core import console, progress
from toolkit.core.sizes import human
from toolkit.network import index_options, tools_environment
from toolkit.network.index_options import IndexOptions
from toolkit.project.settings import default_of, number
from toolkit.vendor_repository import commits, state, trim
from toolkit.vendor_repository.commits import PlannedCommits
from toolkit.vendored import check, lock_file
from toolkit.vendoring import staging
from toolkit.verbs.running import Run
from toolkit.wheel import check as wheel_check


def check_vendor_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `check-vendor`."""
    parser.add_argument("--online", action="store_true", help="compare the locks with the indexes, too")
    index_options.add_options(parser)
    index_options.add_extra(parser)


def check_vendor(run: Run) -> None:
    """Check vendor/; raises `UserError` with everything that is wrong."""
    given = index_options.from_arguments(run.arguments)
    if run.arguments.online:
        tools_environment.enter(given)
    run.check_vendor()
    locks = lock_file.of_project(run.project, run.settings.vendor)
    check.require_variables(locks)
    check.open_archives(locks, run.settings.vendor, run.settings.project)
    wheel_check.check_locked(locks, run.settings.vendor)
    files = [path for path in run.settings.vendor.iterdir() if path.is_file() and path.name != ".git"]
    size = sum(path.stat().st_size for path in files)
    console.step("CHECK", f"vendor/: {len(files)} files, {human(size)}, all as locked")
    if run.arguments.online:
        _compare_with_indexes(run, given)


def _compare_with_indexes(run: Run, given: IndexOptions) -> None:
    from toolkit.network import index_settings
    from toolkit.vendoring import online_check

    indexes = index_settings.read(given)
    locks = lock_file.of_project(run.project, run.settings.vendor)
    with progress.watching("CHECK", indexes.shown()):
        found = online_check.compare(run.project, locks, indexes)
    for warning in found.warnings:
        console.warn(warning)
    check.refuse(found.problems)
    console.step("CHECK", f"{indexes.shown()}: {found.compared} locked files, all as there")


def commit_vendor_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `commit-vendor`."""
    parser.add_argument("--dry-run", "-n", action="store_true", help="show the messages, and commit nothing")


def commit_vendor(run: Run) -> None:
    """Commit vendor/ and its revision in the project."""
    chosen = run.settings
    staging.recover(chosen.vendor)
    repositories = state.find(chosen)
    project = run.project
    commits.prepare(repositories)
    plan = commits.plan(repositories, run.checked, chosen)
    if not plan.commits:
        console.step("COMMIT", "vendor/ is committed as it is: nothing to do")
    elif run.arguments.dry_run:
        _show_commits(plan)
    else:
        commits.make(plan)
        left = commits.uncommitted_inputs(repositories, project, chosen)
        _show_next(plan, left, has_remote=bool(repositories.project.ask("remote")))


def _show_commits(plan: PlannedCommits) -> None:
    for commit in plan.commits:
        paths = (*commit.paths, *commit.inputs)
        console.step("WOULD", f"commit {' '.join(paths) or 'all'} in {commit.repository.name}:")
        console.note(textwrap.indent(commit.message, "    ").rstrip())


def _show_next(plan: PlannedCommits, left: Sequence[str], *, has_remote: bool) -> None:
    if plan.destination and plan.destination.warning:
        console.warn(plan.destination.warning)
    if left:
        console.note(f"vendor/ was made from what is staged in part, and is not committed: {', '.join(left)}")
    # A project that has a remote is pushed last.
    commands = [*([plan.destination.push] if plan.destination else []), *(["git push"] if has_remote else [])]
    if commands:
        console.note(f"next:\n    {' && '.join(commands)}")


def trim_vendor_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `trim-vendor`."""
    parser.add_argument(
        "--keep",
        type=number("KEEP", "a number of revisions", 10),
        default=default_of("KEEP"),
        metavar="N",
        help="newest revisions of each branch to keep",
    )
    parser.add_argument("--yes", action="store_true", help="do it, instead of showing what would be done")


def trim_vendor(run: Run) -> None:
    """Shorten the history of the vendor repository."""
    trim.run(run.settings, run.arguments.keep, do_it=run.arguments.yes)
