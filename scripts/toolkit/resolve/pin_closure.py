"""The closure of a set of requirements among pins whose versions are fixed: exact, and without asking an engine.

One resolution gives every version; which of them one set needs follows from the requirements of each distribution,
evaluated for every machine that is a target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement

from toolkit.model import markers
from toolkit.model.names import normalize
from toolkit.model.pins import Pin

#: The requirements of a pin (`Requires-Dist`), or None where they are not certain.
Requires = Callable[[Pin], Sequence[str] | None]


def closure(
    requirements: Iterable[str],
    pins: Sequence[Pin],
    requires: Requires,
    pythons: Sequence[str],
    platforms: Sequence[str],
) -> tuple[Pin, ...] | None:
    """Return the pins that the requirements need, each with the marker under which they do.

    None where only an engine can find them: for a pin whose requirements are not certain, or none, a name that is not
    pinned, or a condition that no short marker describes.
    """
    first = list(map(_parsed, requirements))
    texts_of = {pin.key: requires(pin) for pin in pins}
    try:
        known = {key: None if texts is None else list(map(_parsed, texts)) for key, texts in texts_of.items()}
    except InvalidRequirement:
        return None
    texts = " ".join(str(item.marker) for items in (first, *known.values()) for item in items or () if item.marker)
    needed = []
    for environment in markers.environments(texts, pythons, platforms):
        keys = _keys(first, pins, known, environment)
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
    return tuple(found)


# Each set of requirements is looked for among the same pins.
@cache
def _parsed(text: str) -> Requirement:
    return Requirement(text)


def _keys(
    first: Sequence[Requirement],
    pins: Sequence[Pin],
    known: Mapping[str, list[Requirement] | None],
    environment: markers.Environment,
) -> set[str] | None:
    """Return the keys that are needed on one machine; None where only an engine can find them."""
    keys: set[str] = set()
    stack = [(requirement, "") for requirement in first]
    seen: set[tuple[str, str]] = set()
    while stack:
        requirement, extra = stack.pop()
        if not _holds(requirement.marker, environment, extra):
            continue
        name = normalize(requirement.name)
        pin = next((pin for pin in pins if pin.name == name and _holds_text(pin.marker, environment)), None)
        if pin is None or known[pin.key] is None:
            return None
        keys.add(pin.key)
        for inner in ("", *requirement.extras):
            if (pin.key, inner) not in seen:
                seen.add((pin.key, inner))
                stack += [(item, inner) for item in known[pin.key] or ()]
    return keys


def _holds(marker: Marker | None, environment: markers.Environment, extra: str) -> bool:
    return marker is None or marker.evaluate({**environment, "extra": extra})


def _holds_text(marker: str, environment: markers.Environment) -> bool:
    return not marker or Marker(marker).evaluate(dict(environment))
