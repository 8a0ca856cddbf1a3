"""A module that tests have not found: who imports it says which file its requirement belongs to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from toolkit.core import documents
from toolkit.project import source_files
from toolkit.project.discovery import Package
from toolkit.requirements import requirement_files
from toolkit.requirements.requirements import TESTS_FILE

#: What of a package is neither shipped nor among its tests.
_OF_TOOLS = frozenset({"conftest.py", "noxfile.py", "setup.py"})


def file_of(package: Package, module: str) -> str:
    """Return the file for what provides a module, as hints name it.

    That of the tests, where only they import it; that of the package, where its code does, or else what it requires.
    """
    shipped: list[Path] = []
    tests: list[Path] = []
    for path in source_files.source_files(package.path):
        if path.suffix == ".py":
            (tests if path.parts[0] == "tests" or path.name in _OF_TOOLS else shipped).append(package.path / path)
    of_tests = any(module in _imports(path) for path in tests) and not any(module in _imports(path) for path in shipped)
    return requirement_files.shown(package, TESTS_FILE) if of_tests else requirement_files.shown(package)


def _imports(path: Path) -> Iterator[str]:
    """Yield the first part of every module that a file imports, wherever in it that stands."""
    try:
        tree = documents.python(path.read_bytes())
    except (OSError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
