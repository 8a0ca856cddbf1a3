"""Locked files compared with the indexes they came from: for whoever reviews locks that somebody else has changed.

A hash that was edited together with its file passes every check of the two against each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from toolkit.core import directories
from toolkit.core.errors import UserError
from toolkit.core.secrets import address
from toolkit.model import requirement_texts
from toolkit.model.lock import Distribution, Lock, VendoredFile
from toolkit.model.pins import RemoteFile
from toolkit.network.crate_registry import CrateRegistry
from toolkit.network.fetch import Fetcher, OtherFileError
from toolkit.network.index_options import FIRST_INDEX, shown
from toolkit.network.index_pages import Index, is_of_release
from toolkit.network.index_settings import Indexes
from toolkit.project.discovery import Project
from toolkit.requirements import lock_inputs
from toolkit.vendored.check import Problem
from toolkit.vendoring import online_crates

_SUSPECT = (
    "do not build from it before you know who put it there (`git log` in vendor/), and whether anybody replaced it"
)


@dataclass(kw_only=True)
class Comparison:
    """What comparing has found: how many files were compared, what is wrong, and what somebody should look at."""

    compared: int = 0
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def compare(project: Project, locks: Sequence[Lock], indexes: Indexes) -> Comparison:
    """Compare every file that the locks name, vendored or offered. Raises `UserError` when an index does not answer."""
    found = Comparison()
    distributions = _distinct(item for lock in locks for item in lock.distributions())
    pages = _pages([item for item in distributions if item.kind != "archive"], indexes)
    first = _first_indexes([item for item in distributions if item.index in pages], indexes)
    addresses = _addresses(project, locks)
    unlisted: list[tuple[VendoredFile, str]] = []
    for item in distributions:
        if item.kind == "archive":
            unlisted += _archive(item, addresses, found)
        elif item.index not in pages:
            found.problems.append(
                Problem(
                    what=f"{item.key}: locked from {item.index}, which is not one of the indexes in use: "
                    f"{indexes.shown()}",
                    hint="see who locked it so; if it is an index of the team's, name it: INDEX_URL=, EXTRA_INDEX_URL=",
                )
            )
        elif first.get(item.name, item.index) != item.index:
            found.problems.append(
                Problem(
                    what=f"{item.key}: locked from {item.index}, but {first[item.name]}, which comes before that, has "
                    f"{item.name} too",
                    hint=_SUSPECT,
                )
            )
        else:
            unlisted += _compare(item, pages[item.index][item.name], item.index or indexes.shown(), found)
    _fetch(unlisted, indexes, found)
    _compare_crates(locks, indexes, found)
    return found


def _distinct(distributions: Iterable[Distribution]) -> list[Distribution]:
    """Return each distribution once, with all the files that any lock has of it."""
    found: dict[tuple[str, object], Distribution] = {}
    for item in distributions:
        offered = found[item.key, item.files].offered if (item.key, item.files) in found else ()
        found[item.key, item.files] = replace(item, offered=tuple(dict.fromkeys((*offered, *item.offered))))
    return sorted(found.values(), key=lambda item: item.key)


def _pages(
    distributions: Sequence[Distribution], indexes: Indexes
) -> Mapping[str, Mapping[str, tuple[RemoteFile, ...]]]:
    """Return the files of each distribution on each index in use that a lock names; "" is for all indexes as one.

    Only the index that a lock names has a say. One that the user has not named is not asked: whoever changes a lock may
    have an index too.
    """
    # With the credentials that a lock must not hold.
    known = {"": indexes, **{shown(url): replace(indexes, url=url, extra=(), find_links=()) for url in indexes.urls}}
    named = {item.index for item in distributions} & known.keys()
    return {
        index: Index(known[index], refresh=True).all_files(item.name for item in distributions if item.index == index)
        for index in sorted(named)
    }


def _first_indexes(distributions: Iterable[Distribution], indexes: Indexes) -> Mapping[str, str]:
    """Return, by name, the first index that has each distribution which a lock has from a later one.

    Anybody may give a name to what they put on a public index, and a lock can be edited to take it from there.
    """
    if indexes.strategy != FIRST_INDEX:
        return {}
    names = [item.name for item in distributions if item.index and item.index != shown(indexes.url)]
    listed = Index(replace(indexes, find_links=()), refresh=True).all_files(names)
    return {name: found[0].index for name, found in listed.items() if found}


def _compare(
    item: Distribution, listed: Collection[RemoteFile], where: str, found: Comparison
) -> Iterator[tuple[VendoredFile, str]]:
    """Compare the files of a distribution with those that an index lists; yield those that it gives no hash of."""
    by_name = {file.name: file for file in listed}
    for file in (*item.files, *item.offered):
        shown_name = _shown(item, file)
        remote = by_name.get(file.name)
        found.compared += 1
        if not is_of_release(file.name, item.name, item.version):
            found.problems.append(
                Problem(what=f"{shown_name}: not a file of {item.name} {item.version}", hint=_SUSPECT)
            )
        elif remote is None:
            others = ", ".join(sorted(name for name in by_name if is_of_release(name, item.name, item.version)))
            release = f"it has {others}" if others else f"nor any other file of {item.name} {item.version}"
            found.problems.append(Problem(what=f"{shown_name}: not on {where}, {release}", hint=_SUSPECT))
        elif remote.sha256 and remote.sha256 != file.sha256:
            what = f"{shown_name}: its sha256 is {remote.sha256} on {where}, the lock says {file.sha256}"
            found.problems.append(Problem(what=what, hint=_SUSPECT))
        elif remote.size is not None and remote.size != file.size:
            what = f"{shown_name}: it has {remote.size} bytes on {where}, the lock says {file.size}"
            found.problems.append(Problem(what=what, hint=_SUSPECT))
        else:
            if remote.yanked:
                found.warnings.append(f"{shown_name}: {remote.withdrawn}: see why on {where}")
            if not remote.sha256:
                yield file, remote.url


def _shown(item: Distribution, file: VendoredFile) -> str:
    return f"vendor/{file.name}" if file in item.files else f"{file.name} (a wheel for development)"


def _addresses(project: Project, locks: Sequence[Lock]) -> dict[str, str]:
    """Return the URLs of archives in the project's files, by what locks have of them."""
    found: list[str] = []
    by_service = {lock.service: lock for lock in locks}
    for package in project.locked:
        lock = by_service.get(project.lock_name(package))
        if lock:
            inputs = lock_inputs.read(project, package, lock.platforms)
            found += [rule.url for rule in inputs.archives]
            named = (requirement_texts.parse(line.text) for line in (*inputs.lines, *inputs.constraints))
            found += [requirement.url for requirement in named if requirement and requirement.url]
    return {address(url): url for url in found}


def _archive(item: Distribution, addresses: Mapping[str, str], found: Comparison) -> Iterator[tuple[VendoredFile, str]]:
    for file in item.files:
        found.compared += 1
        if file.url in addresses:
            yield file, addresses[file.url]
        else:
            what = f"vendor/{file.name}: locked from {shown(file.url)}, which no file of the project names"
            found.problems.append(Problem(what=what, hint=_SUSPECT))


def _compare_crates(locks: Sequence[Lock], indexes: Indexes, found: Comparison) -> None:
    crates = online_crates.crates_of(locks)
    if crates:
        problems, warnings = online_crates.compare(crates, CrateRegistry(indexes), _SUSPECT)
        found.compared += len(crates)
        found.problems += problems
        found.warnings += warnings


def _fetch(unlisted: Iterable[tuple[VendoredFile, str]], indexes: Indexes, found: Comparison) -> None:
    """Fetch what no index gives a hash of, past the cache, and compare it with the lock."""
    with directories.scratch("check-vendor-") as directory, Fetcher(indexes, cache=directory) as fetcher:
        futures = [fetcher.submit(replace(file, url=url)) for file, url in dict(unlisted).items()]
        for future in futures:
            try:
                fetcher.result(future)
            except OtherFileError as error:
                found.problems.append(Problem(what=error.what, hint=_SUSPECT))
            except UserError as error:
                found.problems.append(Problem(what=error.what, hint=error.hint))
