"""What a package says of itself in pyproject.toml, setup.py and setup.cfg, read without running anything."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.core.errors import UserError
from toolkit.model import core_metadata
from toolkit.project import pyproject

#: The arguments of `setup()` that are read.
_ARGUMENTS = ("name", "version", "description", "license", "entry_points")


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
    name = next((source.name for source in sources if source.name), "")
    return Declared(
        name=name,
        version=next((source.version for source in sources if source.version), "") or _module_version(directory, name),
        summary=next((source.summary for source in sources if source.summary), ""),
        licence=next((source.licence for source in sources if source.licence), ""),
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
    try:
        tree = ast.parse((directory / name.replace("-", "_") / "__init__.py").read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ""
    return _text(_literal(_constants(tree).get("__version__"), {}))


def _from_pyproject(data: dict[str, Any]) -> Declared:
    project = _table(data, "project")
    poetry = _table(data, "tool", "poetry")
    scripts = {**_table(poetry, "scripts"), **_table(project, "scripts")}
    return Declared(
        name=_text(project.get("name")) or _text(poetry.get("name")),
        version=_text(project.get("version")) or _text(poetry.get("version")),
        summary=_text(project.get("description")) or _text(poetry.get("description")),
        licence=_text(project.get("license")) or _text(poetry.get("license")),
        scripts={name: _text(target) for name, target in scripts.items()},
    )


def _table(data: dict[str, Any], *keys: str) -> dict[str, Any]:
    for key in keys:
        value = data.get(key)
        data = value if isinstance(value, dict) else {}
    return data


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _from_setup_py(directory: Path) -> Declared:
    try:
        tree = ast.parse((directory / "setup.py").read_bytes())
    except (OSError, SyntaxError, ValueError):
        return Declared()
    constants = _constants(tree)
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node.func) == "setup")
    arguments = {keyword.arg: keyword.value for call in calls for keyword in call.keywords if keyword.arg}
    values = {key: _literal(arguments.get(key), constants) for key in _ARGUMENTS}
    return Declared(
        name=_text(values["name"]),
        version=_text(values["version"]),
        summary=_text(values["description"]),
        licence=_text(values["license"]),
        scripts=_console_scripts(values["entry_points"]),
    )


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    return {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _literal(node: ast.expr | None, constants: dict[str, ast.expr]) -> object:
    """Return the value of a literal, or of a module's constant that is one; None for anything computed."""
    if isinstance(node, ast.Name):
        node = constants.get(node.id)
    try:
        return ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError, SyntaxError):
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
    config = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        config.read_string(path.read_text(encoding="utf-8"))
    except (configparser.Error, UnicodeDecodeError) as error:
        reason = re.sub(r"\s+", " ", str(error))
        raise UserError(f"{path}: cannot be read: {reason}", "mend the file") from None
    version = config.get("metadata", "version", fallback="").strip()
    return Declared(
        name=config.get("metadata", "name", fallback="").strip(),
        version="" if version.startswith(("attr:", "file:")) else version,
        summary=config.get("metadata", "description", fallback="").strip(),
        licence=config.get("metadata", "license", fallback="").strip(),
        scripts=_console_scripts(dict(config["options.entry_points"]) if "options.entry_points" in config else {}),
    )
