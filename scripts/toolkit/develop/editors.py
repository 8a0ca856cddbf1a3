"""Files by which editors find a project's environment and packages: PyCharm, VS Code, direnv."""

from __future__ import annotations

import argparse
import os
import shlex

from toolkit.core import console, files
from toolkit.develop import editor_files, pycharm, vscode
from toolkit.develop.workon import Environment


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that ask for these files."""
    group = parser.add_argument_group("editors", "what is missing is added to files of yours")
    group.add_argument("--pycharm", action="store_true", help="write .idea/: the interpreter and the source roots")
    group.add_argument("--vscode", action="store_true", help="write .vscode/settings.json: the same, and the tests")
    group.add_argument("--direnv", action="store_true", help="write .envrc: enter the environment with the directory")


def write(environment: Environment, arguments: argparse.Namespace) -> None:
    """Write the files that were asked for into the project of an environment."""
    if arguments.pycharm:
        pycharm.write(environment)
    if arguments.vscode:
        vscode.write(environment)
    if arguments.direnv:
        _write_envrc(environment)
        console.note("direnv asks once for your consent: `direnv allow`")


def _write_envrc(environment: Environment) -> None:
    """Write .envrc, a script that cannot be merged with another, unless it is somebody else's."""
    path, prefix = environment.project.root / ".envrc", shlex.quote(str(environment.prefix))
    text = editor_files.marked(
        f'# {editor_files.MARK}\nexport VIRTUAL_ENV={prefix}\nPATH_add "$VIRTUAL_ENV/bin"\nunset PYTHONHOME\n'
    )
    try:
        old = editor_files.read(path)
    except (ValueError, OSError):
        # Whatever it is, it is not what was written here.
        old = ""
    if os.path.lexists(path) and not editor_files.is_as_written(old):
        editor_files.keep(path.name, "it is yours, or was changed; remove it to have it written")
    elif old != text:
        files.write_atomic(path, text)
        console.step("WRITE", path.name)
