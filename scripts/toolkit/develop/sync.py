"""Bring the distributions of an environment to what is wanted, and leave alone what is as it should be."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import files
from toolkit.model.names import normalize
from toolkit.wheel import record
from toolkit.wheel.image import Image
from toolkit.wheel.record import Row


@dataclass(frozen=True, kw_only=True)
class TargetDistribution:
    """A distribution to have: `identity` tells apart two builds of one version."""

    name: str
    version: str
    identity: str


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What to do. `added` and `removed` are `name version`, `changed` and `repaired` too, with both versions."""

    install: tuple[TargetDistribution, ...]
    uninstall: tuple[str, ...]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.install or self.uninstall)


@dataclass(frozen=True)
class Installed:
    """A distribution that is there: its metadata's directory and the rows of its RECORD."""

    name: str
    version: str
    directory: Path
    rows: tuple[Row, ...]

    def files(self) -> Iterator[tuple[str, int | None]]:
        """Yield the path of each file and its size in bytes, None where the RECORD does not say."""
        site = str(self.directory.parent)
        for row in self.rows:
            yield os.path.normpath(os.path.join(site, row.path)), row.size

    def is_whole(self) -> bool:
        """Tell whether every file is there, with its size."""
        return bool(self.rows) and all(_has_size(path, size) for path, size in self.files())


def _has_size(path: str, size: int | None) -> bool:
    try:
        return os.stat(path).st_size == size or size is None
    except OSError:
        return False


def installed(site: Path, ours: Iterable[str] = ()) -> dict[str, list[Installed]]:
    """Return what a site-packages directory holds, by name; `ours` are names to pass over (linked packages)."""
    passed, found = set(ours), dict[str, list[Installed]]()
    for entry in sorted(os.listdir(site)):
        stem, dot, suffix = entry.rpartition(".")
        name, dash, version = stem.rpartition("-")
        if f"{dot}{suffix}" == ".dist-info" and dash and normalize(name) not in passed:
            directory = site / entry
            found.setdefault(normalize(name), []).append(
                Installed(normalize(name), version, directory, record.read(directory / "RECORD"))
            )
    return found


def compare(
    wanted: Sequence[TargetDistribution], there: Mapping[str, list[Installed]], made_from: Mapping[str, str]
) -> Changes:
    """Return what brings an environment that holds `there` to what is wanted.

    `made_from` has the identities of what was put in last time. A distribution that is not whole is put in again.
    """
    names = {item.name for item in wanted}
    install = [item for item in wanted if not _is_as_wanted(item, there.get(item.name, ()), made_from)]
    gone = [name for name in there if name not in names]
    replaced = [item.name for item in install if item.name in there]
    return Changes(
        install=tuple(install),
        uninstall=(*gone, *replaced),
        added=tuple(f"{item.name} {item.version}" for item in install if item.name not in there),
        removed=tuple(f"{name} {there[name][0].version}" for name in gone),
        changed=tuple(_change(item, there[item.name]) for item in install if item.name in there),
    )


def _is_as_wanted(item: TargetDistribution, found: Sequence[Installed], made_from: Mapping[str, str]) -> bool:
    return len(found) == 1 and made_from.get(item.name) == item.identity and found[0].is_whole()


def _change(item: TargetDistribution, found: Sequence[Installed]) -> str:
    old = found[0].version
    return f"{item.name} {old} -> {item.version}" if old != item.version else f"{item.name} {old}, put in again"


def apply(prefix: Path, changes: Changes, there: Mapping[str, list[Installed]], wheels: Mapping[str, Image]) -> None:
    """Make the changes to the environment at `prefix`, as far as there are `wheels`, which are by name."""
    others = {item.name for item in changes.install if item.name not in wheels}
    for name in changes.uninstall:
        for old in there[name] if name not in others else ():
            _uninstall(old, prefix)
    for wheel in wheels.values():
        wheel.link(prefix)


def make_way(changes: Changes, there: Mapping[str, list[Installed]], names: Iterable[str]) -> None:
    """Remove what another installer would stumble over: metadata of distributions that are not whole."""
    for name in set(changes.uninstall) & set(names):
        for old in there[name]:
            if not old.rows or len(there[name]) > 1:
                files.remove(old.directory)


def _uninstall(item: Installed, prefix: Path) -> None:
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
    """Remove a directory and those above it while they are empty but for byte code's, up to those to keep."""
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
