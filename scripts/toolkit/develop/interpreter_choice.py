"""The interpreter of a development environment: that of .python-version, from pyenv, else the system's."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from toolkit.build import interpreters, pyenv
from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.model.interpreter import Interpreter
from toolkit.project import python_version
from toolkit.project.discovery import Package, Project


def choose(project: Project, packages: Sequence[Package], pythons: Sequence[str], requested: str = "") -> Interpreter:
    """Return the interpreter for these packages, whose locks are for the minor versions `pythons`.

    `requested` is the user's choice: a path, a program's name, or a version. Where a patch version of .python-version
    is not installed, another one of the same minor version is taken, with a warning. Raises `UserError` that names the
    interpreters of this machine.
    """
    if requested:
        return _requested(pythons, requested)
    exact = list(
        dict.fromkeys(version for package in packages for version in python_version.read(project, package).exact)
    )
    for version in pythons:
        for path in _candidates(version, exact):
            found = interpreters.probe(path)
            if found and found.version == version:
                _warn_of_another_patch(found, exact)
                return found
    raise _missing(pythons)


def builder(used: Interpreter) -> Interpreter:
    """Return the interpreter that builds extensions for `used`: Debian's, where the two are interchangeable.

    Then an environment has the very wheels that a package has.
    """
    own = interpreters.probe(Path(f"/usr/bin/python{used.version}"))
    return own if own and own.soabi == used.soabi and (own.include / "Python.h").is_file() else used


def _missing(pythons: Sequence[str]) -> UserError:
    version = pythons[0]
    hint = f"`pyenv install {version}` gets it"
    if not shutil.which("pyenv") and not pyenv.root().is_dir():
        hint = f"`apt install python{version} python{version}-dev`, or with pyenv: `pyenv install {version}`"
    return UserError(
        f"no interpreter for Python {' or '.join(pythons)} on this machine; there is: {_available()}",
        f"{hint}; -p names one, and .python-version says which are wanted",
    )


def _available() -> str:
    """Return the interpreters of this machine, for a message."""
    names = ", ".join(pyenv.versions())
    system = [(path, interpreters.probe(path)) for path in sorted(Path("/usr/bin").glob("python3.*[0-9]"))]
    labels = [f"{names} (pyenv)"] if names else []
    labels += [f"{found.full_version} ({path})" for path, found in system if found]
    return ", ".join(labels) or "none"


def _candidates(version: str, exact: Iterable[str]) -> Iterator[Path]:
    installed = pyenv.versions()
    fitting = [name for name in installed if pyenv.minor(name) == version]
    yield from (installed[name] for name in exact if name in fitting)
    yield from (installed[name] for name in fitting)
    yield Path(f"/usr/bin/python{version}")
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield Path(on_path)


def _warn_of_another_patch(found: Interpreter, exact: Iterable[str]) -> None:
    same = [version for version in exact if pyenv.minor(version) == found.version]
    if same and found.full_version not in same:
        console.warn(
            f".python-version says {same[0]}, which is not there: {found.full_version} is taken "
            f"(`pyenv install {same[0]}` gets it)"
        )


def _requested(pythons: Sequence[str], requested: str) -> Interpreter:
    path = pyenv.versions().get(requested) or _program(requested)
    found = interpreters.probe(path) if path else None
    if not found:
        raise UserError(
            f"--python {requested}: no such interpreter; there is: {_available()}",
            "give a path, a program's name, or a version such as 3.11.7",
        )
    if found.version not in pythons:
        raise UserError(
            f"--python {requested} is Python {found.version}, but vendor/ is locked for {', '.join(pythons)}",
            f"choose another, or add the line {found.version} to .python-version and run `make vendor`",
        )
    return found


def _program(requested: str) -> Path | None:
    fitting = [path for name, path in pyenv.versions().items() if pyenv.minor(name) == requested]
    found = shutil.which(requested) or shutil.which(f"python{requested}")
    return fitting[0] if fitting else Path(found) if found else None
