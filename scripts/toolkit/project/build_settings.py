"""`build-settings.toml`: what single distributions are built with besides: config settings and variables, by name.

[pynacl]
env = {SODIUM_INSTALL = "system"}

[pyzmq]
config-settings = {"cmake.define.ZMQ_DRAFT_API" = "ON"}

["pyzmq==26.0.3"]
env = {ZMQ_PREFIX = "bundled"}

A table for one version adds to that of the name, and counts before it, setting by setting, as cargo's profiles do:
https://doc.rust-lang.org/cargo/reference/profiles.html#overrides
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

from toolkit.core import documents
from toolkit.core.errors import AT_ONCE, FinalError, Gathering, UserError
from toolkit.core.foreign_text import quoted
from toolkit.model import build_settings
from toolkit.model.build_settings import BuildSettings
from toolkit.model.names import NAME, normalize
from toolkit.project import lines

FILE = "build-settings.toml"
_CONFIG, _ENVIRONMENT = "config-settings", "env"
#: One, and no range of them.
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]{0,99}")
_USAGE = 'write a table for each distribution: `[pynacl]`, and below it `env = {SODIUM_INSTALL = "system"}`'


@dataclass(frozen=True, kw_only=True)
class NamedSettings:
    """The table of one distribution: its name in the normal form, and where the table stands (`file:line`).

    It is for the `version` alone, if there is one.
    """

    name: str
    settings: BuildSettings
    origin: str
    version: str = ""

    @property
    def label(self) -> str:
        """Return what the table is called."""
        return f"{self.name}=={self.version}" if self.version else self.name

    @property
    def target(self) -> tuple[str, str]:
        """Return what tells it from tables for something else."""
        return self.name, _canonical(self.version)

    def is_for(self, key: str) -> bool:
        """Tell whether it is for a `name==version`, or a local package's name."""
        name, _, version = key.partition("==")
        return self.target in ((name, ""), (name, _canonical(version)))


def read(path: Path, project_root: Path, errors: Gathering = AT_ONCE) -> tuple[NamedSettings, ...]:
    """Return the tables of a build-settings.toml, none when it is missing. Raises `UserError` with `file:line`.

    `errors` gathers tables that are refused.
    """
    if not path.is_file():
        return ()
    shown = lines.shown(path, project_root)
    content = path.read_bytes()
    rows = content.decode("utf-8", "replace").splitlines()
    found: dict[tuple[str, str], NamedSettings] = {}
    for name, table in _toml(content, shown).items():
        try:
            named = _named(name, table, shown, rows)
            if first := found.get(named.target):
                raise UserError(
                    f"{named.origin}: {named.label} has a table at {first.origin} already", "make one of the two"
                )
            found[named.target] = named
        except UserError as error:
            # What fails to build without its settings tells nothing.
            errors.add(FinalError(error.what, error.hint))
    return tuple(found.values())


def together(found: Iterable[NamedSettings]) -> tuple[NamedSettings, ...]:
    """Return the settings of several files, one for each target. Raises `UserError` where two files disagree."""
    joint: dict[tuple[str, str], NamedSettings] = {}
    for item in found:
        first = joint.setdefault(item.target, item)
        both = [(dict(first.settings.config), dict(item.settings.config))]
        both += [(dict(first.settings.environment), dict(item.settings.environment))]
        for one, other in both:
            for key in one.keys() & other.keys():
                if one[key] != other[key]:
                    raise UserError(
                        f"{item.origin}: {item.label}: {key} has another value than at {first.origin}",
                        "a distribution is built once: make them agree",
                    )
        joint[item.target] = replace(first, settings=_added(first.settings, item.settings))
    return tuple(joint.values())


def of_key(found: Iterable[NamedSettings], key: str) -> BuildSettings:
    """Return the settings of a distribution, by its `name==version`, or of a local package, by its name."""
    chosen = sorted((item for item in found if item.is_for(key)), key=lambda item: bool(item.version))
    return reduce(_added, (item.settings for item in chosen), build_settings.NONE)


def _added(first: BuildSettings, second: BuildSettings) -> BuildSettings:
    """Return settings with others, which count before them."""
    config = {**dict(first.config), **dict(second.config)}
    return build_settings.of(config, {**dict(first.environment), **dict(second.environment)})


def _canonical(version: str) -> str:
    """Return one text for all that are the same version, such as 1.0 and 1.0.0; what is none stays."""
    if not version:
        return ""
    # Not needed, and not always there, where files have nothing for a version.
    from packaging.utils import canonicalize_version

    return canonicalize_version(version)


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
    called, equals, version = (part.strip() for part in name.partition("=="))
    if not NAME.fullmatch(called) or (equals and not _VERSION.fullmatch(version)):
        raise UserError(f"{origin}: {quoted(name)} is no name of a distribution, or `name==version`", _USAGE)
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
        name=normalize(called),
        version=version,
        settings=build_settings.of(table.get(_CONFIG, {}), table.get(_ENVIRONMENT, {})),
        origin=origin,
    )


def _row(rows: list[str], word: str, start: int) -> int:
    """Return the first row at or after `start` that has a word in it as a name of its own, else `start`."""
    # TOML may spell a name with escapes: then its table's line has to do.
    whole = re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w-])")
    found = (number for number in range(start, len(rows)) if whole.search(rows[number].partition(" #")[0]))
    return next((number for number in found if not rows[number].lstrip().startswith("#")), start)
