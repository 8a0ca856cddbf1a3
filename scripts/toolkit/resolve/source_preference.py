"""Releases that have an sdist are preferred to newer ones that are wheels only."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from toolkit.core import console
from toolkit.model.pins import Pin
from toolkit.network.index_pages import Index, version_of
from toolkit.resolve.engine import ConflictError, Request, Resolver


@dataclass(kw_only=True)
class SourcePreference:
    """Any engine, run again without the releases that have no sdist; those of `binary` are taken as wheels."""

    resolver: Resolver
    index: Index
    binary: Collection[str]
    _left_out: dict[str, str] = field(default_factory=dict)

    def resolve(self, request: Request) -> tuple[Pin, ...]:
        """Return the pins, by name; one without an sdist is among them when nothing else will do. See `Resolver`."""
        try:
            return self._improved(request, self.resolver.resolve(self._constrained(request)))
        except ConflictError:
            if not self._left_out:
                raise
            # Only what was left out may satisfy; that it has no sdist is the better error.
            return self.resolver.resolve(request)

    def _improved(self, request: Request, pins: tuple[Pin, ...]) -> tuple[Pin, ...]:
        best = pins
        while lacking := [pin for pin in best if self._lacks_source(pin)]:
            known = self.index.all_files(pin.name for pin in lacking)
            found = {name: _without_source(name, (file.name for file in files)) for name, files in known.items()}
            if not any(found.values()):
                break
            self._left_out |= {name: constraint for name, constraint in found.items() if constraint}
            try:
                best = self.resolver.resolve(self._constrained(request))
            except ConflictError:
                return pins
            _report(lacking, best)
        return best

    def _lacks_source(self, pin: Pin) -> bool:
        return not (pin.sdist or pin.archive or pin.name in self.binary or pin.name in self._left_out)

    def _constrained(self, request: Request) -> Request:
        return replace(request, constraints=(*request.constraints, *self._left_out.values()))


def _without_source(name: str, files: Iterable[str]) -> str:
    """Return the constraint that leaves out all versions without an sdist; nothing where no version has one."""
    versions = {file: str(version) for file in files if (version := version_of(file, name))}
    sdists = {version for file, version in versions.items() if not file.endswith(".whl")}
    others = sorted(set(versions.values()) - sdists)
    return f"{name}{','.join(f'!={version}' for version in others)}" if sdists else ""


def _report(lacking: Iterable[Pin], pins: Iterable[Pin]) -> None:
    taken = {pin.name: pin.version for pin in pins}
    for pin in lacking:
        if pin.name in taken:
            console.step("OLDER", f"{pin.name} {taken[pin.name]}, as {pin.version} has no sdist")
