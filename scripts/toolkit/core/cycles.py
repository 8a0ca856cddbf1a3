"""Build requirements that go in a circle: nothing could be the first to be built."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from toolkit.core.errors import UserError


def find(requires: Mapping[str, Collection[str]]) -> list[str]:
    """Return a circle among keys, from one to itself, or nothing; `requires` has the requirements of each."""
    finished: set[str] = set()
    path: dict[str, None] = {}
    stack = [(key, False) for key in sorted(requires, reverse=True)]
    while stack:
        key, is_done = stack.pop()
        if is_done:
            del path[key]
            finished.add(key)
        elif key in path:
            keys = list(path)
            return [*keys[keys.index(key) :], key]
        elif key not in finished:
            path[key] = None
            stack += [(key, True), *((other, False) for other in sorted(requires.get(key, ()), reverse=True))]
    return []


def error(keys: Sequence[str], requires: Mapping[str, Collection[str]] | None = None) -> UserError:
    """Return the error to raise for a circle of `name==version`; its hint ends all circles among `requires`."""
    names = _cut(requires or {}) or [_name(keys[0])]
    return UserError(
        f"build requirements go in a circle: {' -> '.join(keys)}",
        f"let it begin with a wheel: add the line{'s' * (len(names) > 1)} {' and '.join(names)} to vendor.txt and run "
        "`make vendor`",
    )


def _cut(requires: Mapping[str, Collection[str]]) -> list[str]:
    """Return names without whose builds there is no circle: of each circle the one that ends the most."""
    names: list[str] = []
    rest = dict(requires)
    while circle := find(rest):
        without = {name: _without(name, rest) for name in dict.fromkeys(map(_name, circle))}
        best = next((name for name, graph in without.items() if not find(graph)), _name(circle[0]))
        names.append(best)
        rest = without[best]
    return names


def _without(name: str, requires: Mapping[str, Collection[str]]) -> dict[str, Collection[str]]:
    return {key: () if _name(key) == name else found for key, found in requires.items()}


def _name(key: str) -> str:
    return key.partition("==")[0]
