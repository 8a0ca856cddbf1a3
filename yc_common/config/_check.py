"""A tree of plain values to a section, or every mistake in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from yc_common import _secrets
from yc_common.config import _shape
from yc_common.config._problem import ConfigError, Origin, Problem, did_you_mean, dotted
from yc_common.config._types import Section, decode
from yc_common.config._yaml import Path

S = TypeVar("S", bound=Section)

_NAMES = {bool: "bool", int: "int", float: "float", str: "str", list: "list", dict: "mapping", type(None): "nothing"}


def build(section: type[S], tree: dict[str, object], origins: Mapping[Path, Origin]) -> S:
    """Return the section that the tree holds; raises `ConfigError` with every mistake.

    A right configuration is one call of msgspec. Only a wrong one is walked, key by key.
    """
    try:
        return msgspec.convert(tree, section, dec_hook=decode)
    except (msgspec.ValidationError, ValueError) as error:
        walk = _Walk(origins)
        repaired = walk.section(section, tree, ())
        if walk.problems:
            raise ConfigError(walk.problems) from None
        first = error
    try:
        return msgspec.convert(repaired, section, dec_hook=decode)
    except (msgspec.ValidationError, ValueError):
        raise ConfigError([Problem(walk.origin(()), "", str(first))]) from None


class _Walk:
    """Checks value after value, and gathers what is wrong."""

    def __init__(self, origins: Mapping[Path, Origin]) -> None:
        self.problems: list[Problem] = []
        self._origins = origins

    def origin(self, path: Path) -> Origin:
        """Return where the value at `path`, or the nearest one around it, came from."""
        for end in range(len(path), -1, -1):
            if path[:end] in self._origins:
                return self._origins[path[:end]]
        return Origin("defaults")

    def section(self, section: type[Section], value: object, path: Path) -> object:
        """Check a section; return it with empty subsections (`log:` and nothing below) as they were meant."""
        if value is None:
            value = {}
        if not isinstance(value, dict):
            self._wrong(path, f"expected a section with {', '.join(_shape.fields(section))}, got {_seen(value, False)}")
            return value
        before = len(self.problems)
        known = _shape.fields(section)
        for key in value.keys() - known.keys():
            self._wrong((*path, key), "unknown key", did_you_mean(str(key), list(known)))
        checked = {}
        for name, field in known.items():
            if name in value:
                checked[name] = self._value(field.type, value[name], (*path, name))
            elif field.required:
                self._missing(field.type, (*path, name))
        if len(self.problems) == before:
            self._whole(section, checked, path)
        return checked

    def _missing(self, wanted: Any, path: Path) -> None:
        hint = f"give it as the systemd credential {dotted(path)}" if _shape.is_secret(wanted) else ""
        self._wrong(path, "required, and given nowhere", hint)

    def _whole(self, section: type[Section], value: object, path: Path) -> None:
        """Run the section's own rules, which need all of its values to be right."""
        try:
            msgspec.convert(value, section, dec_hook=decode)
        except (msgspec.ValidationError, ValueError) as error:
            self._wrong(path, _inner(str(error))[0])

    def _value(self, wanted: Any, value: object, path: Path) -> object:
        inner = _shape.section_of(wanted)
        if inner is not None and not (value is None and type(None) in _shape.members(wanted)):
            return self.section(inner, value, path)
        for container in (list, dict):
            item = _shape.item_of(wanted, container)
            if item is not None and isinstance(value, container):
                return self._items(item, wanted, value, path)
        return self._leaf(wanted, value, path)

    def _items(self, item: Any, wanted: Any, value: Any, path: Path) -> object:
        before = len(self.problems)
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        checked = [(key, self._value(item, one, (*path, key))) for key, one in pairs]
        result = dict(checked) if isinstance(value, dict) else [one for _, one in checked]
        return self._leaf(wanted, result, path) if len(self.problems) == before else result

    def _leaf(self, wanted: Any, value: object, path: Path) -> object:
        try:
            msgspec.convert(value, wanted, dec_hook=decode)
        except (msgspec.ValidationError, ValueError) as error:
            self._wrong(path, *_explain(str(error), wanted, value, path))
        return value

    def _wrong(self, path: Path, what: str, hint: str = "") -> None:
        self.problems.append(Problem(self.origin(path), dotted(path), what, hint))


def _explain(message: str, wanted: Any, value: object, path: Path) -> tuple[str, str]:
    """Return what is wrong with a value, in the words of the file rather than of the library."""
    text, inside = _inner(message)
    hidden = _shape.is_secret(wanted) or any(_secrets.is_sensitive(str(part)) for part in path)
    text = re.sub(r", got .*$", "", text)
    allowed = _shape.choices(wanted)
    if allowed:
        text = f"expected one of {', '.join(allowed)}"
    hint = did_you_mean(value, allowed) if allowed and isinstance(value, str) else ""
    if bool in _shape.members(wanted) and str(value).lower() in ("yes", "no", "on", "off"):
        hint = "write true or false"
    elif str in _shape.members(wanted) and isinstance(value, (int, float)):
        hint = "put it into quotes"
    return f"{inside}{text[:1].lower()}{text[1:]}, got {_seen(value, hidden)}", "" if "known" in hint else hint


def _inner(message: str) -> tuple[str, str]:
    """Split msgspec's message into what is wrong and where inside the value it is."""
    text, _, place = message.replace("`", "").partition(" - at ")
    place = place.removeprefix("$").lstrip(".")
    return text, f"{place}: " if place else ""


def _seen(value: object, hidden: bool) -> str:
    kind = _NAMES.get(type(value), type(value).__name__)
    if hidden and value is not None:
        return f"{kind} {_secrets.MASK}"
    if isinstance(value, str):
        return f'str "{value if len(value) <= 60 else value[:57] + "…"}"'
    if isinstance(value, (bool, int, float)):
        return f"{kind} {str(value).lower() if isinstance(value, bool) else value}"
    return kind


def names(section: type[Section]) -> list[str]:
    """Return the dotted names of all keys, through nested sections."""
    found: list[str] = []
    for name, field in _shape.fields(section).items():
        inner = _shape.section_of(field.type)
        found += [f"{name}.{below}" for below in names(inner)] if inner else [name]
    return found
