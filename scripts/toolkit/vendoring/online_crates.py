"""Locked crates compared with the registries they came from."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.core import threads
from toolkit.core.errors import UserError
from toolkit.model.lock import Crate, Lock
from toolkit.network.crate_registry import CONNECTIONS, CrateRegistry
from toolkit.vendored.check import Problem


def crates_of(locks: Sequence[Lock]) -> list[Crate]:
    """Return each crate of these locks once, those too that nobody compiles, but none from git."""
    every = (crate for lock in locks for crate in lock.crates if crate.sha256)
    found = {(crate.key, crate.source, crate.sha256): crate for crate in every}
    return [found[key] for key in sorted(found)]


def compare(crates: Sequence[Crate], registry: CrateRegistry, suspect: str) -> tuple[list[Problem], list[str]]:
    """Return what is wrong with crates, with the hint `suspect`, and what somebody should look at.

    A registry's index has the sha256 of every crate, so none is fetched. Raises `UserError` where one does not answer.
    """
    problems: list[Problem] = []
    known: list[Crate] = []
    for crate in crates:
        try:
            registry.address(crate.source, crate.key)
            known.append(crate)
        except UserError as error:
            # It is not asked either: whoever changes a lock may have a registry, too.
            problems.append(Problem(what=error.what, hint=error.hint))
    pages = threads.ask_each(lambda crate: registry.releases(crate.name, crate.source, crate.key), known, CONNECTIONS)
    warnings = []
    for crate, lines in zip(known, pages, strict=True):
        where = registry.address(crate.source, crate.key)
        line = next((line for line in lines if (line["name"], line["vers"]) == (crate.name, crate.version)), None)
        if line is None:
            problems.append(Problem(what=f"the crate {crate.key}: {where} does not have it", hint=suspect))
        elif line["cksum"] != crate.sha256:
            what = f"the crate {crate.key}: its sha256 is {line['cksum']} on {where}, the lock says {crate.sha256}"
            problems.append(Problem(what=what, hint=suspect))
        elif line.get("yanked") is True:
            warnings.append(f"the crate {crate.key}: its authors have withdrawn it (yanked) on {where}")
    return problems, warnings
