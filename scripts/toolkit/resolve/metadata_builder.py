"""Metadata that only a build can tell: of old sdists that no index has a wheel of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from toolkit.core import console, cycles
from toolkit.core.errors import UserError, combined
from toolkit.engines.engine import PassedOverError, RefusedError, Request
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.pins import Pin
from toolkit.resolve.build_closure import Closure


@dataclass(kw_only=True)
class MetadataBuilder:
    """Asks the backend of each release, in an environment of what its build requires, as for a hook.

    `closure_for` gives a new closure for a set of interpreters. To resolve a build requirement may in turn need such a
    build.
    """

    closure_for: Callable[[tuple[str, ...]], Closure]
    _pending: list[str] = field(default_factory=list)

    def build(self, request: Request, pins: Sequence[Pin]) -> Mapping[str, CoreMetadata]:
        """Return the metadata of releases, by `name==version`, for the targets of a request. Raises `UserError`."""
        closure = self.closure_for(request.targets.pythons)
        closure.begin_service(replace(request, requirements=(), constraints=(), origins={}), (), request.given)
        for pin in pins:
            if pin.key in self._pending:
                circle = [*self._pending[self._pending.index(pin.key) :], pin.key]
                # A wheel would have told what its release requires.
                raise cycles.error(circle, has_wheels=lambda _: False)
            console.debug(f"{pin.key}: only a build tells what it requires")
            self._pending.append(pin.key)
            try:
                trees = closure.sources.trees([pin])
                closure.follow(trees)
            finally:
                self._pending.pop()
        keys = [pin.key for pin in pins]
        _refuse_unbuildable(closure, keys)
        found = closure.metadata(keys)
        _refuse_unbuildable(closure, keys)
        if missing := sorted(set(keys) - found.keys()):
            raise UserError(
                f"{missing[0]}: nothing tells what it requires",
                f"use another version of {missing[0].partition('==')[0]}",
            )
        return found


def _refuse_unbuildable(closure: Closure, keys: Sequence[str]) -> None:
    """Raise `RefusedError` where some releases, or what builds them, cannot be built."""
    if closure.passing_over.pass_over(keys):
        raise PassedOverError(f"{', '.join(keys)}: not all of it can be built, so others are chosen")
    causes = {key: combined(faults.values()) for key in keys if (faults := closure.faults_of_building(key))}
    if causes:
        raise RefusedError(causes)
