"""Make a virtual environment to develop the project in, or bring the one there to the lock.

It stands in `$WORKON_HOME`, so `workon PROJECT` of virtualenvwrapper enters it. All that the packages of the project
require comes from vendor/, in the versions of production; the packages themselves are linked.
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from toolkit.build import building_options
from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.develop import develop, editors
from toolkit.develop.assembly import EnvironmentOptions
from toolkit.network import index_options
from toolkit.project import discovery
from toolkit.project.discovery import Package, Project
from toolkit.verbs.running import Run


def create_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `create-virtual-environment`."""
    building_options.add_options(parser)
    group = parser.add_argument_group("options of create-virtual-environment")
    group.add_argument(
        "-n",
        "--name",
        help="the environment's name (default: the project directory's, or one like it if that is taken)",
    )
    group.add_argument("--force", action="store_true", help="replace what is there under this name, whoever made it")
    group.add_argument("-p", dest="python", metavar="PYTHON", help="the same as --python: a path, a name, a version")
    group.add_argument("-a", dest="project", type=Path, metavar="DIR", help="the same as --project")
    group.add_argument(
        "-s", "--system-site-packages", action="store_true", help="see the system's own Python packages too"
    )
    group.add_argument(
        "--binary",
        action="store_true",
        help="take wheels of the locked versions from the index, where it has them, and build the rest",
    )
    group.add_argument(
        "-A",
        "--extra-project",
        dest="extra",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="link the packages of another project too, and have what they require; may be repeated",
    )
    index_options.add_options(group, "-i")
    group.add_argument(
        "-f",
        "--find-links",
        action="append",
        default=[],
        metavar="PLACE",
        help="a directory or page with files, beside the index; may be repeated",
    )
    group.add_argument("--no-index", action="store_true", help="ask no index, only --find-links")
    group.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    editors.add_options(parser)


def create(run: Run) -> None:
    """Make the environment, and say how to enter it."""
    arguments, chosen = run.arguments, run.settings
    # A service that is named is one of all: the others' locks are no less valid.
    everything = replace(chosen, services=())
    project = discovery.discover(everything)
    options = run.options(
        EnvironmentOptions, extra=tuple(arguments.extra), indexes=index_options.from_arguments(arguments)
    )
    made = develop.run(project, select(project, chosen.services), everything, run.build_options, options)
    if arguments.dry_run:
        return
    editors.write(made, arguments)
    if os.environ.get("VIRTUAL_ENV") != str(made.prefix):
        script = shlex.quote(str(made.prefix / "bin" / "activate"))
        console.note(f"enter it with `workon {shlex.quote(made.prefix.name)}`, or `. {script}`")


def select(project: Project, names: Sequence[str]) -> tuple[Package, ...]:
    """Return the packages with a lock that are named by their directories; all of them when none is named."""
    directories = {discovery.directory_of(project.root, name) for name in names}
    unknown = directories - {package.path for package in project.locked}
    if unknown:
        raise UserError(
            f"--services: {project.shown(min(unknown))} is no directory of a service",
            f"there are: {', '.join(project.shown(package.path) for package in project.locked)}",
        )
    return tuple(package for package in project.locked if not names or package.path in directories)
