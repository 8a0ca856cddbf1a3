"""Verbs that edit what a package requires: its file, vendor/ and the development environment, in one command."""

from __future__ import annotations

import argparse

from toolkit.core.errors import UserError
from toolkit.engines import version_options
from toolkit.verbs import vendor
from toolkit.verbs.running import Run

_ADD = 'name what to add: make add NAME="httpx>=0.27"'
_REMOVE = "name what to remove: make remove NAME=httpx"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `add`."""
    _add_options(parser, "add", "REQUIREMENT")


def remove_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `remove`."""
    _add_options(parser, "remove", "NAME")


def _add_options(parser: argparse.ArgumentParser, verb: str, what: str) -> None:
    group = version_options.add_options(parser, verb)
    group.add_argument("--name", default="", metavar=f"{what}S", help="the same as NAME")
    group.add_argument("names", nargs="*", metavar=what, help=f"what to {verb}")
    group.add_argument("--service", default="", metavar="PACKAGE", help="the package whose requirements change")
    group.add_argument("--dev", action="store_true", help="of what only developers need")
    vendor.add_common_options(group)


def add(run: Run) -> None:
    """Add requirements, and have what they bring."""
    _change(run, add=_named(run, _ADD))


def remove(run: Run) -> None:
    """Remove requirements, and what only they brought."""
    _change(run, remove=_named(run, _REMOVE))


def _named(run: Run, usage: str) -> str:
    named = " ".join([run.arguments.name, *run.arguments.names]).strip()
    if not named:
        raise UserError("NAME is empty", usage)
    return named


def _change(run: Run, *, add: str = "", remove: str = "") -> None:
    vendor.edit(run, add=add, remove=remove)
    if not run.arguments.dry_run:
        from toolkit.develop import develop

        develop.refresh(run.project, run.settings, run.build_options)
