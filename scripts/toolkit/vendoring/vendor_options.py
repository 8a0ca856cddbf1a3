"""What a run of the verb `vendor` is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toolkit.build.building_options import BuildOptions
from toolkit.model.names import normalize
from toolkit.requirements.requirement_edits import NO_EDITS, Edits
from toolkit.vendoring.foreign_lock import ForeignLock


@dataclass(frozen=True, kw_only=True)
class VendorOptions:
    """How to resolve: names to `upgrade` (or `all`), `exclude_newer` as an ISO date or time, values of sys.platform.

    `build_constraints` are files beside those of the project. `building` says how to build what hooks need where no
    index has a wheel of it. `edits` are of the project's files, and count as if they were made; `adopted` has versions
    that another tool has locked. With `trial`, all wheels are built before anything counts. `oldest_rust` returns the
    version of Rust that crates are chosen for where a Cargo.lock is missing, empty for any.
    """

    building: BuildOptions
    platforms: tuple[str, ...]
    upgrade: tuple[str, ...] = ()
    build_constraints: tuple[Path, ...] = ()
    exclude_newer: str = ""
    edits: Edits = NO_EDITS
    adopted: ForeignLock | None = None
    trial: bool = False
    oldest_rust: Callable[[], str] = str

    @property
    def moving(self) -> set[str]:
        """Return the names of what may move to other versions, `all` among them where it is everything."""
        return {normalize(name) for name in self.upgrade}
