"""The lock of one service in the making."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from toolkit.core.errors import Gathering
from toolkit.crates.local_rust import LocalRust
from toolkit.engines.engine import Request
from toolkit.model import requirement_texts
from toolkit.model.lock import Distribution
from toolkit.model.names import normalize
from toolkit.model.pins import Pin
from toolkit.requirements.lock_inputs import LockInputs
from toolkit.resolve.build_closure import Closure


@dataclass(kw_only=True)
class Draft:
    """The lock of one service in the making: what it is made from, then what each phase has found.

    `given` are pins that are chosen before an engine is asked: archives by URL, and wheels without what they require.
    `building` are the keys of what builds it, in `closure`; `rust` is what its local packages compile, by name, and
    `crates` are the keys of what they do so with.
    `errors` are why there can be no lock, and `satisfiable` is what is left of the request without what no index has.
    """

    inputs: LockInputs
    given: tuple[Pin, ...]
    request: Request
    runtime: tuple[Pin, ...] = ()
    tests: tuple[Pin, ...] = ()
    development: tuple[Pin, ...] = ()
    closure: Closure
    building: frozenset[str] = frozenset()
    rust: Mapping[str, LocalRust] = field(default_factory=dict)
    crates: dict[str, tuple[str, ...]] = field(default_factory=dict)
    errors: Gathering = field(default_factory=Gathering)
    satisfiable: Request

    @property
    def keys(self) -> frozenset[str]:
        """Return the keys of all that the lock will have."""
        return self.building.union(pin.key for pin in (*self.runtime, *self.unshipped))

    @property
    def unshipped(self) -> tuple[Pin, ...]:
        """Return what only tests and developers need."""
        return (*self.tests, *self.development)

    def distribution(self, key: str, marker: str = "") -> Distribution:
        """Return what is locked of a `name==version`."""
        found = self.closure.sources.distributions[key]
        return replace(
            found,
            marker=marker,
            settings=found.settings if found.kind == "wheels" else self.closure.settings(key),
            build_requires=self.closure.build_requires(key),
            build_dependencies=self.closure.build_dependencies(key),
        )

    def drop_unrequired(self) -> None:
        """Ship no wheels that vendor.txt alone names, without what they require: the engine left them out."""
        distributions = self.closure.sources.distributions
        every = [distributions[pin.key] for pin in (*self.runtime, *self.unshipped) if pin.key in distributions]
        parsed = filter(None, (requirement_texts.parse(text) for item in every for text in item.requires))
        names = {line.name for line in self.inputs.lines} | {normalize(found.name) for found in parsed}
        dropped = {pin.key for pin in self.given if not pin.archive and pin.name not in names}
        self.runtime = tuple(pin for pin in self.runtime if pin.key not in dropped)
