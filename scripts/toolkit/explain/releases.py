"""The newest release of a distribution that the indexes have, whatever the requirements say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from toolkit.core import progress, threads
from toolkit.model.pins import RemoteFile
from toolkit.network.index_pages import Index, cutoff, is_before, version_of

_CONNECTIONS = 8


@dataclass(frozen=True, kw_only=True)
class Release:
    """A version, whether there is an sdist of it, and the interpreters it is for (a specifier, or empty)."""

    version: Version
    has_source: bool
    requires_python: str = ""

    def fits(self, pythons: Collection[str]) -> bool:
        """Tell whether it is for all of these minor versions of Python."""
        try:
            allowed = SpecifierSet(self.requires_python)
        except InvalidSpecifier:
            return True
        # A specifier with a patch version, `>=3.11.2`, is met by the last one of the minor version.
        return all(allowed.contains(f"{python}.99") for python in pythons)


def newest(index: Index, locked: Mapping[str, Collection[Version]], exclude_newer: str) -> dict[str, Release]:
    """Return the newest release of each distribution, asking for all at the same time.

    Yanked files are left out, those younger than `exclude_newer` (ISO 8601, or empty), and pre-releases, unless one is
    `locked`. Raises `UserError` when an index does not answer.
    """
    latest = cutoff(exclude_newer)
    with progress.counting("INDEX", len(locked), "distributions") as bar:

        def ask(name: str) -> Release | None:
            found = choose(name, index.files(name), latest, prereleases=any(v.is_prerelease for v in locked[name]))
            bar.advance(name)
            return found

        answers = threads.ask_each(ask, list(locked), _CONNECTIONS)
    return {name: found for name, found in zip(locked, answers, strict=True) if found}


def withdrawn(index: Index, locked: Mapping[str, Collection[Version]]) -> dict[str, dict[Version, str]]:
    """Return the locked versions that are yanked, with the reason that is given, or nothing.

    https://packaging.python.org/en/latest/specifications/file-yanking/
    """
    found: dict[str, dict[Version, str]] = {}
    for name, versions in locked.items():
        for version in versions:
            files = index.releases(name).get(version, ())
            if files and all(file.yanked for file in files):
                found.setdefault(name, {})[version] = next((f.yanked_reason for f in files if f.yanked_reason), "")
    return found


def choose(name: str, files: Iterable[RemoteFile], limit: datetime | None, *, prereleases: bool) -> Release | None:
    """Return the newest release among the files of a distribution, or None."""
    usable: dict[Version, list[RemoteFile]] = {}
    for file in files:
        version = version_of(file.name, name)
        if version and not file.yanked and is_before(file, limit) and (prereleases or not version.is_prerelease):
            usable.setdefault(version, []).append(file)
    if not usable:
        return None
    version = max(usable)
    return Release(
        version=version,
        has_source=any(not file.name.endswith(".whl") for file in usable[version]),
        requires_python=next((file.requires_python for file in usable[version] if file.requires_python), ""),
    )
