"""Why something is built, told while a lock is made: the shortest chain from a line of the project."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping

from toolkit.core.errors import UserError, combined
from toolkit.model import requirement_texts
from toolkit.model.lock import Distribution
from toolkit.model.names import normalize


def find(
    key: str,
    direct: Mapping[str, str],
    distributions: Mapping[str, Distribution],
    builders: Mapping[str, Collection[str]],
) -> list[str]:
    """Return the steps from a line to `key` (a `name==version`); none where no line leads there.

    `direct` are lines by the name that they ask for, `distributions` and `builders` (what builds each) are by key; the
    key of a builder may be that of a local package. A step that builds the one before it begins with `=>`.
    """
    keys: dict[str, list[str]] = {}
    for other, distribution in distributions.items():
        keys.setdefault(distribution.name, []).append(other)
    chains = {other: [line] for name, line in direct.items() for other in keys.get(normalize(name), ())}
    queue = deque(chains)
    for builder, built in builders.items():
        if builder not in distributions:
            chains |= {other: [builder, f"=> {_shown(other)}"] for other in built if other not in chains}
            queue += [other for other in built if other not in queue]
    while queue and key not in chains:
        current = queue.popleft()
        required = requirements_of(distributions.get(current))
        steps = [(other, _shown(other)) for name in required for other in keys.get(name, ())]
        steps += [(other, f"=> {_shown(other)}") for other in builders.get(current, ())]
        for other, step in steps:
            if other not in chains:
                chains[other] = [*chains[current], step]
                queue.append(other)
    return chains.get(key, [])


def told(error: UserError, key: str, chain: str) -> UserError:
    """Return an error about a `name==version`, or what builds it, that says why that is there, if anything does."""
    if not chain:
        return error
    shown = _shown(key)
    return combined(
        UserError(
            f"{part.what}; {'it' if part.what.startswith(shown) else shown} is there for {chain}",
            part.hint,
            part.details,
        )
        for part in error.parts
    )


def requirements_of(distribution: Distribution | None) -> list[str]:
    """Return the names that a distribution requires."""
    parsed = map(requirement_texts.parse, distribution.requires if distribution else ())
    return [normalize(found.name) for found in parsed if found]


def _shown(key: str) -> str:
    return key.replace("==", " ")
