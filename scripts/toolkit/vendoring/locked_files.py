"""Locked hashes bind: other bytes under a locked version, or another index of its name, is an error until asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from toolkit.core.errors import FinalError, UserError
from toolkit.core.secrets import address
from toolkit.model.lock import Distribution, Lock, VendoredFile
from toolkit.model.names import normalize
from toolkit.model.pins import Pin, RemoteFile
from toolkit.vendored import check
from toolkit.vendored.check import Problem

_OTHER_FILE = (
    "a release keeps its files, so somebody has changed one of the two: find out who, by `git log` of the lock and at "
    "the index, before you use either; `make vendor UPGRADE={name}` then takes what the index has"
)
_OTHER_INDEX = (
    "see that INDEX_URL=, EXTRA_INDEX_URL= and pip's configuration name the index that the team trusts with this name; "
    "`make vendor UPGRADE={name}` then takes it from there"
)


@dataclass(frozen=True, kw_only=True)
class Locked:
    """One distribution of an old lock."""

    distribution: Distribution
    lock: Lock

    @property
    def origin(self) -> str:
        """Return the path of the lock as messages show it."""
        return f"vendor/pylock.{self.lock.service}.toml"

    @property
    def is_built_with_only(self) -> bool:
        """Tell whether neither the service nor its developers have it: then the lock offers no wheels of it."""
        key, lock = self.distribution.key, self.lock
        others = (reference.key for reference in (*lock.test_requires, *lock.dev_requires))
        return key not in {*(item.key for item in lock.packages), *others}


@dataclass(frozen=True, kw_only=True)
class LockedFiles:
    """What the old locks hold, by name, but for the names whose upgrade was asked for one by one.

    `keeps_wheels` is false when all versions may move: what binds is then only what an upgrade does not change.
    """

    by_name: Mapping[str, Sequence[Locked]]
    keeps_wheels: bool

    @classmethod
    def of(cls, locks: Iterable[Lock], upgrade: Iterable[str]) -> LockedFiles:
        """Return what binds of the locks when `upgrade` (names, or `all`) may move."""
        moving = {normalize(name) for name in upgrade}
        found: dict[str, list[Locked]] = {}
        for lock in locks:
            for item in lock.distributions():
                if item.name not in moving:
                    found.setdefault(item.name, []).append(Locked(distribution=item, lock=lock))
        return cls(by_name=found, keeps_wheels="all" not in moving)

    def archives(self) -> dict[str, Distribution]:
        """Return, by URL, every archive that binds."""
        every = (item.distribution for group in self.by_name.values() for item in group)
        return {found.files[0].url: found for found in every if found.kind == "archive"}

    def kept(self, pythons: tuple[str, ...], platforms: tuple[str, ...]) -> dict[str, Distribution]:
        """Return, by `name==version`, what keeps its wheels: an index may add files to a release at any time.

        Only what was locked for the same interpreters and systems does. A lock from before there were direct
        requirements may be from before wheels were offered, too.
        """
        return {
            item.distribution.key: item.distribution
            for group in self.by_name.values()
            for item in group
            if self.keeps_wheels
            and (item.lock.pythons, item.lock.platforms) == (pythons, platforms)
            and item.lock.direct is not None
            if item.distribution.kind == "wheels" or not item.is_built_with_only
        }

    def faults(self, pin: Pin) -> Iterator[Problem]:
        """Yield what differs between a pin and the locks."""
        known = self.by_name.get(pin.name, ())
        for item in known:
            if item.distribution.version == pin.version:
                yield from _other_files(pin, item)
                yield from _other_requirements(pin, item)
        yield from _other_index(pin, known)

    def completed(self, pin: Pin) -> Pin:
        """Return a pin whose files have the hash and size of the lock where the index gives none."""
        known = {
            file.name: file
            for item in self.by_name.get(pin.name, ())
            if item.distribution.version == pin.version and (item.distribution.kind == "archive") == bool(pin.archive)
            for file in (*item.distribution.files, *item.distribution.offered)
        }

        def complete(file: RemoteFile) -> RemoteFile:
            locked = known.get(file.name)
            if not locked or file.sha256 or (pin.archive and file.url != locked.url):
                return file
            return replace(file, sha256=locked.sha256, size=locked.size)

        return replace(
            pin,
            sdist=pin.sdist and complete(pin.sdist),
            archive=pin.archive and complete(pin.archive),
            wheels=tuple(map(complete, pin.wheels)),
        )


@dataclass
class Binding:
    """Sees that pins agree with the locks."""

    locked: LockedFiles
    _withdrawn: dict[str, tuple[Pin, RemoteFile]] = field(default_factory=dict)

    def bind(self, pins: Iterable[Pin]) -> tuple[Pin, ...]:
        """Return pins that agree with the locks. Raises one `FinalError` for all that do not."""
        bound = tuple(map(self.locked.completed, pins))
        faults = list(dict.fromkeys(fault for pin in bound for fault in self.locked.faults(pin)))
        try:
            check.refuse(faults)
        except UserError as error:
            # Nothing of it is to be run before somebody has looked.
            raise FinalError(error.what, error.hint, error.details) from None
        for pin in bound:
            for file in (pin.sdist, *pin.wheels):
                if file and (file.yanked or file.gone):
                    self._withdrawn[file.name] = pin, file
        return bound

    def withdrawn(self, locks: Iterable[Lock]) -> Iterator[str]:
        """Yield a warning for each file of new locks that no index has any more, or that is yanked.

        https://packaging.python.org/en/latest/specifications/file-yanking/
        """
        names = {file.name for lock in locks for item in lock.distributions() for file in item.files}
        for name in sorted(names & self._withdrawn.keys()):
            pin, file = self._withdrawn[name]
            known = {file.name for item in self.locked.by_name.get(pin.name, ()) for file in item.distribution.files}
            event = file.withdrawn if file.yanked else "no index has it any more"
            if name in known:
                yield (
                    f"{name}: {event}; it stays, as it is locked: see why, "
                    f"and whether `make vendor UPGRADE={pin.name}` has a better one"
                )
            else:
                yield f"{name}: {event}; `make why NAME={pin.name}` shows what asks for just this version"


def _files(pin: Pin) -> dict[str, RemoteFile]:
    return {file.name: file for file in (pin.sdist, pin.archive, *pin.wheels) if file}


def _other_files(pin: Pin, item: Locked) -> Iterator[Problem]:
    """Yield the files that are not those of the lock; a file that is gone, or was added since, is none of them."""
    locked = item.distribution
    if (locked.kind == "archive") != bool(pin.archive):
        return
    remote = _files(pin)
    for file in (*locked.files, *locked.offered):
        found = remote.get(file.name)
        # Another URL of an archive is a change of the project's own file that names it.
        if found and not (pin.archive and found.url != file.url) and (difference := _difference(file, found)):
            where = found.index or address(found.url)
            yield Problem(
                what=f"{file.name}: not the file that {item.origin} has locked: {where} has {difference}",
                hint=_OTHER_FILE.format(name=pin.name),
            )
    if locked.kind == "sdist" and pin.sdist and pin.sdist.name not in {file.name for file in locked.files}:
        yield Problem(
            what=f"{pin.name} {pin.version}: {item.origin} has locked {locked.files[0].name}; "
            f"{pin.sdist.index or address(pin.sdist.url)} has another sdist of it, {pin.sdist.name}",
            hint=_OTHER_FILE.format(name=pin.name),
        )


def _other_requirements(pin: Pin, item: Locked) -> Iterator[Problem]:
    """Yield what a wheel that is not locked says otherwise of what an sdist requires than was known of it."""
    locked = item.distribution.requires_sha256
    if locked and pin.metadata == "wheel" and pin.requires_sha256 != locked:
        where = next((wheel.index or address(wheel.url) for wheel in pin.wheels), "the index")
        yield Problem(
            what=f"{pin.name} {pin.version}: its sdist leaves open what it requires, and {where} has a wheel that says "
            f"otherwise than when {item.origin} was made",
            hint=_OTHER_FILE.format(name=pin.name),
        )


def _difference(file: VendoredFile, found: RemoteFile) -> str:
    if found.sha256 and found.sha256 != file.sha256:
        return f"one with sha256 {found.sha256}, the lock says {file.sha256}"
    if found.size and found.size != file.size:
        return f"one of {found.size} bytes, the lock says {file.size}"
    return ""


def _other_index(pin: Pin, known: Sequence[Locked]) -> Iterator[Problem]:
    """Yield the change of the index that a name comes from, whatever its version: two indexes may be two authors."""
    locked = {item.distribution.index: item.origin for item in known if item.distribution.index}
    found = {file.index for file in _files(pin).values() if file.index}
    if locked and found and not found & locked.keys():
        index, lock = next(iter(locked.items()))
        yield Problem(
            what=f"{pin.name}: {lock} has locked it from {index}; it would now come from {sorted(found)[0]}",
            hint=_OTHER_INDEX.format(name=pin.name),
        )
