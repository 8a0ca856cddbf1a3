"""The error for a name that no lock holds, with those that were perhaps meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from toolkit.core.errors import UserError
from toolkit.model.names import normalize
from toolkit.vendored.dependency_graph import DependencyGraph, name_of


def error(graphs: Iterable[DependencyGraph], name: str) -> UserError:
    """Return the error for a name."""
    known = {name_of(item.key) for graph in graphs for item in graph.lock.distributions()}
    known |= {item.name for graph in graphs for item in graph.lock.local}
    near = difflib.get_close_matches(normalize(name), sorted(known), n=3, cutoff=0.6)
    near += [other for other in sorted(known) if normalize(name) in other and other not in near][:3]
    hint = f"did you mean {' or '.join(near)}?" if near else "`make info` and vendor/pylock.*.toml say what is locked"
    return UserError(f"nothing locked is called {name}", hint)
