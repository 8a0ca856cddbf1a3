"""What has newer releases: within the requirements, as an upgrade would choose them, and beyond."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.version import Version

from toolkit.core.foreign_text import one_line
from toolkit.explain.releases import Release
from toolkit.model import requirement_texts
from toolkit.model.lock import Lock
from toolkit.vendored.dependency_graph import DependencyGraph, name_of

#: The parts of a lock, as they are headed.
PARTS = ("shipped", "for tests and developers", "only for builds")
#: The reason for which a version was withdrawn (or nothing), by name and version.
Withdrawn = Mapping[str, Mapping[Version, str]]
_NOTHING_WITHDRAWN: Withdrawn = {}
#: Versions of each name, by part and name; a build may need several.
Table = dict[tuple[str, str], tuple[Version, ...]]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A distribution that is not the newest, or that its authors have withdrawn.

    `locked` are its versions now, `allowed` those after an upgrade: None where that could not be found out, empty where
    it is not needed any more. `services` are those that this holds for, `held` says what keeps the newest release out,
    `withdrawn` which of the locked versions are yanked, each with the reason that is given, or nothing.
    """

    name: str
    part: str
    services: tuple[str, ...]
    locked: tuple[Version, ...]
    allowed: tuple[Version, ...] | None
    newest: Version | None
    has_source: bool = True
    held: tuple[str, ...] = ()
    withdrawn: tuple[tuple[Version, str], ...] = ()


def versions(item: Lock) -> Table:
    """Return the versions that a lock has from the index. What comes from a URL has no releases."""
    for_developers = {reference.key for reference in (*item.test_requires, *item.dev_requires)}
    found: dict[tuple[str, str], set[Version]] = {}
    for distribution in item.distributions():
        if distribution.kind != "archive":
            part = PARTS[0] if distribution in item.packages else PARTS[1 if distribution.key in for_developers else 2]
            found.setdefault((part, distribution.name), set()).add(Version(distribution.version))
    return {key: tuple(sorted(values)) for key, values in found.items()}


def rows(
    old: Sequence[DependencyGraph],
    new: Sequence[Lock] | None,
    newest: Mapping[str, Release],
    withdrawn: Withdrawn = _NOTHING_WITHDRAWN,
) -> list[Row]:
    """Return what has newer releases or is withdrawn, equal rows of several services as one.

    `new` are the locks after an upgrade, `withdrawn` what is yanked of the locked versions.
    """
    merged: dict[Row, list[Row]] = {}
    for number, graph in enumerate(old):
        for row in _rows(graph, new[number] if new else None, newest, withdrawn):
            merged.setdefault(replace(row, services=(), held=()), []).append(row)
    found = [
        replace(
            row,
            services=tuple(service for one in same for service in one.services),
            held=tuple(dict.fromkeys(held for one in same for held in one.held)),
        )
        for row, same in merged.items()
    ]
    return sorted(found, key=lambda row: (PARTS.index(row.part), row.name, row.services))


def _rows(
    graph: DependencyGraph, new: Lock | None, newest: Mapping[str, Release], withdrawn: Withdrawn
) -> Iterator[Row]:
    before, after = versions(graph.lock), versions(new) if new else None
    for part, name in sorted(before.keys() | (after or {}).keys()):
        locked = before.get((part, name), ())
        allowed = after.get((part, name), ()) if after is not None else None
        release = newest.get(name)
        yanked = tuple((version, why) for version, why in withdrawn.get(name, {}).items() if version in locked)
        is_older = release and locked and release.version > max(locked)
        if (allowed is not None and allowed != locked) or is_older or yanked:
            # What an upgrade drops, nothing holds.
            beyond = release is not None and allowed != () and release.version not in (allowed or ())
            yield Row(
                name=name,
                part=part,
                services=(graph.lock.service,),
                locked=locked,
                allowed=allowed,
                newest=release.version if release else None,
                has_source=release.has_source if release and not _is_wheel(graph.lock, name) else True,
                held=tuple(_held(graph, name, release)) if release and beyond else (),
                withdrawn=yanked,
            )


def _is_wheel(item: Lock, name: str) -> bool:
    return any(found.name == name and found.kind == "wheels" for found in item.distributions())


def _held(graph: DependencyGraph, name: str, release: Release) -> Iterator[str]:
    """Yield what keeps a release out: interpreters, then requirements as they are written."""
    if not release.fits(graph.lock.pythons):
        yield f"needs Python {release.requires_python}"
    found = {edge for edges in graph.edges.values() for edge, _ in edges if name_of(edge.target) == name}
    for edge in sorted(found, key=lambda edge: (not edge.origin, edge.source, edge.text)):
        requirement = requirement_texts.parse(edge.text)
        if requirement and not requirement.specifier.contains(release.version, prereleases=True):
            yield f"{edge.origin or name_of(edge.source)}: {requirement.name}{requirement.specifier}"


def text(found: Sequence[Row], graphs: Sequence[DependencyGraph]) -> str:
    """Return the table as a person reads it; `graphs` are those of the locks."""
    services = tuple(graph.lock.service for graph in graphs)
    total = len({key for graph in graphs for key in versions(graph.lock)})
    if not found:
        return f"all {total} distributions are the newest there are\n"
    lines: list[str] = []
    widths = [max(*(len(row.name) + 2 for row in found), *(len(row.part) for row in found))]
    cells = [_cells(row) for row in found]
    heads = ("locked", "allowed", "newest")
    widths += [max(len(heads[n]), *(len(cell[n]) for cell in cells)) for n in range(3)]
    for part in PARTS:
        chosen = [(row, cell) for row, cell in zip(found, cells, strict=True) if row.part == part]
        if chosen:
            lines.append(_line((part, *heads), widths, ""))
            lines += [_line((f"  {row.name}", *cell), widths, _note(row, services)) for row, cell in chosen]
    return "".join(f"{line.rstrip()}\n" for line in (*lines, _summary(found, total)))


def _summary(found: Sequence[Row], total: int) -> str:
    older = {(row.part, row.name) for row in found if row.locked and row.newest and row.newest > max(row.locked)}
    if any(row.allowed is None for row in found):
        return f"{len(older)} of {total} have newer releases"
    known = [row for row in found if row.allowed != row.locked]
    changes = {
        "moves": sum(1 for row in known if row.locked and row.allowed),
        "adds": sum(1 for row in known if not row.locked),
        "drops": sum(1 for row in known if not row.allowed),
    }
    effect = ", ".join(f"{verb} {count}" for verb, count in changes.items() if count)
    return f"{len(older)} of {total} have newer releases; `make vendor UPGRADE=all` {effect or 'changes nothing'}"


def _cells(row: Row) -> tuple[str, str, str]:
    allowed = "?" if row.allowed is None else _joined(row.allowed)
    return _joined(row.locked), allowed, str(row.newest or "-")


def _joined(found: Iterable[Version]) -> str:
    return ", ".join(map(str, found)) or "-"


def _line(cells: Sequence[str], widths: Sequence[int], note: str) -> str:
    return "  ".join((*(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)), note))


def _note(row: Row, services: tuple[str, ...]) -> str:
    notes = [] if row.services == services else [f"in {', '.join(row.services)}"]
    notes += [f"{version} is withdrawn{f': {one_line(why)}' if why else ''}" for version, why in row.withdrawn]
    notes += [] if row.has_source else ["the newest has no sdist"]
    notes += [f"held by {row.held[0]}" if ":" in row.held[0] else row.held[0]] if row.held else []
    notes += [f"and {len(row.held) - 1} more"] if len(row.held) > 1 else []
    return "; ".join(notes)


def to_json(found: Iterable[Row]) -> str:
    """Return the rows for other programs: a list of objects, versions as lists of texts."""
    return (
        json.dumps(
            [
                {
                    "name": row.name,
                    "part": row.part,
                    "services": row.services,
                    "locked": [str(v) for v in row.locked],
                    "allowed": None if row.allowed is None else [str(v) for v in row.allowed],
                    "newest": str(row.newest) if row.newest else None,
                    "newest_has_source": row.has_source,
                    "held": row.held,
                    "yanked": {str(version): why for version, why in row.withdrawn},
                }
                for row in found
            ],
            indent=2,
        )
        + "\n"
    )
