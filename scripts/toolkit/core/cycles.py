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


def error(keys: Sequence[str]) -> UserError:
    """Return the error to raise for a circle of `name==version`."""
    return UserError(
        f"build requirements go in a circle: {' -> '.join(keys)}",
        f"take one of them as a wheel: add the line {keys[0].partition('==')[0]} to vendor.txt and run `make vendor`",
    )
