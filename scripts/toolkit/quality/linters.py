"""Which linters a package wants: those its requirements for developers or tests name, or its files configure."""

from __future__ import annotations

import configparser
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.core.errors import UserError
from toolkit.project import requirements
from toolkit.project.discovery import Package, Project


@dataclass(frozen=True)
class Linter:
    """A linter: its distribution and module, the words that run it on paths, and where it is configured.

    `files` are its own; `table` is below `tool` in pyproject.toml; `section` of setup.cfg or tox.ini. One that
    `reads_scripts` takes files whose names do not end in .py. It ends with one of `found` when there are faults; any
    other status, but for 0, says that it could not do its work.
    """

    name: str
    words: tuple[str, ...]
    files: tuple[str, ...]
    table: str = ""
    section: str = ""
    reads_scripts: bool = True
    found: Collection[int] = (1,)


LINTERS = (
    Linter("ruff", ("check", "--quiet", "--no-cache", "--force-exclude", "--"), ("ruff.toml", ".ruff.toml"), "ruff"),
    Linter("flake8", (), (".flake8",), section="flake8"),
    Linter(
        "pylint",
        ("--recursive=y", "--score=n"),
        (".pylintrc", "pylintrc"),
        "pylint",
        "pylint",
        # Bits: 2 an error, 4 a warning, 8 and 16 advice; 1 and 32 are its own.
        found=range(2, 32, 2),
    ),
    # Two scripts would both be its module `__main__`.
    Linter("mypy", (), ("mypy.ini", ".mypy.ini"), "mypy", "mypy", reads_scripts=False),
)


@dataclass(frozen=True)
class ChosenLinter:
    """A linter that a package wants, why (a place in a file), and the directory whose configuration holds."""

    linter: Linter
    origin: str
    directory: Path


def wanted(project: Project, package: Package) -> tuple[ChosenLinter, ...]:
    """Return the linters that a package wants, each once. Raises `UserError` for files that cannot be read."""
    return tuple(found for linter in LINTERS if (found := _wanted(linter, project, package)))


def _wanted(linter: Linter, project: Project, package: Package) -> ChosenLinter | None:
    directories = list(dict.fromkeys((package.path, project.root)))
    for directory in directories:
        configured = next(_configured(linter, directory), None)
        if configured:
            return ChosenLinter(linter, f"{project.shown(configured)} configures", directory)
    asked = next((line for line in _asked(project, package) if line.name == linter.name), None)
    return ChosenLinter(linter, f"{asked.origin} asks for", package.path) if asked else None


def _asked(project: Project, package: Package) -> Iterator[requirements.Line]:
    yield from requirements.read_tree(project, package, (sys.platform,), requirements.TESTS_FILE).requirements
    # What is for all of the project's developers stands with the first.
    for owner in dict.fromkeys((package, project.locked[0])):
        yield from requirements.read_development(project, owner, (sys.platform,)).requirements


def _configured(linter: Linter, directory: Path) -> Iterator[Path]:
    """Yield the files of a directory that configure a linter."""
    yield from (directory / name for name in linter.files if (directory / name).is_file())
    if linter.table in _tools(directory / "pyproject.toml"):
        yield directory / "pyproject.toml"
    for name in ("setup.cfg", "tox.ini"):
        if linter.section in _sections(directory / name):
            yield directory / name


def _tools(path: Path) -> Mapping[str, Any]:
    try:
        tools = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: {error}", "mend the file") from None
    return tools if isinstance(tools, dict) else {}


def _sections(path: Path) -> Sequence[str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}", "mend the file") from None
    return parser.sections()
