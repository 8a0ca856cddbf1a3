"""What a package declares that it requires, in pyproject.toml, setup.py or setup.cfg, read without running anything.

https://packaging.python.org/en/latest/specifications/pyproject-toml/#dependencies-optional-dependencies
https://packaging.python.org/en/latest/specifications/dependency-groups/
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from configparser import ConfigParser
from dataclasses import dataclass, replace
from pathlib import Path

from toolkit.core import documents
from toolkit.core.errors import UserError
from toolkit.model.names import normalize
from toolkit.project import declared, drafts, lines, pyproject
from toolkit.requirements import poetry, tool_tables

#: The files that may declare something.
FILES = (pyproject.FILE, "setup.py", "setup.cfg")
#: What poetry's table says of requirements.
_GROUPS_OF_POETRY = ("dev-dependencies", "group")
_OF_POETRY = ("dependencies", "extras", *_GROUPS_OF_POETRY)
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
    data = pyproject.read(directory)
    project = data.get("project")
    if isinstance(project, dict) and "dependencies" not in _dynamic(project):
        return _of_table(path, project, "dependencies")
    if "dependencies" in (table := poetry.table(data)):
        return _of_poetry(path, poetry.dependencies(table, str(path)))
    named = _setuptools_dynamic(data).get("dependencies")
    if isinstance(named, dict) and "file" in named:
        return _of_files(path, named["file"])
    found = _of_setup_py(directory, "install_requires")
    found = _of_setup_cfg(directory, "install_requires") if found is None else found
    # An extra without a name is none: `:python_version < "3.12"` says when what it has is required.
    always = _of_setup_extra(directory, "")
    return found if found is None or always is None else (*found, *always)


def is_dynamic(directory: Path) -> bool:
    """Tell whether a pyproject.toml leaves `dependencies` to something else, and so must not name any."""
    return "dependencies" in _dynamic(pyproject.table(pyproject.read(directory), "project"))


def extra(directory: Path, name: str) -> tuple[Declaration, ...] | None:
    """Return what an extra of a package requires, None where none of that name is declared."""
    path = directory / pyproject.FILE
    data = pyproject.read(directory)
    table = pyproject.table(pyproject.table(data, "project"), "optional-dependencies")
    spelling = next((key for key in table if normalize(key) == normalize(name)), None)
    if spelling is not None:
        return _of_table(path, table, spelling)
    if (found := poetry.extra(poetry.table(data), name, str(path))) is not None:
        return _of_poetry(path, found)
    extras = pyproject.table(_setuptools_dynamic(data), "optional-dependencies")
    named = next((value for key, value in extras.items() if normalize(key) == normalize(name)), None)
    if isinstance(named, dict) and "file" in named:
        return _of_files(path, named["file"])
    return _of_setup_extra(directory, name)


def group(directory: Path, name: str) -> tuple[Declaration, ...] | None:
    """Return what a dependency group requires, with the groups it includes; None where there is none of that name."""
    path, data = directory / pyproject.FILE, pyproject.read(directory)
    groups = {**tool_tables.groups(data), **pyproject.table(data, "dependency-groups")}
    found = _group(path, groups, name, ())
    # Poetry has its groups beside a `[project]`, too.
    own = pyproject.table(data, "tool", "poetry")
    if found is None and (texts := poetry.group(own, name, str(path))) is not None:
        return _of_poetry(path, texts)
    return found


def limits(directory: Path, key: str) -> tuple[Declaration, ...]:
    """Return one of the lists of constraints that uv has in a directory's pyproject.toml."""
    table = tool_tables.uv(pyproject.read(directory))
    return _of_table(directory / pyproject.FILE, table, key) if key in table else ()


def requires_python(directory: Path) -> Declaration | None:
    """Return the interpreters that a package declares it runs on, None where it declares none."""
    path, data = directory / pyproject.FILE, pyproject.read(directory)
    found = pyproject.table(data, "project").get("requires-python")
    if isinstance(found, str):
        return Declaration(text=found, path=path, line=_lines(path, "requires-python", [found])[0])
    text = poetry.requires_python(poetry.table(data), str(path))
    if text:
        return Declaration(text=text, path=path, line=_lines(path, "python", [""])[0])
    return _requires_python_of_setup(directory)


def _requires_python_of_setup(directory: Path) -> Declaration | None:
    for value in declared.setup_values(declared.setup_py(directory), "python_requires"):
        if (text := _text(value)) is not None:
            return Declaration(text=text, path=directory / "setup.py", line=value.lineno)
    path = directory / "setup.cfg"
    if text := _option(path, "python_requires"):
        return Declaration(text=text, path=path, line=_lines(path, "python_requires", [text])[0])
    return None


def fingerprinted(path: Path) -> object:
    """Return what one of `FILES` declares of requirements, something that is false where it declares nothing."""
    directory = path.parent
    if path.name != pyproject.FILE:
        found = _of_setup_py if path.name == "setup.py" else _of_setup_cfg
        required = [item.text for item in found(directory, "install_requires") or ()]
        extras = _extras_of_setup_py(directory) if path.name == "setup.py" else _extras_of_setup_cfg(directory)
        texts = {key: [item.text for item in found] for key, found in extras.items()}
        return {"required": required, "extras": texts} if texts else required
    data = pyproject.read(directory)
    project = pyproject.table(data, "project")
    words = ("dependencies", "optional-dependencies", "requires-python")
    found_words = {word: project[word] for word in words if project.get(word)}
    groups = pyproject.table(data, "dependency-groups")
    counts = _OF_POETRY if poetry.table(data) else _GROUPS_OF_POETRY
    own = {key: value for key, value in pyproject.table(data, "tool", "poetry").items() if key in counts and value}
    named = _setuptools_dynamic(data)
    extras = pyproject.table(named, "optional-dependencies")
    tables = [table for table in (named.get("dependencies"), *extras.values()) if isinstance(table, dict)]
    files = [item.text for table in tables if "file" in table for item in _of_files(path, table["file"])]
    more = {"dependency-groups": groups, "poetry": own, "files": files, "tools": tool_tables.fingerprinted(data)}
    return {**found_words, **{name: value for name, value in more.items() if value}}


def _dynamic(project: Mapping[str, object]) -> Iterable[object]:
    dynamic = project.get("dynamic")
    return dynamic if isinstance(dynamic, list) else ()


def _setuptools_dynamic(data: Mapping[str, object]) -> Mapping[str, object]:
    """Return where setuptools finds what `dynamic` leaves to it.

    https://setuptools.pypa.io/en/latest/userguide/pyproject_config.html#dynamic-metadata
    """
    dynamic = _dynamic(pyproject.table(data, "project"))
    table = pyproject.table(data, "tool", "setuptools", "dynamic")
    return {key: value for key, value in table.items() if key in dynamic}


def _of_files(path: Path, names: object) -> tuple[Declaration, ...]:
    """Return the lines of files beside `path`, which names them: one, or a list."""
    texts = [names] if isinstance(names, str) else names
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise UserError(f"{path}: `file` is neither a name nor a list of names", _MEND)
    found = []
    for text in texts:
        file = path.parent / text
        if not file.resolve().is_relative_to(path.parent.resolve()) or not file.is_file():
            raise UserError(
                f"{path}: its requirements are in {text}, and no such file is in its directory", "create the file"
            )
        found += [Declaration(text=line, path=file, line=number) for number, line in lines.read(file, path.parent)]
    return tuple(found)


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


def _of_poetry(path: Path, found: Mapping[str, Sequence[str]]) -> tuple[Declaration, ...]:
    rows = drafts.content(path).decode(errors="replace").splitlines()
    lines = {
        key: number for number, row in reversed([*enumerate(rows, 1)]) if (key := row.partition("=")[0].strip(" \"'"))
    }
    return tuple(Declaration(text=text, path=path, line=lines.get(key, 1)) for key in found for text in found[key])


def _of_setup_extra(directory: Path, name: str) -> tuple[Declaration, ...] | None:
    """Return what an extra of setup.py or setup.cfg requires; a key of theirs may be `name:marker`."""
    for extras in (_extras_of_setup_py(directory), _extras_of_setup_cfg(directory)):
        chosen = [key for key in extras if normalize(key.partition(":")[0].strip()) == normalize(name)]
        if chosen:
            return tuple(item for key in chosen for item in _under(extras[key], key.partition(":")[2]))
    return None


def _under(found: Iterable[Declaration], marker: str) -> Iterator[Declaration]:
    for item in found:
        text, _, own = item.text.partition(";")
        both = " and ".join(f"({each.strip()})" for each in (own, marker) if each.strip())
        yield replace(item, text=f"{text.strip()} ; {both}" if marker.strip() else item.text)


def _extras_of_setup_py(directory: Path) -> Mapping[str, Sequence[Declaration]]:
    tree = declared.setup_py(directory)
    known = declared.constants(tree)
    for value in declared.setup_values(tree, "extras_require"):
        if isinstance(value, ast.Dict):
            pairs = zip(value.keys, value.values, strict=True)
            values = ((_text(key), declared.resolved(item, known)) for key, item in pairs)
            # What is computed is not known here.
            return {
                key: _declarations(directory / "setup.py", key, _texts(item))
                for key, item in values
                if key is not None and isinstance(item, (ast.List, ast.Tuple, ast.Constant))
            }
    return {}


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _texts(node: ast.expr | None) -> list[str]:
    """Return the texts of a list that are written literally; one may stand for a list of one."""
    items = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
    return [text for item in items if (text := _text(item)) is not None]


def _extras_of_setup_cfg(directory: Path) -> Mapping[str, Sequence[Declaration]]:
    path = directory / "setup.cfg"
    parsed = _ini(path)
    section = "options.extras_require"
    keys = parsed.options(section) if parsed.has_section(section) else ()
    return {key: _of_value(path, key, parsed.get(section, key)) for key in keys}


def _of_setup_py(directory: Path, keyword: str) -> tuple[Declaration, ...] | None:
    for value in declared.setup_values(declared.setup_py(directory), keyword):
        if isinstance(value, (ast.List, ast.Tuple)):
            return tuple(
                Declaration(text=text, path=directory / "setup.py", line=item.lineno)
                for item in value.elts
                if (text := _text(item)) is not None
            )
    return None


def _of_setup_cfg(directory: Path, option: str) -> tuple[Declaration, ...] | None:
    path = directory / "setup.cfg"
    value = _option(path, option)
    return None if value is None else _of_value(path, option, value)


def _option(path: Path, option: str) -> str | None:
    return _ini(path).get("options", option, fallback=None)


def _ini(path: Path) -> ConfigParser:
    """Return what an INI file says, nothing where there is no file: a pipe, or a link to /dev/zero, never ends."""
    try:
        return documents.ini(path.read_bytes() if path.is_file() else b"")
    except ValueError as error:
        raise UserError(f"{path}: cannot be read: {error}", "mend the file") from None


def _of_value(path: Path, key: str, value: str) -> tuple[Declaration, ...]:
    """Return what a value of setup.cfg requires: a list, or the names of files that have it."""
    if value.strip().startswith("file:"):
        return _of_files(path, [name.strip() for name in value.strip().removeprefix("file:").split(",")])
    return _declarations(path, key, _split(value))


def _split(value: str) -> list[str]:
    # https://setuptools.pypa.io/en/latest/userguide/declarative_config.html: lines, or separated by semicolons
    value = value if "\n" in value.strip() else value.replace(";", "\n")
    return [text.strip() for text in value.splitlines() if text.strip() and not text.strip().startswith("#")]


def _declarations(path: Path, key: str, texts: list[str]) -> tuple[Declaration, ...]:
    numbers = _lines(path, key, texts)
    return tuple(Declaration(text=text, path=path, line=line) for text, line in zip(texts, numbers, strict=True))


def _lines(path: Path, key: str, texts: list[str]) -> list[int]:
    """Return the line of each text: the first one with it at or after that of its key, else that of the key."""
    rows = drafts.content(path).decode(errors="replace").splitlines()
    begins = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*=""")
    start = next((number for number, row in enumerate(rows) if begins.match(row)), 0)
    return [next((number for number in range(start, len(rows)) if text in rows[number]), start) + 1 for text in texts]
