"""`build-settings.toml`: what single distributions are built with besides: config settings and variables, by name.

[pynacl]
env = {SODIUM_INSTALL = "system"}

[pyzmq]
config-settings = {"cmake.define.ZMQ_DRAFT_API" = "ON"}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.core import documents
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.model import build_settings
from toolkit.model.build_settings import BuildSettings
from toolkit.model.names import NAME, normalize
from toolkit.project import lines

FILE = "build-settings.toml"
_CONFIG, _ENVIRONMENT = "config-settings", "env"
_USAGE = 'write a table for each distribution: `[pynacl]`, and below it `env = {SODIUM_INSTALL = "system"}`'


@dataclass(frozen=True, kw_only=True)
class NamedSettings:
    """The table of one distribution: its name in the normal form, and where the table stands (`file:line`)."""

    name: str
    settings: BuildSettings
    origin: str


def read(path: Path, project_root: Path) -> tuple[NamedSettings, ...]:
    """Return the tables of a build-settings.toml, none when it is missing. Raises `UserError` with `file:line`."""
    if not path.is_file():
        return ()
    shown = lines.shown(path, project_root)
    content = path.read_bytes()
    rows = content.decode("utf-8", "replace").splitlines()
    found: dict[str, NamedSettings] = {}
    for name, table in _toml(content, shown).items():
        named = _named(name, table, shown, rows)
        if first := found.get(named.name):
            raise UserError(
                f"{named.origin}: {named.name} has a table at {first.origin} already", "make one of the two"
            )
        found[named.name] = named
    return tuple(found.values())


def together(found: Iterable[NamedSettings]) -> tuple[NamedSettings, ...]:
    """Return the settings of several files, one for each name. Raises `UserError` where two files disagree."""
    joint: dict[str, NamedSettings] = {}
    for item in found:
        first = joint.setdefault(item.name, item)
        both = [(dict(first.settings.config), dict(item.settings.config))]
        both += [(dict(first.settings.environment), dict(item.settings.environment))]
        for one, other in both:
            for key in one.keys() & other.keys():
                if one[key] != other[key]:
                    raise UserError(
                        f"{item.origin}: {item.name}: {key} has another value than at {first.origin}",
                        "a distribution is built once: make them agree",
                    )
        config, environment = ({**one, **other} for one, other in both)
        joint[item.name] = NamedSettings(
            name=item.name, settings=build_settings.of(config, environment), origin=first.origin
        )
    return tuple(joint.values())


def of_name(found: Iterable[NamedSettings], name: str) -> BuildSettings:
    """Return the settings of a distribution or local package, by its name in the normal form."""
    return next((item.settings for item in found if item.name == name), build_settings.NONE)


def fingerprinted(path: Path, project_root: Path) -> str:
    """Return what a file says, comments and layout aside. Raises `UserError` for a file that is not TOML."""
    found = _toml(path.read_bytes(), lines.shown(path, project_root))
    return json.dumps(found, sort_keys=True, default=str) if found else ""


def _toml(content: bytes, shown: str) -> dict[str, Any]:
    try:
        return documents.toml(content)
    except ValueError as error:
        raise UserError(f"{shown}: not a TOML file: {error}", _USAGE) from None


def _named(name: str, table: object, shown: str, rows: list[str]) -> NamedSettings:
    header = re.compile(rf"""\s*\[\s*["']?{re.escape(name)}["']?\s*[].]""")
    start = next((number for number, row in enumerate(rows) if header.match(row)), _row(rows, name, 0))
    origin = f"{shown}:{start + 1}"
    if not NAME.fullmatch(name):
        raise UserError(f"{origin}: {quoted(name)} is no name of a distribution", _USAGE)
    if not isinstance(table, dict) or not table:
        raise UserError(f"{origin}: {name}: no table, or an empty one", _USAGE)
    for key, values in table.items():
        where = f"{shown}:{_row(rows, key, start) + 1}: {name}"
        if key not in (_CONFIG, _ENVIRONMENT):
            raise UserError(f"{where}: {quoted(key)} is no kind of setting", f"write {_CONFIG} or {_ENVIRONMENT}")
        if not isinstance(values, dict):
            raise UserError(f"{where}: {key} is no table", _USAGE)
        check = build_settings.variable if key == _ENVIRONMENT else build_settings.config_value
        for setting, value in values.items():
            try:
                check(setting, value)
            except UserError as error:
                line = _row(rows, setting, start) + 1
                raise UserError(f"{shown}:{line}: {name}: {error.what}", error.hint) from None
    return NamedSettings(
        name=normalize(name),
        settings=build_settings.of(table.get(_CONFIG, {}), table.get(_ENVIRONMENT, {})),
        origin=origin,
    )


def _row(rows: list[str], word: str, start: int) -> int:
    """Return the first row at or after `start` that has a word in it as a name of its own, else `start`."""
    # TOML may spell a name with escapes: then its table's line has to do.
    whole = re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w-])")
    found = (number for number in range(start, len(rows)) if whole.search(rows[number].partition(" #")[0]))
    return next((number for number in found if not rows[number].lstrip().startswith("#")), start)
