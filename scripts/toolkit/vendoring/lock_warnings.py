"""What new locks give reason to warn of: lines that are for nothing, and what is not as its author may think."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from packaging.requirements import Requirement

from toolkit.model import requirement_texts
from toolkit.model.lock import Crate, Distribution, Lock
from toolkit.model.names import normalize
from toolkit.project import pyproject
from toolkit.project.discovery import Project
from toolkit.requirements import requirements, tool_tables
from toolkit.requirements.lock_inputs import LockInputs


def of(
    project: Project,
    everything: Sequence[LockInputs],
    old: Sequence[Lock],
    new: Sequence[Lock],
    programs: Mapping[str, Mapping[str, Sequence[str]]],
) -> tuple[str, ...]:
    """Return the warnings; `programs` is what `Finishing.replaceable` gives."""
    return (
        *_unused_lines(everything, new),
        *_idle_rules(everything, new),
        *_unread_tables(project, everything),
        *_now_local(old, new),
        *_missing_extras(project, new),
        *_slow_programs(programs),
    )


def withdrawn_crates(locks: Iterable[Lock], has_withdrawn: Callable[[Crate], bool]) -> Iterator[str]:
    """Yield a warning for each of those that are compiled with crates which a registry `has_withdrawn`."""
    found: dict[str, dict[str, None]] = {}
    for lock in locks:
        withdrawn = {crate.key for crate in lock.crates if crate.file and has_withdrawn(crate)}
        users = {item.label: item.crates for item in lock.distributions()}
        users |= {item.label: item.crates for item in lock.local}
        for label, keys in users.items():
            for key in sorted(withdrawn & {*keys}):
                found.setdefault(label, {})[key.replace("==", " ")] = None
    for label, crates in found.items():
        yield (
            f"{label}: it is compiled with crates that their authors have withdrawn (yanked): {', '.join(crates)}; "
            "they are taken, as its Cargo.lock or the lock has them: see whether another release has others"
        )


def unknown_extras(
    everything: Iterable[LockInputs], new: Iterable[Lock], of: Callable[[Distribution], frozenset[str] | None]
) -> Iterator[str]:
    """Yield a warning for each extra that a line asks for, and the distribution that is locked has not.

    `of` gives the extras of one, or None where they are not known. That is no error elsewhere either.
    """
    told: dict[str, None] = {}
    for inputs, lock in zip(everything, new, strict=True):
        for line in inputs.lines:
            asked = {normalize(extra) for extra in Requirement(line.text).extras}
            for item in (item for item in lock.distributions() if asked and item.name == line.name):
                known = of(item)
                if known is None:
                    continue
                for extra in sorted(asked - known):
                    meant = difflib.get_close_matches(extra, known, n=1)
                    hint = f"did you mean {meant[0]}?" if meant else "it is asked for in vain: remove it"
                    told[f"{line.origin}: {item.label} has no extra `{extra}`: {hint}"] = None
    yield from told


def _unused_lines(everything: Sequence[LockInputs], locks: Sequence[Lock]) -> Iterator[str]:
    """Yield a warning for each line about builds that is for nothing which any service has built."""
    built = {item.key for lock in locks for item in lock.distributions() if item.kind != "wheels"}
    keys = {*built, *(package.name for lock in locks for package in lock.local)}
    added = dict.fromkeys(line for inputs in everything for line in inputs.added)
    unused = {line.origin: f"{line.name}{line.specifier}" for line in added if not any(map(line.is_for, built))}
    settings = (table for inputs in everything for table in inputs.settings)
    unused |= {table.origin: table.label for table in settings if not any(map(table.is_for, keys))}
    yield from (f"{origin}: nothing that is built is called {name}" for origin, name in unused.items())


def _idle_rules(everything: Iterable[LockInputs], new: Iterable[Lock]) -> Iterator[str]:
    """Yield a warning for each line of a vendor.txt that names what no lock has: an old line, or a misspelt one."""
    names = {distribution.name for lock in new for distribution in lock.distributions()}
    for rule in dict.fromkeys(rule for item in everything for rule in item.binary if rule.name not in names):
        meant = difflib.get_close_matches(rule.name, names, n=1)
        yield (
            f"{rule.origin}: nothing requires {rule.name}, so no wheel of it is taken: "
            + (f"did you mean {meant[0]}?" if meant else "remove the line")
        )


def _now_local(old: Iterable[Lock], new: Iterable[Lock]) -> Iterator[str]:
    """Yield a warning for each package of the project that takes the place of a locked distribution."""
    locked = {item.name: item.version for lock in old for item in lock.distributions()}
    for name, path in sorted({package.name: package.path for lock in new for package in lock.local}.items()):
        if name in locked:
            yield f"{name}: {path}/ is taken for {name} {locked[name]}, which was locked from an index"


def _missing_extras(project: Project, new: Iterable[Lock]) -> Iterator[str]:
    """Yield a warning for each extra of a package of the project that something of an index asks for, and is not there.

    Metadata that asks for an extra that is none is no error elsewhere either.
    """
    everything = {item.key: item for lock in new for item in lock.distributions()}
    for key, text in dict.fromkeys((key, text) for key, item in everything.items() for text in item.requires):
        asked = requirement_texts.parse(text)
        package = project.find(normalize(asked.name)) if asked and asked.extras else None
        if asked and package:
            for extra in sorted(extra for extra in asked.extras if not requirements.has_extra(package, extra)):
                yield f"{key} requires `{text}`, but {project.shown(package.path)}/ has no extra `{extra}`"


def _unread_tables(project: Project, everything: Iterable[LockInputs]) -> Iterator[str]:
    """Yield a warning for each table of another tool that has a say there, and not here."""
    used = (package.path for inputs in everything for package in inputs.local)
    for directory in dict.fromkeys((project.root, *used)):
        for what, hint in tool_tables.unread(directory):
            yield f"{project.shown(directory / pyproject.FILE)}: {what}: not read here: {hint}"


def _slow_programs(found: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterator[str]:
    """Yield a warning of the programs that are built, in what `Finishing.replaceable` gives."""
    if found:
        users = {name: users for names in found.values() for name, users in names.items()}
        everybody = dict.fromkeys(user for name in sorted(users) for user in users[name])
        yield (
            f"{', '.join(sorted(users))}: built from source, which may take many minutes, as builds find no such "
            f"program of the system ({', '.join(everybody)})\nadd {', '.join(sorted(found))} to Build-Depends "
            "in debian/control (`make vendor APT=1` does), `apt install` the same, and run `make vendor`"
        )
