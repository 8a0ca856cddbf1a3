"""What is wrong with a draft: most of all what of it cannot be built."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from toolkit.core import console, cycles
from toolkit.core.errors import Gathering, UserError
from toolkit.model import markers
from toolkit.model.lock import Lock
from toolkit.project.discovery import Project
from toolkit.requirements import lock_inputs, requirements
from toolkit.resolve import trials
from toolkit.resolve.resolution import Resolution
from toolkit.vendoring import unbuildable
from toolkit.vendoring.draft import Draft
from toolkit.vendoring.unbuildable import Attempts, Unbuildable


@dataclass(kw_only=True)
class Faults:
    """Finds the faults of drafts, and tells those of all services together.

    `errors` has what is wrong already. With `attempt`, which returns what of a lock cannot be built, every lock is
    tried.
    """

    project: Project
    platforms: tuple[str, ...]
    resolution: Resolution
    errors: Gathering
    attempt: Callable[[Lock], Mapping[str, UserError]] | None = None
    _unbuildable: list[Unbuildable] = field(default_factory=list)
    _told: set[str] = field(default_factory=set)

    def end(self) -> None:
        """Raise what is wrong with all drafts together, if anything is."""
        for error in unbuildable.errors(self._unbuildable):
            self.errors.add(error)
        self.errors.end()

    def try_builds(self, draft: Draft, lock: Lock) -> None:
        """Build what a lock names, where that is asked for, and note what cannot be built."""
        if self.attempt:
            failed = self.attempt(lock)
            self._note(draft, failed, failed)

    def _note(self, draft: Draft, faults: Mapping[str, UserError], failed: Collection[str]) -> None:
        attempts = self._attempts(draft, failed)
        self._unbuildable += [attempts.unbuildable(key, error) for key, error in faults.items()]

    def _attempts(self, draft: Draft, failed: Collection[str]) -> Attempts:
        return Attempts(
            project=self.project,
            inputs=draft.inputs,
            request=draft.satisfiable,
            resolver=self.resolution.resolver,
            closure=draft.closure,
            pins={pin.key: pin for pin in (*draft.runtime, *draft.unshipped)},
            failed=failed,
        )

    def find(self, draft: Draft) -> bool:
        """Find what is wrong with what was chosen, most of all what cannot be built; say what is an older release.

        Returns whether there is anything that cannot be built.
        """
        closure, distributions = draft.closure, draft.closure.sources.distributions
        self._tell_older(draft.keys)
        trials.find_downloads(closure, draft.keys - closure.faults(draft.keys).keys())
        local = (f"local {package.name}" for package in draft.inputs.local)
        faults = closure.faults({*draft.keys, *local})
        with draft.errors.part():
            runtime = [distributions[pin.key] for pin in draft.runtime if pin.key in distributions]
            requirements.check_hashes(draft.inputs.lines, runtime)
        if not (self.errors or draft.errors):
            names = {pin.name for pin in draft.runtime}, {pin.name for pin in draft.unshipped}
            with draft.errors.part():
                lock_inputs.refuse_unmet(draft.inputs, *names)
        self._note(draft, faults, closure.sources.failed)
        for python, platform in itertools.product(draft.inputs.targets.pythons, self.platforms):
            requires = {
                key: {
                    reference.key
                    for reference in closure.build_requires(key)
                    if markers.possible(reference.marker, (python,), (platform,))
                }
                for key in draft.keys
            }
            # One on some machine, since a marker may keep two requirements apart.
            if circle := cycles.find(requires):
                draft.errors.add(self._attempts(draft, ()).cycle(circle, requires))
        return bool(faults)

    def _tell_older(self, keys: Collection[str]) -> None:
        passed = self.resolution.preference.passed_over
        for key in sorted(passed.keys() - self._told):
            name, _, version = key.partition("==")
            if taken := [other for other in keys if other.partition("==")[0] == name and other != key]:
                self._told.add(key)
                older = ", ".join(other.partition("==")[2] for other in sorted(taken))
                console.step("OLDER", f"{name} {older}, as {version} cannot be built: {passed[key]}")
