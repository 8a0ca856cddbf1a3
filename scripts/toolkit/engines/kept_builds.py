"""The versions that earlier locks built with: kept for each build by itself, while they fit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from packaging.version import Version

from toolkit.model import requirement_texts
from toolkit.model.lock import Distribution, LocalPackage, Lock
from toolkit.model.names import normalize
from toolkit.model.pins import Pinned


@dataclass(frozen=True, kw_only=True)
class KeptBuilds:
    """`builds` has what was locked to build each tree, by its key (`name==version`, `local name`) and by its name.

    `free` has, by name, the newest version that was locked for some build and that nothing in that build held back:
    what is built for the first time shares it.
    """

    builds: Mapping[str, tuple[Pinned, ...]] = field(default_factory=dict)
    free: Mapping[str, Pinned] = field(default_factory=dict)

    def of(self, key: str) -> tuple[Pinned, ...]:
        """Return what built a tree, in another version where it was not locked in this one."""
        return self.builds.get(key) or self.builds.get(key.partition("==")[0], ())


NOTHING_KEPT = KeptBuilds()


def of(locks: Iterable[Lock], moving: Collection[str]) -> KeptBuilds:
    """Return what some locks keep, an earlier one first; `moving` are names that are not kept, or `all`."""
    builds: dict[str, tuple[Pinned, ...]] = {}
    free: dict[str, Pinned] = {}
    for lock in locks if "all" not in moving else ():
        requires = {item.key: item.requires for item in lock.distributions()}
        everything: tuple[Distribution | LocalPackage, ...] = (*lock.local, *lock.distributions())
        for built in everything:
            kept = tuple(pinned for pinned in built.build_requires if pinned.name not in moving)
            keys = [f"local {built.name}"] if isinstance(built, LocalPackage) else [built.key, built.name]
            for key in keys:
                builds.setdefault(key, kept)
            held = _held_back(built, requires)
            for pinned in kept:
                newest = free.get(pinned.name, pinned)
                if pinned.name not in held and Version(pinned.version) >= Version(newest.version):
                    free[pinned.name] = pinned
    return KeptBuilds(builds=builds, free=free)


def _held_back(built: Distribution | LocalPackage, requires: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Return the names of which a build may not take any newer version."""
    texts = [*built.build_dependencies, *(text for item in built.build_requires for text in requires.get(item.key, ()))]
    parsed = filter(None, map(requirement_texts.parse, texts))
    return {
        normalize(requirement.name)
        for requirement in parsed
        if any(specifier.operator not in (">=", ">", "!=") for specifier in requirement.specifier)
    }
