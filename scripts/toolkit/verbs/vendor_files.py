"""Verbs on vendor/: filled, checked, committed, its history shortened, and compared with what is new."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.network import index_options, tools_environment
from toolkit.project import fingerprints
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.resolve import version_options
from toolkit.vendor_repository import commits, state, trim
from toolkit.vendor_repository.commits import PlannedCommits
from toolkit.vendored import check, lock_file, locked
from toolkit.vendoring import staging
from toolkit.verbs.running import Run


def vendor_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `vendor`."""
    group = version_options.add_options(parser, "vendor")
    group.add_argument("--upgrade", default="", metavar="NAMES", help="locked versions that may move: all, or names")
    group.add_argument("--dry-run", "-n", action="store_true", help="say what would change, and change nothing")


def vendor(run: Run) -> None:
    """Fill vendor/, unless it is what this run would make."""
    arguments, chosen = run.arguments, run.settings
    indexes = index_options.from_arguments(arguments)
    exclude_newer = version_options.when(arguments.exclude_newer)
    platforms = tuple(arguments.platforms.replace(",", " ").split())
    staging.recover(chosen.vendor)
    project = run.project
    if not arguments.upgrade and not exclude_newer and is_current(project, chosen, platforms):
        console.step("VENDOR", "vendor/ is up to date")
        return
    tools_environment.enter(indexes)
    # Above the network line: only the tools environment has what these need.
    from toolkit.network import index_settings
    from toolkit.resolve import engines
    from toolkit.vendoring import vendor

    found = index_settings.read(indexes)
    upgrade = tuple(arguments.upgrade.replace(",", " ").split())
    options = vendor.VendorOptions(
        upgrade=upgrade, exclude_newer=exclude_newer, platforms=platforms, building=run.build_options
    )
    vendor.run(project, chosen, options, found, engines.get(arguments.resolver, found), dry_run=arguments.dry_run)


def is_current(project: Project, chosen: Settings, platforms: tuple[str, ...]) -> bool:
    """Tell whether the locks are what this run would make; the standard library is enough to see that."""
    if not chosen.vendor.is_dir() or check.problems(project, chosen):
        return False
    locks = (lock_file.read(lock_file.path_of(chosen.vendor, project.lock_name(package))) for package in project.locked)
    wanted = {f"{fingerprints.SETTING}PLATFORMS": " ".join(platforms), f"{fingerprints.SETTING}OFFERED": "wheels"}
    # A lock without direct requirements is from before locks held who needs whom.
    return all(item.direct is not None and wanted.items() <= item.inputs.items() for item in locks)


def commit_vendor_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `commit-vendor`."""
    parser.add_argument("--dry-run", "-n", action="store_true", help="show the messages, and commit nothing")


def commit_vendor(run: Run) -> None:
    """Commit vendor/ and its revision in the project."""
    chosen = run.settings
    staging.recover(chosen.vendor)
    kept = state.find(chosen)
    project = run.project
    commits.prepare(kept)
    plan = commits.plan(kept, run.checked, chosen)
    if not plan.commits:
        console.step("COMMIT", "vendor/ is committed as it is: nothing to do")
    elif run.arguments.dry_run:
        _show_commits(plan)
    else:
        commits.make(plan)
        left = commits.uncommitted_inputs(kept, project, chosen)
        _show_next(plan, left, has_remote=bool(kept.project.ask("remote")))


def _show_commits(plan: PlannedCommits) -> None:
    for commit in plan.commits:
        console.step("WOULD", f"commit {' '.join(commit.paths) or 'all'} in {commit.repository.name}:")
        console.note(textwrap.indent(commit.message, "    ").rstrip())


def _show_next(plan: PlannedCommits, left: Sequence[str], *, has_remote: bool) -> None:
    if plan.destination and plan.destination.warning:
        console.warn(plan.destination.warning)
    if left:
        console.note(f"vendor/ was made from what is not committed yet: {', '.join(left)}")
    # A project that has a remote is pushed last.
    commands = [*([plan.destination.push] if plan.destination else []), *(["git push"] if has_remote else [])]
    if commands:
        console.note("\n    ".join(["next:" if len(commands) == 1 else "next, in this order:", *commands]))


def trim_vendor_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `trim-vendor`."""
    parser.add_argument("--keep", type=_depth, default=10, metavar="N", help="newest revisions of each branch to keep")
    parser.add_argument("--yes", action="store_true", help="do it, instead of showing what would be done")


def _depth(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise UserError(f"KEEP={text}: not a number of revisions", "write 1 or more: KEEP=10")
    return int(text)


def trim_vendor(run: Run) -> None:
    """Shorten the history of the vendor repository."""
    trim.run(run.settings, run.arguments.keep, do_it=run.arguments.yes)


def outdated_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `outdated`."""
    group = version_options.add_options(parser, "outdated")
    group.add_argument("--json", action="store_true", help="print JSON, and nothing else")
    group.add_argument("--strict", action="store_true", help="end with status 1 where anything has newer releases")


def outdated(run: Run) -> int:
    """Print what has newer releases."""
    arguments, chosen = run.arguments, run.settings
    if arguments.json:
        console.verbosity = 0
    indexes = index_options.from_arguments(arguments)
    exclude_newer = version_options.when(arguments.exclude_newer)
    project = run.project
    locked.require(project, chosen)
    tools_environment.enter(indexes)
    # Above the network line: only the tools environment has what these need.
    from toolkit.explain import outdated, upgrade
    from toolkit.network import index_settings
    from toolkit.resolve import engines
    from toolkit.vendoring import vendor

    found = index_settings.read(indexes)
    platforms = tuple(arguments.platforms.replace(",", " ").split())
    options = vendor.VendorOptions(
        upgrade=("all",), exclude_newer=exclude_newer, platforms=platforms, building=run.build_options
    )
    outlook = upgrade.look(project, chosen, options, found, engines.get(arguments.resolver, found))
    sys.stdout.write(outdated.to_json(outlook.rows) if arguments.json else outlook.text())
    return 1 if outlook.rows and arguments.strict else 0
