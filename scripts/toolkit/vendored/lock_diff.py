"""The difference of two locks: what was added, removed and moved to other versions, build-only ones told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Literal, get_args

from packaging.version import InvalidVersion, Version

from toolkit.model.build_settings import NONE, BuildSettings
from toolkit.model.lock import Distribution, Lock, Patch

Kind = Literal[
    "added",
    "removed",
    "upgraded",
    "downgraded",
    "with a further version",
    "with a version less",
    "with other files",
    "with other crates",
    "with other patches",
    "with other build settings",
    "from another index",
    "from other URLs",
    "to ship",
    "to build with only",
]
_SIGNS: Mapping[Kind, str] = {"added": "+", "removed": "-"}


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happened to one distribution: its versions before and after (none: it was, or is, not there)."""

    name: str
    kind: Kind
    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the change as one line of a list: `* flask 3.0 -> 3.1`."""
        if self.old == self.new:
            return f"* {self.name} {', '.join(self.new)}, {self.kind}"
        versions = " -> ".join(", ".join(side) for side in (self.old, self.new) if side)
        return f"{_SIGNS.get(self.kind, '*')} {self.name} {versions}"


@dataclass(frozen=True, kw_only=True)
class _Origin:
    """What there is of a version, and where it came from; an index may be unknown, and a query may sign a URL anew."""

    hashes: tuple[str, ...]
    crates: tuple[str, ...] = ()
    settings: BuildSettings = NONE
    patches: tuple[Patch, ...] = ()
    index: str = ""
    urls: tuple[str, ...] = ()

    def same(self, other: _Origin) -> bool:
        known = replace(self, index=self.index or other.index), replace(other, index=other.index or self.index)
        return known[0] == known[1]


#: By name, what there is of each version.
_Versions = Mapping[str, Mapping[str, _Origin]]


@dataclass(frozen=True, kw_only=True)
class LockChanges:
    """What happened to the lock of one service: to what it ships, to what only builds and tests need, and to crates."""

    service: str
    is_new: bool = False
    is_gone: bool = False
    shipped: tuple[Change, ...] = ()
    build_only: tuple[Change, ...] = ()
    crates: tuple[Change, ...] = ()


def between(old: Iterable[Lock], new: Iterable[Lock]) -> list[LockChanges]:
    """Return the changes of every lock that is on either side and is not the same on both, by name."""
    before, after = ({item.service: item for item in side} for side in (old, new))
    services = sorted(before.keys() | after.keys())
    changed = [name for name in services if before.get(name) != after.get(name)]
    found = [_of_lock(name, before.get(name), after.get(name)) for name in changed]
    others = [*before.values(), *(after[name] for name in services if name in before and name in after)]
    return [_without_shared(item, others if item.is_new else after.values()) for item in found]


def _without_shared(item: LockChanges, others: Iterable[Lock]) -> LockChanges:
    """Return what a lock that is new brings, or one that is gone takes, and no other lock has."""
    if not (item.is_new or item.is_gone):
        return item
    others = [*others]
    distributions = {(found.name, found.version) for lock in others for found in lock.distributions()}
    crates = {(crate.name, crate.version) for lock in others for crate in lock.crates if crate.file}
    return replace(
        item,
        shipped=_outside(item.shipped, distributions),
        build_only=_outside(item.build_only, distributions),
        crates=_outside(item.crates, crates),
    )


def _outside(changes: Iterable[Change], known: Set[tuple[str, str]]) -> tuple[Change, ...]:
    return tuple(
        change for change in changes if not {(change.name, version) for version in (*change.old, *change.new)} <= known
    )


def compare(old: Iterable[Distribution], new: Iterable[Distribution]) -> tuple[Change, ...]:
    """Return what differs between two sets of distributions, by name."""
    return _compared(_by_name(old), _by_name(new))


def compare_crates(old: Iterable[Lock], new: Iterable[Lock]) -> tuple[Change, ...]:
    """Return what differs between the crates in vendor/ that two sets of locks name, by name."""
    return _compared(_crates(old), _crates(new))


def summary(changes: Iterable[Change]) -> str:
    """Return how many of each kind there are, each counted once: `2 added, 1 removed, 3 upgraded`; empty for none."""
    counts = Counter(change.kind for change in set(changes))
    return ", ".join(f"{counts[kind]} {kind}" for kind in get_args(Kind) if counts[kind])


def all_of(locks: Iterable[LockChanges]) -> Iterator[Change]:
    """Yield every change of a distribution in every lock."""
    for item in locks:
        yield from (*item.shipped, *item.build_only)


def message(locks: Sequence[LockChanges]) -> str:
    """Return the text of a commit that makes these changes: a summary, then a list for each lock."""
    changes, crates = set(all_of(locks)), summary(change for item in locks for change in item.crates)
    counted = _in_words(next(iter(changes))) if len(changes) == 1 else summary(changes)
    told = [*filter(None, (counted, crates and f"crates: {crates}"))]
    fresh = ", ".join(item.service for item in locks if item.is_new)
    same = f"{fresh}, with the same distributions" if fresh else "the same distributions, locked anew"
    title = f"vendor: {'; '.join(told) or same}"
    return "\n\n".join([title, *_sections(locks)]) + "\n"


def _in_words(change: Change) -> str:
    verb = {"added": "add ", "removed": "remove "}.get(change.kind, "")
    return f"{verb}{str(change)[2:]}"


def _sections(locks: Sequence[LockChanges]) -> Iterator[str]:
    """Yield a heading with its list; services with the same list share it."""
    grouped: dict[tuple[str, tuple[Change, ...]], list[str]] = {}
    for item in locks:
        state = " (new)" if item.is_new else ""
        if item.is_gone:
            grouped.setdefault((": not locked any more", ()), []).append(item.service)
            continue
        if item.shipped or not item.build_only:
            grouped.setdefault(
                (f"{state}:" if item.shipped else f"{state}: no other versions", item.shipped), []
            ).append(item.service)
        if item.build_only:
            grouped.setdefault((f"{state}, only to build and test:", item.build_only), []).append(item.service)
        if item.crates:
            grouped.setdefault((f"{state}, crates:", item.crates), []).append(item.service)
    for (heading, changes), services in grouped.items():
        yield "\n".join([f"{', '.join(services)}{heading}", *(f"  {change}" for change in changes)])


def _of_lock(service: str, old: Lock | None, new: Lock | None) -> LockChanges:
    if new is None:
        gone = [old] if old else []
        shipped = compare((item for lock in gone for item in lock.distributions()), ())
        return LockChanges(service=service, is_gone=True, shipped=shipped, crates=compare_crates(gone, ()))
    shipped = compare(old.packages if old else (), new.packages)
    build_only = compare(old.build_packages if old else (), new.build_packages)
    shipped, build_only = _joined(shipped, build_only, "to ship"), _joined(build_only, shipped, "to build with only")
    own = () if old is None else _with_other_crates(old, new)
    return LockChanges(
        service=service,
        is_new=old is None,
        shipped=(*shipped, *own),
        build_only=build_only,
        crates=compare_crates([old] if old else [], [new]),
    )


def _with_other_crates(old: Lock, new: Lock) -> Iterator[Change]:
    """Yield the packages of the project whose crates are others."""
    before = {item.name: item.crates for item in old.local}
    for item in new.local:
        if item.crates != before.get(item.name, ()):
            yield Change(name=item.name, kind="with other crates", old=(item.label,), new=(item.label,))


def _joined(changes: Sequence[Change], others: Sequence[Change], kind: Kind) -> tuple[Change, ...]:
    """Return the changes, with what was only taken over from the other list told as that, and what went there left out.

    A change of version on the way stays an addition and a removal.
    """
    gone = {(change.name, change.old) for change in others if change.kind == "removed"}
    come = {(change.name, change.new) for change in others if change.kind == "added"}
    found = []
    for change in changes:
        if change.kind == "added" and (change.name, change.new) in gone:
            found.append(Change(name=change.name, kind=kind, old=change.new, new=change.new))
        elif change.kind != "removed" or (change.name, change.old) not in come:
            found.append(change)
    return tuple(found)


def _by_name(distributions: Iterable[Distribution]) -> dict[str, dict[str, _Origin]]:
    """Return, by name, each version with its files."""
    found: dict[str, dict[str, _Origin]] = {}
    for item in distributions:
        files = sorted(item.files, key=lambda file: file.sha256)
        found.setdefault(item.name, {})[item.version] = _Origin(
            hashes=tuple(file.sha256 for file in files),
            crates=item.crates,
            settings=item.settings,
            patches=item.patches,
            index=item.index,
            urls=tuple(file.url.partition("?")[0] for file in files),
        )
    return found


def _crates(locks: Iterable[Lock]) -> dict[str, dict[str, _Origin]]:
    """Return, by name, each version with its file."""
    found: dict[str, dict[str, _Origin]] = {}
    for crate in (crate for lock in locks for crate in lock.crates if crate.file):
        found.setdefault(crate.name, {})[crate.version] = _Origin(hashes=(crate.sha256,))
    return found


def _compared(old: _Versions, new: _Versions) -> tuple[Change, ...]:
    found = (_change(name, old.get(name, {}), new.get(name, {})) for name in sorted(old.keys() | new.keys()))
    return tuple(change for change in found if change)


def _change(name: str, old: Mapping[str, _Origin], new: Mapping[str, _Origin]) -> Change | None:
    if old.keys() == new.keys() and all(old[version].same(new[version]) for version in old):
        return None
    return Change(name=name, kind=_kind(old, new), old=_sorted(old), new=_sorted(new))


def _kind(old: Mapping[str, _Origin], new: Mapping[str, _Origin]) -> Kind:
    if not old or not new:
        return "removed" if old else "added"
    if old.keys() == new.keys():
        if any(old[version].hashes != new[version].hashes for version in old):
            return "with other files"
        if any(old[version].crates != new[version].crates for version in old):
            return "with other crates"
        if any(old[version].patches != new[version].patches for version in old):
            return "with other patches"
        if any(old[version].settings != new[version].settings for version in old):
            return "with other build settings"
        moved = any(old[version].index and old[version].index != new[version].index for version in old)
        return "from another index" if moved else "from other URLs"
    if old.keys() < new.keys():
        return "with a further version"
    if new.keys() < old.keys():
        return "with a version less"
    before, after = ([_key(version) for version in _sorted(side)] for side in (old, new))
    return "downgraded" if (after[-1], after) < (before[-1], before) else "upgraded"


def _sorted(versions: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(versions, key=_key))


def _key(text: str) -> tuple[Version, str]:
    """Return what sorts versions; one that PEP 440 does not know is below all others."""
    try:
        return Version(text), text
    except InvalidVersion:
        return Version("0.dev0"), text
