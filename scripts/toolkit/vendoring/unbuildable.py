"""What cannot be built from source, told with why it is there, and with what was tried and does without its build."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from packaging.requirements import Requirement

from toolkit.core import cycles
from toolkit.core.errors import FinalError, UserError
from toolkit.core.secrets import address
from toolkit.engines import build_chain
from toolkit.engines.engine import Request, Resolver
from toolkit.model.lock import Distribution
from toolkit.model.names import normalize
from toolkit.model.pins import Pin
from toolkit.project.discovery import Project
from toolkit.requirements import build_requirements, vendor_txt
from toolkit.requirements.lock_inputs import LockInputs
from toolkit.requirements.requirements import Line
from toolkit.requirements.vendor_txt import BinaryRule
from toolkit.resolve.build_closure import Closure


@dataclass(frozen=True, kw_only=True)
class Unbuildable:
    """One release, or local package, that cannot be built, for one service; `chain` and `hints` may be empty."""

    error: UserError
    shown: str
    chain: str
    hints: tuple[str, ...]


def errors(found: Iterable[Unbuildable]) -> Iterator[UserError]:
    """Yield the errors to raise: one for each fault, however many services have it."""
    groups: dict[str, list[Unbuildable]] = {}
    for item in found:
        groups.setdefault(item.error.what, []).append(item)
    for what, items in groups.items():
        first = items[0]
        chains = " and ".join(dict.fromkeys(item.chain for item in items if item.chain))
        who = "it" if what.startswith(first.shown) else first.shown
        told = f"{what}; {who} is there for {chains}" if chains else what
        hints = dict.fromkeys(hint for item in items for hint in item.hints)
        error = UserError(told, ", or ".join(hints) or first.error.hint, first.error.details)
        # A full disk is noted there.
        error.__cause__ = first.error
        yield error


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """Tries what may do without a build, for one service.

    By key, `pins` are what was chosen for itself, and `failed` those of which a backend has failed.
    """

    project: Project
    inputs: LockInputs
    request: Request
    resolver: Resolver
    closure: Closure
    pins: Mapping[str, Pin]
    failed: Collection[str]

    def unbuildable(self, key: str, error: UserError) -> Unbuildable:
        """Return what is told of a key of the closure, which cannot be built."""
        name, equals, version = key.partition("==")
        if not equals or self._is_of_project(error):
            return Unbuildable(error=error, shown=name, chain="", hints=())
        hints = tuple(self._hints(key, error)) or (
            f"use another version of {name}, or of what requires it, or leave it out",
        )
        return Unbuildable(error=error, shown=f"{name} {version}", chain=self._chain(key), hints=hints)

    def cycle(self, circle: list[str], requires: Mapping[str, set[str]]) -> UserError:
        """Return the error to raise for a circle of builds."""
        steps = [circle[0]]
        for first, second in pairwise(circle):
            steps += self._steps(first, second)
        line = build_requirements.line_in(circle, self.request.added)
        return cycles.error(steps, requires, self._has_wheels, self._file(vendor_txt.FILE), line)

    def _hints(self, key: str, error: UserError) -> Iterator[str]:
        name = key.partition("==")[0]
        has_failed = key in self.failed
        if error.hint and not has_failed and not self.closure.sets.is_unmet(key):
            # The fault of one file, which may be hostile: what to do is known.
            yield error.hint
            return
        if has_failed:
            yield error.hint
        if withdrawn := self.closure.sets.withdrawn(key):
            yield f"add the line {name}: {withdrawn} to {self._file(build_requirements.FILE)} to build with that"
        if self._has_wheels(key):
            yield f"add the line {name} to {self._vendor_txt(key)} to take its wheels"
        # A backend says of older releases what it says only when it is asked.
        if not has_failed and (hint := self._older(key)):
            yield hint

    def _has_wheels(self, key: str) -> bool:
        """Tell whether a line of vendor.txt would do: its wheels can be had for all interpreters."""
        pin = self._every_pin.get(key)
        rule = BinaryRule(name=key.partition("==")[0], origin=self._file(vendor_txt.FILE))
        try:
            return pin is not None and bool(pin.wheels) and not self.closure.sources.attempt(pin, [rule])
        except FinalError:
            raise
        except UserError:
            return False

    def _older(self, key: str) -> str:
        """Return how to take an older release that can be built, where that is possible, else nothing."""
        name = key.partition("==")[0]
        older = self.closure.passing_over.older(key)
        if not older:
            return ""
        constraint = f"{name}<={older.version}"
        try:
            if key not in self.pins:
                chosen = [self.closure.with_constraint(built, constraint) for built in self.closure.built_by(key)]
                where = self._file("build-constraints.txt")
            elif lines := [line for line in self._lines if line.name == name and not _allows(line, older)]:
                chosen = [self.resolver.resolve(self._loosened(lines, constraint))]
                told = ", ".join(f"{line.origin}: {line.text}" for line in lines)
                return f"allow {name} {older.version}, which can be built, in {told}" if _has(chosen, older) else ""
            else:
                request = replace(self.request, constraints=(*self.request.constraints, constraint))
                chosen = [self.resolver.resolve(request)]
                where = next((line.file for line in self.inputs.lines), self._file("requirements.txt"))
        except FinalError:
            raise
        except UserError:
            return ""
        return f"add {constraint} to {where}, which is the newest that can be built" if _has(chosen, older) else ""

    def _loosened(self, lines: Iterable[Line], constraint: str) -> Request:
        """Return the request with a constraint in the place of the versions that some lines ask for."""
        texts = {line.text for line in lines}
        return replace(
            self.request,
            requirements=tuple(_any_version(text) if text in texts else text for text in self.request.requirements),
            constraints=(*(text for text in self.request.constraints if text not in texts), constraint),
        )

    @property
    def _lines(self) -> tuple[Line, ...]:
        return (*self.inputs.lines, *self.inputs.constraints)

    def _file(self, name: str) -> str:
        return self.project.shown(self.inputs.package.path / name)

    def _vendor_txt(self, key: str) -> str:
        """Return the vendor.txt beside the line that brings something in: the project's own, or the package's."""
        chain = self._chain(key)
        is_own = any("/" not in line.file and chain.startswith(f"{line.origin}: ") for line in self.inputs.lines)
        return vendor_txt.FILE if is_own else self._file(vendor_txt.FILE)

    def _is_of_project(self, error: UserError) -> bool:
        """Tell whether an error is that of a line of the project's own, which says itself what to mend."""
        origins = (*self.request.build_constraints.values(), *(line.origin for line in self.request.added))
        return error.what.startswith(tuple(f"{origin}: " for origin in origins))

    def _chain(self, key: str) -> str:
        archives = {address(rule.url.partition("#")[0]): rule.origin for rule in self.inputs.archives}
        urls = {pin.name: pin.archive.url for pin in self.pins.values() if pin.archive}
        direct = {name: f"{archives[url]}: {url}" for name, url in urls.items() if url in archives}
        direct |= {line.name: f"{line.origin}: {line.text}" for line in reversed(self.inputs.lines)}
        steps = build_chain.find(key, direct, self._distributions, self._builders)
        return " -> ".join(steps).replace("-> =>", "=>")

    def _steps(self, first: str, second: str) -> list[str]:
        """Return what leads from something to what is needed to build it, which it may not name itself."""
        built = {pinned.key: self._distributions[pinned.key] for pinned in self.closure.build_requires(first)}
        named = {normalize(Requirement(text).name) for text in self.closure.build_dependencies(first)}
        keys = {item.name: key for key, item in built.items()}
        steps = build_chain.find(second, {name: keys[name] for name in named & keys.keys()}, built, {})
        return [step.replace(" ", "==") for step in steps] or [second]

    @cached_property
    def _every_pin(self) -> Mapping[str, Pin]:
        return {**self.closure.sets.every_pin(), **self.pins}

    @cached_property
    def _distributions(self) -> Mapping[str, Distribution]:
        """Return what is known of all pins, those without any file to vendor included."""
        reader = self.closure.sources.reader
        unread = {
            key: Distribution(
                name=pin.name,
                version=pin.version,
                kind="wheels",
                files=(),
                requires=known.requires if (known := reader.known(pin)) else (),
            )
            for key, pin in self._every_pin.items()
        }
        return unread | self.closure.sources.distributions

    @cached_property
    def _builders(self) -> Mapping[str, set[str]]:
        local = {f"local {package.name}": self.project.shown(package.path) for package in self.inputs.local}
        keys = (*local, *self._every_pin)
        return {local.get(key, key): {pinned.key for pinned in self.closure.build_requires(key)} for key in keys}


def _allows(line: Line, pin: Pin) -> bool:
    requirement = Requirement(line.text)
    return not requirement.url and requirement.specifier.contains(pin.version, prereleases=True)


def _any_version(text: str) -> str:
    requirement = Requirement(text)
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return f"{requirement.name}{extras}{marker}"


def _has(chosen: Iterable[Iterable[Pin]], older: Pin) -> bool:
    """Tell whether each of some resolutions has an older release, or one that is older still."""
    return all(any(pin.key == older.key for pin in pins) for pins in chosen)
