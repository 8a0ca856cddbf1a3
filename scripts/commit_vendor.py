#!/usr/bin/env python3
"""Commit vendor/, and its revision in the project, with a message that says what was added, removed and upgraded."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence

from toolkit.core import console, files
from toolkit.project import discovery, settings
from toolkit.vendor_repository import commits, state
from toolkit.vendor_repository.commits import Plan
from toolkit.vendored import check
from toolkit.vendoring import staging


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this verb's command line."""
    parser = settings.parser(__doc__ or "")
    parser.add_argument("--dry-run", "-n", action="store_true", help="show the messages, and commit nothing")
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    with files.exclusive(chosen.project, "make vendor"):
        staging.recover(chosen.vendor)
        kept = state.find(chosen)
        project = discovery.discover(chosen)
        commits.prepare(kept)
        check.require(project, chosen)
        plan = commits.plan(kept, project, chosen)
        if not plan.commits:
            console.step("COMMIT", "vendor/ is committed as it is: nothing to do")
        elif arguments.dry_run:
            show(plan)
        else:
            commits.make(plan)
            left = commits.uncommitted_inputs(kept, project, chosen)
            tell(plan, left, has_remote=bool(kept.project.ask("remote")))
    return 0


def show(plan: Plan) -> None:
    """Show what would be committed."""
    for commit in plan.commits:
        console.step("WOULD", f"commit {' '.join(commit.paths) or 'all'} in {commit.repository.name}:")
        console.note(textwrap.indent(commit.message, "    ").rstrip())


def tell(plan: Plan, left: Sequence[str], *, has_remote: bool) -> None:
    """Say what comes next; a project that `has_remote` is pushed last."""
    if plan.destination and plan.destination.warning:
        console.warn(plan.destination.warning)
    if left:
        console.note(f"vendor/ was made from what is not committed yet: {', '.join(left)}")
    commands = [*([plan.destination.push] if plan.destination else []), *(["git push"] if has_remote else [])]
    if commands:
        console.note("\n    ".join(["next:" if len(commands) == 1 else "next, in this order:", *commands]))


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
