"""Releases that can be built from source are preferred to newer ones that cannot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from toolkit.core import console
from toolkit.engines.engine import ConflictError, PassedOverError, Request, Resolver
from toolkit.model.pins import Pin
from toolkit.network.index_pages import Index, version_of


@dataclass(kw_only=True)
class SourcePreference:
    """Any engine, run again without the releases that have no sdist; those of `binary` are taken as wheels.

    Releases of which others find out that they cannot be built are `passed_over`, by `name==version`, for a reason.
    """

    resolver: Resolver
    index: Index
    binary: Collection[str]
    _left_out: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    passed_over: dict[str, str] = field(default_factory=dict)

    @property
    def left_out(self) -> Mapping[str, Collection[str]]:
        """Return the versions that are not taken where anything else will do, by name."""
        return self._left_out

    def pass_over(self, key: str, versions: Iterable[str], reason: str) -> None:
        """Leave out a `name==version` and others, which cannot be built for a reason."""
        self._left_out[key.partition("==")[0]].update(versions)
        self.passed_over[key] = reason

    def resolve(self, request: Request) -> tuple[Pin, ...]:
        """Return the pins, by name; what cannot be built is among them when nothing else will do. See `Resolver`."""
        while True:
            try:
                return self._resolve(request)
            except PassedOverError as error:
                console.debug(error.what)

    def _resolve(self, request: Request) -> tuple[Pin, ...]:
        try:
            return self._improved(request, self.resolver.resolve(self._constrained(request, self._left_out)))
        except ConflictError:
            if not self._left_out:
                raise
            # Only what was left out may satisfy; that it cannot be built is the better error.
            return self._with_some_left_out(request)

    def _with_some_left_out(self, request: Request) -> tuple[Pin, ...]:
        """Resolve a request that cannot do without all that was left out, but perhaps without some of it."""
        pins = self.resolver.resolve(request)
        names = [pin.name for pin in pins if self._is_left_out(pin)]
        without: list[str] = []
        for name in names if len(names) > 1 else ():
            try:
                pins = self.resolver.resolve(self._constrained(request, [*without, name]))
                without.append(name)
            except ConflictError:
                console.debug(f"only a release of {name} that cannot be built will do")
        return pins

    def _improved(self, request: Request, best: tuple[Pin, ...]) -> tuple[Pin, ...]:
        while lacking := [pin for pin in best if self._lacks_source(pin)]:
            known = self.index.all_files(pin.name for pin in lacking)
            found = {name: _without_source(name, (file.name for file in files)) for name, files in known.items()}
            if not any(found.values()):
                break
            for name, versions in found.items():
                self._left_out[name] |= versions
            try:
                best = self.resolver.resolve(self._constrained(request, self._left_out))
            except ConflictError:
                best = self._with_some_left_out(request)
            _report(lacking, best)
        return best

    def _lacks_source(self, pin: Pin) -> bool:
        return not (pin.sdist or pin.archive or pin.name in self.binary or self._is_left_out(pin))

    def _is_left_out(self, pin: Pin) -> bool:
        return pin.version in self._left_out.get(pin.name, ())

    def _constrained(self, request: Request, names: Iterable[str]) -> Request:
        constraints = [
            f"{name}{','.join(f'!={version}' for version in sorted(self._left_out[name]))}"
            for name in names
            if self._left_out[name]
        ]
        return replace(request, constraints=(*request.constraints, *constraints))


def _without_source(name: str, files: Iterable[str]) -> set[str]:
    """Return all versions without an sdist; nothing where no version has one."""
    versions = {file: str(version) for file in files if (version := version_of(file, name))}
    sdists = {version for file, version in versions.items() if not file.endswith(".whl")}
    return set(versions.values()) - sdists if sdists else set()


def _report(lacking: Iterable[Pin], pins: Iterable[Pin]) -> None:
    taken = {pin.name: pin.version for pin in pins}
    for pin in lacking:
        if taken.get(pin.name, pin.version) != pin.version:
            console.step("OLDER", f"{pin.name} {taken[pin.name]}, as {pin.version} has no sdist")
