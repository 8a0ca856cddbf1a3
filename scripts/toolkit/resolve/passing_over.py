"""Releases whose build requirements no index can meet are left out, each where an older one can be built."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from packaging.version import Version

from toolkit.core import console
from toolkit.core.errors import FinalError, UserError
from toolkit.engines.catalogue import Catalogue
from toolkit.engines.engine import UnmetError
from toolkit.model.pins import Pin
from toolkit.resolve import older_releases
from toolkit.resolve.build_sets import BuildSets, normal


@dataclass(kw_only=True)
class PassingOver:
    """Leaves releases out, of what `sets` has trees of; `fault` tells, by key, why a release cannot be built."""

    sets: BuildSets
    fault: Callable[[str], UserError | None]
    _older: dict[str, Pin | None] = field(default_factory=dict)

    def pass_over(self, keys: Iterable[str]) -> bool:
        """Leave releases out whose build requirements no index can meet, each where an older one can be built.

        Returns whether there are any: then all that was chosen has to be chosen again.
        """
        unmet = [key for key in sorted(keys) if self._is_lacking(key)]
        # No short circuit: each is to be replaced.
        return bool(sum(map(self._pass_over, unmet)))

    def _is_lacking(self, key: str) -> bool:
        """Tell whether the indexes lack what builds a release, rather than that the project's own lines forbid it."""
        requirements, found = self.sets.of.get(key, frozenset()), self.sets.sources.distributions.get(key)
        if not found or found.kind != "sdist" or not self.sets.is_unmet(key):
            return False
        own = requirements.difference(line.requirement for line in self.sets.request.added)
        if own == requirements and not self.sets.request.build_constraints:
            return True
        try:
            self.sets.resolver.resolve(replace(self.sets.request_for([own]), constraints=()))
        except UnmetError:
            return True
        return False

    def _pass_over(self, key: str) -> bool:
        name, _, version = key.partition("==")
        # Where it was left out before, nothing else will do.
        older = self.older(key) if version not in self.sets.preference.left_out.get(name, ()) else None
        if not older:
            return False
        between = (item.version for item in self._releases(key) if Version(item.version) > Version(older.version))
        error = self.fault(key)
        _, _, reason = error.what.partition(": ") if error else ("", "", "")
        self.sets.preference.pass_over(key, [version, *between], reason)
        self.sets.forget(key)
        return True

    def older(self, key: str) -> Pin | None:
        """Return the newest of some older releases that can be built, as far as its own files tell."""
        if key not in self._older:
            self._older[key] = next(filter(self._is_buildable, self._releases(key)), None)
        return self._older[key]

    def _releases(self, key: str) -> Iterable[Pin]:
        catalogue = Catalogue(
            request=self.sets.request, index=self.sets.sources.reader.index, reader=self.sets.sources.reader
        )
        return older_releases.of(key, catalogue.releases(key.partition("==")[0]))

    def _is_buildable(self, pin: Pin) -> bool:
        try:
            tree = self.sets.sources.attempt(pin)
            requirements = normal(tree.build_system.requires, tree.name) | self.sets.added(pin.key) if tree else None
            if requirements and not self.sets.is_resolved(requirements):
                self.sets.resolver.resolve(self.sets.request_for([requirements]))
        except FinalError:
            raise
        except UserError as error:
            console.debug(f"{pin.key} cannot be built either: {error.what}")
            return False
        return requirements is not None and not self.sets.has_failed(requirements)
