"""Build requirements that go in a circle: nothing could be the first to be built."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

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


def error(
    keys: Sequence[str],
    requires: Mapping[str, Collection[str]] | None = None,
    has_wheels: Callable[[str], bool] = lambda _: True,
    place: str = "vendor.txt",
    line: str = "",
) -> UserError:
    """Return the error to raise for a circle of `name==version`.

    Its hint ends all circles among `requires` by lines of the file `place` for wheels, where there are some that
    `has_wheels`. `line` (`file:line`) is where the project's people ask for a step of it, if they do.
    """
    what = f"build requirements go in a circle: {' -> '.join(keys)}"
    if line:
        return UserError(what, f"remove {line}: without it there is no such circle")
    names = _cut(requires or {}, has_wheels) or [_name(key) for key in keys[:1] if has_wheels(key)]
    return UserError(
        what,
        f"let it begin with a wheel: add the line{'s' * (len(names) > 1)} {' and '.join(names)} to {place} and run "
        "`make vendor`"
        if names
        else f"no index has wheels to begin with: allow another version of {_name(keys[0])}, or leave it out",
    )


def _cut(requires: Mapping[str, Collection[str]], has_wheels: Callable[[str], bool]) -> list[str]:
    """Return names with wheels without whose builds there is no circle: of each circle the one that ends the most.

    None where a circle has no wheels.
    """
    names: list[str] = []
    rest = dict(requires)
    while circle := find(rest):
        without = {_name(key): _without(_name(key), rest) for key in dict.fromkeys(circle) if has_wheels(key)}
        if not without:
            return []
        best = next((name for name, graph in without.items() if not find(graph)), next(iter(without)))
        names.append(best)
        rest = without[best]
    return names


def _without(name: str, requires: Mapping[str, Collection[str]]) -> dict[str, Collection[str]]:
    return {key: () if _name(key) == name else found for key, found in requires.items()}


def _name(key: str) -> str:
    return key.partition("==")[0]
