"""The distributions of an environment: which are installed, what has to change, and the change itself."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from toolkit.core import files
from toolkit.model.names import normalize
from toolkit.wheel import record
from toolkit.wheel.image import Image
from toolkit.wheel.record import Row

#: Of each file, by its path, in bytes, as the RECORD of each distribution has it that installed one.
Sizes = Mapping[str, Collection[int | None]]


@dataclass(frozen=True, kw_only=True)
class TargetDistribution:
    """A distribution that the environment is to hold: `identity` tells apart two builds of one version."""

    name: str
    version: str
    identity: str


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What to install and to uninstall; `added`, `removed` and `changed` describe it to a person, with versions."""

    install: tuple[TargetDistribution, ...]
    uninstall: tuple[str, ...]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.install or self.uninstall)


@dataclass(frozen=True)
class Installed:
    """An installed distribution: the directory of its metadata and the rows of its RECORD."""

    name: str
    version: str
    directory: Path
    rows: tuple[Row, ...]

    def files(self) -> Iterator[tuple[str, int | None]]:
        """Yield the path of each file and its size in bytes, None where the RECORD has none."""
        site = str(self.directory.parent)
        for row in self.rows:
            yield os.path.normpath(os.path.join(site, row.path)), row.size

    def below(self, site: Path) -> Installed:
        """Return the same distribution in a copy of its site-packages directory."""
        return replace(self, directory=site / self.directory.name)

    def is_whole(self, sizes: Callable[[], Sizes] = dict) -> bool:
        """Return whether every file exists, with the size that its RECORD has, or another that has this file, too.

        `sizes` tells those of all distributions.
        """
        try:
            found = ((path, size, os.stat(path).st_size) for path, size in self.files())
            return bool(self.rows) and all(
                size in (None, now) or now in sizes().get(path, ()) for path, size, now in found
            )
        except OSError:
            return False


def installed(site: Path) -> dict[str, list[Installed]]:
    """Return what is installed in a site-packages directory, by name."""
    found: dict[str, list[Installed]] = {}
    for directory in sorted(site.glob("*-*.dist-info")):
        stem, _, version = directory.name.removesuffix(".dist-info").rpartition("-")
        name = normalize(stem)
        found.setdefault(name, []).append(Installed(name, version, directory, record.read(directory / "RECORD")))
    return found


def compare(
    target: Sequence[TargetDistribution], present: Mapping[str, list[Installed]], identities: Mapping[str, str]
) -> Changes:
    """Return what has to change in an environment that holds `present`.

    `identities` are those of what was installed last time. A distribution that is not whole is installed again.
    """
    names = {item.name for item in target}
    every = [item for items in present.values() for item in items]

    @cache
    def sizes() -> Sizes:
        return _sizes(every)

    current = {item.name for item in target if _is_current(item, present.get(item.name, ()), identities, sizes)}
    current -= _sharing(current, every)
    install = [item for item in target if item.name not in current]
    obsolete = [name for name in present if name not in names]
    replaced = [item for item in install if item.name in present]
    return Changes(
        install=tuple(install),
        uninstall=(*obsolete, *(item.name for item in replaced)),
        added=tuple(f"{item.name} {item.version}" for item in install if item.name not in present),
        removed=tuple(f"{name} {present[name][0].version}" for name in obsolete),
        changed=tuple(_change(item, present[item.name][0].version) for item in replaced),
    )


def _is_current(
    item: TargetDistribution, found: Sequence[Installed], identities: Mapping[str, str], sizes: Callable[[], Sizes]
) -> bool:
    return len(found) == 1 and identities.get(item.name) == item.identity and found[0].is_whole(sizes)


def _sizes(installed: Iterable[Installed]) -> Sizes:
    found: dict[str, set[int | None]] = {}
    for item in installed:
        for path, size in item.files():
            found.setdefault(path, set()).add(size)
    return found


def _sharing(current: Collection[str], present: Collection[Installed]) -> set[str]:
    """Return those that have a file in common with one that goes, or with one that has: they lose it."""
    going = [item for item in present if item.name not in current]
    kept = {item.name: {path for path, _ in item.files()} for item in present if item.name in current} if going else {}
    found = set[str]()
    while going:
        lost = {path for item in going for path, _ in item.files()}
        names = {name for name, paths in kept.items() if name not in found and not lost.isdisjoint(paths)}
        going = [item for item in present if item.name in names]
        found |= names
    return found


def _change(item: TargetDistribution, old: str) -> str:
    return f"{item.name} {old} -> {item.version}" if old != item.version else f"{item.name} {old}, put in again"


def apply(root: Path, python: Path, changes: Changes, present: Iterable[Installed], images: Iterable[Image]) -> None:
    """Make the changes to the environment at `root`, where `present` are installed, by images of what is to be.

    Scripts are for the interpreter `python`.
    """
    for old in present:
        if old.name in changes.uninstall:
            uninstall(old, root)
    for image in images:
        image.link(root, python)


def uninstall(item: Installed, prefix: Path) -> None:
    """Remove the files of a distribution that are inside the environment, their byte code, and emptied directories."""
    inside = f"{prefix}{os.sep}"
    parents = {str(item.directory)}
    for path, _ in item.files():
        if path.startswith(inside):
            for victim in (path, *_byte_code(path)):
                with contextlib.suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
                    os.unlink(victim)
            parents.add(os.path.dirname(path))
    files.remove(item.directory)
    for parent in sorted(parents, key=len, reverse=True):
        _remove_empty(parent, str(item.directory.parent), str(prefix))


def _byte_code(path: str) -> Iterator[str]:
    stem, suffix = os.path.splitext(os.path.basename(path))
    if suffix == ".py":
        cache = os.path.join(os.path.dirname(path), "__pycache__")
        with contextlib.suppress(OSError):
            yield from (os.path.join(cache, name) for name in os.listdir(cache) if name.startswith(f"{stem}."))


def _remove_empty(directory: str, *kept: str) -> None:
    """Remove a directory and those above it while they are empty but for `__pycache__`, up to those `kept`."""
    while directory not in kept and directory.startswith(kept[-1]):
        with contextlib.suppress(OSError):
            os.rmdir(os.path.join(directory, "__pycache__"))
        try:
            os.rmdir(directory)
        except FileNotFoundError:
            pass
        except OSError:
            return
        directory = os.path.dirname(directory)
