#!/usr/bin/env python3
"""Make a virtual environment to develop the project in: dependencies from vendor/, the project's own packages linked.

It stands where virtualenvwrapper looks for it (`$WORKON_HOME`), so `workon PROJECT` enters it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from toolkit import check, environment, files, lock, process, settings, ui, wheels
from toolkit import project as projects
from toolkit.interpreter import Interpreter
from toolkit.project import Project
from toolkit.wheels import Built


def select_wheels(project: Project, built: Built) -> tuple[Path, ...]:
    """Return the wheels that a developer of any of the services needs, without the project's own packages.

    Raises `UserError` when two services lock different wheels of one distribution.
    """
    chosen: dict[str, tuple[Path, str]] = {}
    for service in built.runtime:
        for wheel in (*built.runtime[service], *built.tests[service]):
            name = lock.normalize(wheel.name.partition("-")[0])
            first, owner = chosen.setdefault(name, (wheel, service))
            if first.name != wheel.name:
                raise ui.UserError(f"{owner} has {first.name}, but {service} has {wheel.name}",
                                   "name one service: ./create-virtual-environment --services DIRECTORY")
    return tuple(wheel for name, (wheel, _) in sorted(chosen.items()) if not project.find(name))


def select_interpreter(built: Built) -> Interpreter:
    """Return the interpreter of all the services. Raises `UserError` when they need different ones."""
    (first, used), *others = built.interpreters.items()
    for service, other in others:
        if other.path != used.path:
            raise ui.UserError(f"{first} needs Python {used.version}, but {service} needs {other.version}",
                               "name one service: ./create-virtual-environment --services DIRECTORY")
    return used


def link_packages(project: Project, prefix: Path, interpreter: Interpreter) -> None:
    """Put the project's own packages on the environment's path, and their scripts into its bin/, as links."""
    paths = "".join(f"{package.path}\n" for package in project.packages)
    files.write_atomic(environment.site_packages(prefix, interpreter) / f"{project.root.name}.pth", paths)
    for script in _scripts(project):
        (prefix / "bin" / script.name).symlink_to(script)


def _scripts(project: Project) -> Iterable[Path]:
    return (file for service in project.services for file in (service.path / "bin").iterdir() if file.is_file())


def create(prefix: Path, project: Project, built: Built) -> None:
    """Make the environment at `prefix`; nothing stays when that fails."""
    used = select_interpreter(built)
    chosen = select_wheels(project, built)
    try:
        process.run([used.path, "-m", "venv", prefix])
        for wheel in chosen:
            environment.install(wheel, prefix, used)
        link_packages(project, prefix, used)
        files.write_atomic(prefix / ".project", f"{project.root}\n")
    except BaseException:
        files.remove_tree(prefix)
        raise
    ui.step("READY", f"{prefix}: Python {used.version}, {len(chosen)} distributions")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    return wheels.parser(__doc__ or "")


def main(argv: Sequence[str]) -> int:
    """Make the environment, and say how to enter it."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    home = Path(os.environ.get("WORKON_HOME") or "~/.virtualenvs").expanduser()
    prefix = home / chosen.project.name
    if prefix.exists():
        raise ui.UserError(f"{prefix}: this environment is there already",
                           f"to make it anew, remove it first: rm -r {prefix}")
    project = projects.discover(chosen)
    check.require(project, chosen)
    create(prefix, project, wheels.build(project, chosen, wheels.options_from(arguments, chosen), tests=True))
    ui.note(f"enter it with `workon {chosen.project.name}`, or `. {prefix}/bin/activate`")
    return 0


if __name__ == "__main__":
    sys.exit(ui.run_main(lambda: main(sys.argv[1:])))
