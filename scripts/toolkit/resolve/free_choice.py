"""The version that a build would take if it were alone: told by the releases, without asking an engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion

from toolkit.engines.engine import Request
from toolkit.model import tags
from toolkit.model.names import normalize
from toolkit.model.pins import Pin, RemoteFile
from toolkit.network.index_pages import Index, by_kind, cutoff, is_before
from toolkit.resolve.pin_closure import Part


@dataclass(frozen=True, kw_only=True)
class FreeChoice:
    """Tells whether a part of a joint resolution is what its requirements alone would have chosen.

    `binary` are the names of what is taken as wheels, `preferred` the versions to keep while they fit, by name.
    `left_out` are versions that are not taken, by name.
    """

    index: Index
    binary: Collection[str]
    request: Request
    preferred: Mapping[str, str]
    left_out: Mapping[str, Collection[str]] = field(default_factory=dict)

    def is_free(self, part: Part) -> bool:
        """Tell whether each version is the best that the requirements of this part allow; False where in doubt."""
        names = [pin.name for pin in part.pins]
        # Of a constraint that does not hold everywhere, only an engine knows where it does.
        constraints = {name: self._constraints.get(name, SpecifierSet()) for name in names}
        return len(set(names)) == len(names) and all(
            limit is not None and self._is_best(pin, part.specifiers[pin.name] & limit)
            for pin, limit in zip(part.pins, constraints.values(), strict=True)
        )

    @cached_property
    def _constraints(self) -> Mapping[str, SpecifierSet | None]:
        found: dict[str, SpecifierSet | None] = {}
        for text in self.request.build_constraints:
            requirement = Requirement(text)
            known = found.get(name := normalize(requirement.name), SpecifierSet())
            found[name] = None if requirement.marker or known is None else known & requirement.specifier
        return found

    def _is_best(self, pin: Pin, allowed: SpecifierSet) -> bool:
        if pin.archive or pin.name in self.request.archives:
            return True
        kept = self.preferred.get(pin.name)
        # packaging takes a pre-release only where the specifier names one, or there is nothing else.
        if kept and next(iter(allowed.filter([kept])), None):
            return pin.version == kept
        return pin.version == self._best(pin.name, allowed)

    def _best(self, name: str, allowed: SpecifierSet) -> str:
        """Return the newest release that an engine would choose, or nothing: a final one, and with an sdist, if any."""
        limit, releases = cutoff(self.request.exclude_newer), self.index.releases(name)
        found = ""
        for version in sorted(allowed.filter(releases), reverse=True):
            listed = [file for file in releases[version] if is_before(file, limit) and not file.yanked]
            if str(version) in self.left_out.get(name, ()) or not any(map(self._fits, listed)):
                continue
            if name in self.binary or by_kind(listed)[0]:
                return str(version)
            found = found or str(version)
        return found

    def _fits(self, file: RemoteFile) -> bool:
        pythons = self.request.targets.pythons
        if file.name.endswith(".whl") and not tags.is_for(file.name, pythons):
            return False
        try:
            specifier = SpecifierSet(file.requires_python)
            return all(specifier.contains(f"{python}.0", prereleases=True) for python in pythons)
        except (InvalidSpecifier, InvalidVersion):
            return True
