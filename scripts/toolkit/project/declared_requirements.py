"""What a package declares that it requires, in pyproject.toml, setup.py or setup.cfg, read without running anything.

https://packaging.python.org/en/latest/specifications/pyproject-toml/#dependencies-optional-dependencies
https://packaging.python.org/en/latest/specifications/dependency-groups/
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import documents
from toolkit.core.errors import UserError
from toolkit.model.names import normalize
from toolkit.project import drafts, pyproject
from toolkit.project.declared import constants, setup_calls

#: The files that may declare something.
FILES = (pyproject.FILE, "setup.py", "setup.cfg")
_MEND = "mend the file: a list of requirements such as `name>=1.2`"


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """One requirement (PEP 508) or, of interpreters, a specifier; `path` is absolute."""

    text: str
    path: Path
    line: int


def dependencies(directory: Path) -> tuple[Declaration, ...] | None:
    """Return what a package declares that it requires to run, None where only running it would tell.

    Raises `UserError` for a list that is none.
    """
    path = directory / pyproject.FILE
    project = pyproject.read(directory).get("project")
    if isinstance(project, dict) and "dependencies" not in _dynamic(project):
        return _of_table(path, project, "dependencies")
    found = _of_setup_py(directory, "install_requires")
    return _of_setup_cfg(directory, "install_requires") if found is None else found


def extra(directory: Path, name: str) -> tuple[Declaration, ...] | None:
    """Return what an extra of a package requires, None where none of that name is declared."""
    project = pyproject.table(pyproject.read(directory), "project")
    table = pyproject.table(project, "optional-dependencies")
    spelling = next((key for key in table if normalize(key) == normalize(name)), None)
    return None if spelling is None else _of_table(directory / pyproject.FILE, table, spelling)


def group(directory: Path, name: str) -> tuple[Declaration, ...] | None:
    """Return what a dependency group requires, with the groups it includes; None where there is none of that name."""
    groups = pyproject.table(pyproject.read(directory), "dependency-groups")
    return _group(directory / pyproject.FILE, groups, name, ())


def requires_python(directory: Path) -> Declaration | None:
    """Return the interpreters that a package declares it runs on, None where it declares none."""
    found = pyproject.table(pyproject.read(directory), "project").get("requires-python")
    if not isinstance(found, str):
        return None
    path = directory / pyproject.FILE
    return Declaration(text=found, path=path, line=_lines(path, "requires-python", [found])[0])


def fingerprinted(path: Path) -> object:
    """Return what one of `FILES` declares of requirements, something that is false where it declares nothing."""
    directory = path.parent
    if path.name != pyproject.FILE:
        found = _of_setup_py if path.name == "setup.py" else _of_setup_cfg
        return [item.text for item in found(directory, "install_requires") or ()]
    data = pyproject.read(directory)
    project = pyproject.table(data, "project")
    words = ("dependencies", "optional-dependencies", "requires-python")
    found_words = {word: project[word] for word in words if project.get(word)}
    groups = pyproject.table(data, "dependency-groups")
    return {**found_words, **({"dependency-groups": groups} if groups else {})}


def _dynamic(project: Mapping[str, object]) -> Iterable[object]:
    dynamic = project.get("dynamic")
    return dynamic if isinstance(dynamic, list) else ()


def _of_table(path: Path, table: Mapping[str, object], key: str) -> tuple[Declaration, ...]:
    texts = table.get(key, [])
    if not isinstance(texts, list):
        raise UserError(f"{path}: {key} is no list", _MEND)
    found = [text for text in texts if isinstance(text, str)]
    if len(found) < len(texts):
        raise UserError(f"{path}: {key} holds something that is no text", _MEND)
    return _declarations(path, key, found)


def _group(
    path: Path, groups: Mapping[str, object], name: str, including: tuple[str, ...]
) -> tuple[Declaration, ...] | None:
    spelling = next((key for key in groups if normalize(key) == normalize(name)), None)
    if spelling is None:
        return None
    if spelling in including:
        raise UserError(
            f"{path}: groups that include each other: {' -> '.join((*including, spelling))}",
            "remove one of the `include-group`",
        )
    items = groups[spelling]
    if not isinstance(items, list):
        raise UserError(f"{path}: the group {spelling} is no list", _MEND)
    found = list(_declarations(path, spelling, [item for item in items if isinstance(item, str)]))
    for item in items:
        if isinstance(item, str):
            continue
        included = item.get("include-group") if isinstance(item, dict) else None
        more = _group(path, groups, included, (*including, spelling)) if isinstance(included, str) else None
        if more is None:
            raise UserError(f"{path}: the group {spelling} includes what is no group of this file", _MEND)
        found += more
    return tuple(found)


def _of_setup_py(directory: Path, keyword: str) -> tuple[Declaration, ...] | None:
    path = directory / "setup.py"
    try:
        tree = documents.python(path.read_bytes())
    except (OSError, ValueError):
        return None
    known = constants(tree)
    for call in setup_calls(tree):
        for node in (item.value for item in call.keywords if item.arg == keyword):
            value = known.get(node.id) if isinstance(node, ast.Name) else node
            if isinstance(value, (ast.List, ast.Tuple)):
                return tuple(
                    Declaration(text=item.value, path=path, line=item.lineno)
                    for item in value.elts
                    if isinstance(item, ast.Constant) and isinstance(item.value, str)
                )
    return None


def _of_setup_cfg(directory: Path, option: str) -> tuple[Declaration, ...] | None:
    path = directory / "setup.cfg"
    try:
        value = documents.ini(path.read_bytes()).get("options", option, fallback=None)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UserError(f"{path}: cannot be read: {error}", "mend the file") from None
    if value is None or value.strip().startswith("file:"):
        return None
    # https://setuptools.pypa.io/en/latest/userguide/declarative_config.html: lines, or separated by semicolons
    value = value if "\n" in value.strip() else value.replace(";", "\n")
    texts = [text.strip() for text in value.splitlines() if text.strip() and not text.strip().startswith("#")]
    return _declarations(path, option, texts)


def _declarations(path: Path, key: str, texts: list[str]) -> tuple[Declaration, ...]:
    numbers = _lines(path, key, texts)
    return tuple(Declaration(text=text, path=path, line=line) for text, line in zip(texts, numbers, strict=True))


def _lines(path: Path, key: str, texts: list[str]) -> list[int]:
    """Return the line of each text: the first one with it at or after that of its key, else that of the key."""
    rows = drafts.content(path).decode(errors="replace").splitlines()
    begins = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*=""")
    start = next((number for number, row in enumerate(rows) if begins.match(row)), 0)
    return [next((number for number in range(start, len(rows)) if text in rows[number]), start) + 1 for text in texts]
