"""The closure of a set of requirements among pins whose versions are fixed: exact, and without asking an engine.

One resolution gives every version; which of them one set needs follows from the requirements of each distribution,
evaluated for every machine that is a target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from toolkit.model import markers, requirement_texts
from toolkit.model.names import normalize
from toolkit.model.pins import Pin

#: The requirements of a pin (`Requires-Dist`), or None where they are not certain.
Requires = Callable[[Pin], Sequence[str] | None]


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a set of requirements needs among pins: those, and by name all that limits their versions."""

    pins: tuple[Pin, ...]
    specifiers: Mapping[str, SpecifierSet]


def closure(
    requirements: Iterable[str],
    pins: Sequence[Pin],
    requires: Requires,
    pythons: Sequence[str],
    platforms: Sequence[str],
) -> Part | None:
    """Return the pins that the requirements need, each with the marker under which they do.

    None where only an engine can find them: for a pin whose requirements are not certain, or none, a name that is not
    pinned, or a condition that no short marker describes.
    """
    first = _parsed(tuple(requirements)) or []
    known = {pin.key: _parsed(requires(pin)) for pin in pins}
    texts = " ".join(str(item.marker) for items in (first, *known.values()) for item in items or () if item.marker)
    needed = []
    specifiers: dict[str, SpecifierSet] = {}
    for environment in markers.environments(texts, pythons, platforms):
        keys = _keys(first, pins, known, environment, specifiers)
        if keys is None:
            return None
        needed.append((environment, keys))
    found = []
    for pin in pins:
        table = [(environment, pin.key in keys) for environment, keys in needed]
        if any(holds for _, holds in table):
            marker = markers.describe(table)
            if marker is None:
                return None
            found.append(replace(pin, marker=marker))
    return Part(pins=tuple(found), specifiers=specifiers)


def _parsed(texts: Sequence[str] | None) -> list[Requirement] | None:
    """Return what is read of requirements; None where nothing tells them, or one is none."""
    found = list(filter(None, map(_parse, texts or ())))
    return None if texts is None or len(found) < len(texts) else found


# Each set of requirements is looked for among the same pins.
_parse = cache(requirement_texts.parse)


def _keys(
    first: Sequence[Requirement],
    pins: Sequence[Pin],
    known: Mapping[str, list[Requirement] | None],
    environment: markers.Environment,
    specifiers: dict[str, SpecifierSet],
) -> set[str] | None:
    """Return the keys that are needed on one machine; None where only an engine can find them.

    What limits their versions is added to `specifiers`.
    """
    keys: set[str] = set()
    stack = [(requirement, "") for requirement in first]
    seen: set[tuple[str, str]] = set()
    while stack:
        requirement, extra = stack.pop()
        if not markers.holds(requirement.marker, environment, extra):
            continue
        name = normalize(requirement.name)
        pin = next((pin for pin in pins if pin.name == name and markers.holds(pin.marker, environment)), None)
        if pin is None or known[pin.key] is None:
            return None
        keys.add(pin.key)
        specifiers[name] = specifiers.get(name, SpecifierSet()) & requirement.specifier
        for inner in ("", *requirement.extras):
            if (pin.key, inner) not in seen:
                seen.add((pin.key, inner))
                stack += [(item, inner) for item in known[pin.key] or ()]
    return keys
