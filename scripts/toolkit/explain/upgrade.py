"""The effect of `make vendor UPGRADE=all`, found out as it would be then, with nothing changed."""

from __future__ import annotations

from packaging.version import Version

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.engines.engine import Engine
from toolkit.explain import outdated, releases
from toolkit.model.lock import Lock
from toolkit.network.index_pages import Index
from toolkit.network.index_settings import Indexes
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.vendored import locked
from toolkit.vendored.dependency_graph import DependencyGraph
from toolkit.vendoring import vendor
from toolkit.vendoring.vendor_options import VendorOptions


def look(
    project: Project, settings: Settings, options: VendorOptions, indexes: Indexes, engine: Engine
) -> tuple[list[outdated.Row], list[DependencyGraph]]:
    """Return the distributions that have newer releases, and the locks they were compared with.

    Raises `UserError` without a lock, and when an index does not answer.
    """
    old = locked.read(project, settings)
    known: dict[str, set[Version]] = {}
    for graph in old:
        for (_, name), found in outdated.versions(graph.lock).items():
            known.setdefault(name, set()).update(found)
    index = Index(indexes, refresh=True)
    newest = releases.newest(index, known, options.exclude_newer)
    withdrawn = releases.withdrawn(index, known)
    new = _upgraded(project, settings, options, indexes, engine)
    added = {item.name: set[Version]() for lock in new or () for item in lock.distributions()}
    newest |= releases.newest(index, {name: added[name] for name in added.keys() - known.keys()}, options.exclude_newer)
    return outdated.rows(old, new, newest, withdrawn), old


def _upgraded(
    project: Project, settings: Settings, options: VendorOptions, indexes: Indexes, engine: Engine
) -> tuple[Lock, ...] | None:
    """Return the locks after an upgrade, or None, with a warning, where it would fail; the indexes have answered."""
    try:
        # The indexes have just been asked for most pages.
        return vendor.plan(project, settings, options, indexes, engine, refresh=False).new
    except UserError as error:
        told = "\n".join(f"{part.what}; {part.hint}" for part in error.parts)
        console.warn(f"`make vendor UPGRADE=all` would fail, so what is allowed is not known: {told}")
        return None
