"""From a draft without faults to the lock."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from toolkit.model import debian_names
from toolkit.model.lock import LocalPackage, Lock
from toolkit.project import build_depends
from toolkit.project.discovery import Project
from toolkit.requirements import fingerprints, lock_inputs
from toolkit.vendoring import direct_requirements
from toolkit.vendoring.draft import Draft


@dataclass(kw_only=True)
class Finishing:
    """Makes the locks of drafts, and notes what is built only since builds see no program of the system."""

    project: Project
    platforms: tuple[str, ...]
    _built_for_hooks: dict[str, dict[str, None]] = field(default_factory=dict)

    def lock(self, draft: Draft) -> Lock:
        """Return the lock that a draft becomes."""
        inputs, closure = draft.inputs, draft.closure
        unshipped = {pin.key for pin in draft.unshipped}
        building = (draft.distribution(key) for key in sorted(draft.building))
        decisive = itertools.chain.from_iterable(rust.inputs for rust in draft.rust.values())
        found = Lock(
            service=inputs.name,
            pythons=inputs.targets.pythons,
            platforms=self.platforms,
            packages=tuple(draft.distribution(pin.key, pin.marker) for pin in draft.runtime),
            # Nobody takes wheels of what only builds others.
            build_packages=tuple(d if d.key in unshipped else replace(d, offered=()) for d in building),
            local=tuple(
                LocalPackage(
                    name=package.name,
                    path=self.project.shown(package.path),
                    build_requires=closure.build_requires(f"local {package.name}"),
                    build_dependencies=closure.build_dependencies(f"local {package.name}"),
                    crates=draft.crates.get(package.name, ()),
                    rust=package.name in draft.rust,
                    settings=closure.settings(package.name),
                )
                for package in inputs.local
            ),
            test_requires=tuple(pin.pinned for pin in draft.tests),
            dev_requires=tuple(pin.pinned for pin in draft.development),
            inputs={
                **lock_inputs.fingerprint(self.project, inputs, self.platforms),
                **fingerprints.fingerprint(decisive, self.project.root),
            },
            direct=direct_requirements.of_project(self.project, inputs),
        )
        found = replace(found, crates=closure.sources.crates.of_built((*found.distributions(), *found.local)))
        built = [item.key for item in found.distributions() if item.kind != "wheels"]
        names = {key.partition("==")[0] for key in built}
        for key in built:
            for name in closure.asked_by_hook(key) & names:
                self._built_for_hooks.setdefault(name, {})[key.replace("==", " ")] = None
        return direct_requirements.in_force(replace(found, direct=(*(found.direct or ()), *closure.sets.bounds(built))))

    def replaceable(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """Return what is built since builds find no such program of the system, each with what asked for it.

        It stands below the Debian package that could have it, which Build-Depends does not name.
        """
        declared = build_depends.replaceable(self.project.root / build_depends.CONTROL)
        built = {name: tuple(users) for name, users in self._built_for_hooks.items()}
        others = {name: names for name, names in debian_names.REPLACEABLE.items() if name not in declared}
        found = {package: {name: built[name] for name in names if name in built} for package, names in others.items()}
        return {package: names for package, names in found.items() if names}
