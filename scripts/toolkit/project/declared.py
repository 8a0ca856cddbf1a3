"""What a package says of itself in pyproject.toml, setup.py and setup.cfg, read without running anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.core import documents
from toolkit.core.errors import UserError
from toolkit.model import core_metadata
from toolkit.project import pyproject


@dataclass(frozen=True, kw_only=True)
class Declared:
    """The distribution's name as written, its version, summary, licence and console scripts.

    Empty where only running it would tell. The scripts are names with `module:function`.
    """

    name: str = ""
    version: str = ""
    summary: str = ""
    licence: str = ""
    scripts: Mapping[str, str] = field(default_factory=dict)


def read(directory: Path) -> Declared:
    """Return what is declared.

    `[project]` comes first, then (as in setuptools) setup.py before setup.cfg, and what only an unpacked sdist has.
    """
    sources = [
        _from_pyproject(pyproject.read(directory)),
        _from_setup_py(directory),
        _from_setup_cfg(directory),
        _from_pkg_info(directory),
    ]
    name, version, summary, licence = (
        next((value for source in sources if (value := getattr(source, attribute))), "")
        for attribute in ("name", "version", "summary", "licence")
    )
    return Declared(
        name=name,
        version=version or _module_version(directory, name),
        summary=summary,
        licence=licence,
        scripts={name: target for source in reversed(sources) for name, target in sorted(source.scripts.items())},
    )


def _from_pkg_info(directory: Path) -> Declared:
    """Return what an sdist's builder knew, who ran it (core metadata in PKG-INFO)."""
    path = directory / "PKG-INFO"
    if not path.is_file():
        return Declared()
    found = core_metadata.parse(path.read_bytes())
    return Declared(name=found.name, version=found.version, summary=found.summary)


def _module_version(directory: Path, name: str) -> str:
    """Return the `__version__` of the module named as the distribution, which is where many setup.py take it from."""
    tree = _parsed(directory / name.replace("-", "_") / "__init__.py")
    return _text(_literal(constants(tree).get("__version__"), {}))


def _from_pyproject(data: dict[str, Any]) -> Declared:
    project, poetry = pyproject.table(data, "project"), pyproject.table(data, "tool", "poetry")
    scripts = {**pyproject.table(poetry, "scripts"), **pyproject.table(project, "scripts")}
    return Declared(
        name=_text(project.get("name")) or _text(poetry.get("name")),
        version=_text(project.get("version")) or _text(poetry.get("version")),
        summary=_text(project.get("description")) or _text(poetry.get("description")),
        licence=_text(project.get("license")) or _text(poetry.get("license")),
        scripts={name: _text(target) for name, target in scripts.items()},
    )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _from_setup_py(directory: Path) -> Declared:
    tree = setup_py(directory)
    known = constants(tree)
    keywords = (keyword for call in setup_calls(tree) for keyword in call.keywords)
    values = {keyword.arg: _literal(keyword.value, known) for keyword in keywords}
    return Declared(
        name=_text(values.get("name")),
        version=_text(values.get("version")),
        summary=_text(values.get("description")),
        licence=_text(values.get("license")),
        scripts=_console_scripts(values.get("entry_points")),
    )


def setup_py(directory: Path) -> ast.Module:
    """Return the syntax tree of a directory's setup.py, an empty one where there is none that this Python can read."""
    return _parsed(directory / "setup.py")


def _parsed(path: Path) -> ast.Module:
    """Return a module's syntax tree, an empty one where there is no module that this Python can read."""
    with suppress(OSError, ValueError):
        # A pipe never ends, nor does /dev/zero, to which git keeps a link.
        if path.is_file():
            return documents.python(path.read_bytes())
    return ast.Module(body=[], type_ignores=[])


def constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Return what the names of a setup.py's top level are given, by name."""
    return {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def setup_calls(tree: ast.Module) -> Iterator[ast.Call]:
    """Yield the calls of `setup()` in a setup.py, under whatever name its module is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and "setup" in (getattr(node.func, "attr", ""), getattr(node.func, "id", "")):
            yield node


def setup_values(tree: ast.Module, keyword: str) -> Iterator[ast.expr]:
    """Yield what a setup.py passes to `setup()` under a keyword, as `resolved` has it."""
    known = constants(tree)
    for call in setup_calls(tree):
        yield from (resolved(found.value, known) for found in call.keywords if found.arg == keyword)


def resolved(node: ast.expr, known: Mapping[str, ast.expr]) -> ast.expr:
    """Return what a name stands for among `known` ones, and anything else as it is."""
    return known.get(node.id, node) if isinstance(node, ast.Name) else node


def _literal(node: ast.expr | None, known: Mapping[str, ast.expr]) -> object:
    """Return the value of a literal, or of a module's constant that is one; None for anything computed."""
    try:
        return documents.literal(resolved(node, known)) if node is not None else None
    except ValueError:
        return None


def _console_scripts(entry_points: object) -> dict[str, str]:
    """Return the scripts in an `entry_points` argument, which is a mapping of lists (or one text of a setup.cfg)."""
    lines = entry_points.get("console_scripts", ()) if isinstance(entry_points, dict) else ()
    lines = lines.splitlines() if isinstance(lines, str) else lines
    if not isinstance(lines, (list, tuple)):
        return {}
    pairs = (line.split("=", 1) for line in lines if isinstance(line, str) and "=" in line)
    return {name.strip(): target.strip() for name, target in pairs}


def _from_setup_cfg(directory: Path) -> Declared:
    path = directory / "setup.cfg"
    if not path.is_file():
        return Declared()
    try:
        config = documents.ini(path.read_bytes())
    except ValueError as error:
        raise UserError(f"{path}: cannot be read: {error}", "mend the file") from None
    version = config.get("metadata", "version", fallback="").strip()
    return Declared(
        name=config.get("metadata", "name", fallback="").strip(),
        version="" if version.startswith(("attr:", "file:")) else version,
        summary=config.get("metadata", "description", fallback="").strip(),
        licence=config.get("metadata", "license", fallback="").strip(),
        scripts=_console_scripts(dict(config["options.entry_points"]) if "options.entry_points" in config else {}),
    )
