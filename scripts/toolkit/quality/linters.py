"""The linters of a package: those that its requirements for developers or tests name, or that a file configures."""

from __future__ import annotations

import configparser
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from toolkit.core.errors import UserError
from toolkit.project import pyproject
from toolkit.project.discovery import Package, Project
from toolkit.requirements import requirements


@dataclass(frozen=True)
class Linter:
    """A linter: the name of its distribution and module, the words that run it on paths, and where it is configured.

    `files` are its own; `shared` hold a section, or a table below `tool`, of its name. One that `reads_scripts` takes
    files whose names do not end in .py. It ends with a status of `faults` when it finds some; any other status, but for
    0, means that it could not do its work.
    """

    name: str
    words: tuple[str, ...]
    files: tuple[str, ...]
    shared: tuple[str, ...]
    reads_scripts: bool = True
    faults: Collection[int] = (1,)


_SECTIONS = ("setup.cfg", "tox.ini")
_ALL = (pyproject.FILE, *_SECTIONS)


LINTERS = (
    Linter(
        "ruff",
        ("check", "--quiet", "--no-cache", "--force-exclude", "--"),
        ("ruff.toml", ".ruff.toml"),
        (pyproject.FILE,),
    ),
    Linter("flake8", (), (".flake8",), _SECTIONS),
    # Bits of its status: 2 an error, 4 a warning, 8 and 16 advice; 1 and 32 are its own.
    Linter("pylint", ("--recursive=y", "--score=n"), (".pylintrc", "pylintrc"), _ALL, faults=range(2, 32, 2)),
    # Two scripts would both be its module `__main__`.
    Linter("mypy", (), ("mypy.ini", ".mypy.ini"), _ALL, reads_scripts=False),
)
#: The names of all files that configure a linter.
FILES = frozenset(name for linter in LINTERS for name in (*linter.files, *linter.shared))


@dataclass(frozen=True)
class ChosenLinter:
    """A linter of a package, the file that asks for it (`api/setup.cfg configures`), and the directory to run it in."""

    linter: Linter
    origin: str
    directory: Path


def choose(project: Project, package: Package) -> tuple[ChosenLinter, ...]:
    """Return the linters of a package. Raises `UserError` for files that cannot be read."""
    return tuple(found for linter in LINTERS if (found := _choose(linter, project, package)))


def _choose(linter: Linter, project: Project, package: Package) -> ChosenLinter | None:
    for directory in dict.fromkeys((package.path, project.root)):
        configured = next(_configured(linter, directory), None)
        if configured:
            return ChosenLinter(linter, f"{project.shown(configured)} configures", directory)
    line = next((line for line in _requirements(project, package) if line.name == linter.name), None)
    return ChosenLinter(linter, f"{line.origin} asks for", package.path) if line else None


def _requirements(project: Project, package: Package) -> Iterator[requirements.Line]:
    yield from requirements.read_tree(project, package, (sys.platform,), requirements.TESTS_FILE).requirements
    # Those for all of the project's developers are locked with the first package.
    for owner in dict.fromkeys((package, project.locked[0])):
        yield from requirements.read_development(project, owner, (sys.platform,)).requirements


def _configured(linter: Linter, directory: Path) -> Iterator[Path]:
    """Yield the files of a directory that configure a linter."""
    yield from (directory / name for name in linter.files if (directory / name).is_file())
    yield from (directory / name for name in linter.shared if linter.name in _sections(directory / name))


def _sections(path: Path) -> Collection[str]:
    """Return the names of a file's sections, for pyproject.toml those of the tables below `tool`."""
    if path.name == pyproject.FILE:
        tools = pyproject.read(path.parent).get("tool")
        return tools if isinstance(tools, dict) else ()
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}", "mend the file") from None
    return parser.sections()
