"""A part of a repository that is adopted: a directory that makes one distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from toolkit.project.discovery import Package
from toolkit.scaffold.program import Program


@dataclass(frozen=True, kw_only=True)
class Part:
    """A directory of the repository that makes one distribution, and the programs found for it, the main one first.

    `package` is None where nothing makes a package of it yet.
    """

    directory: PurePosixPath
    name: str
    service: str
    package: Package | None
    programs: Sequence[Program]
    own_script: str = ""

    @property
    def is_service(self) -> bool:
        """Tell whether it becomes a Debian package that runs something."""
        return bool(self.programs or self.own_script)

    @property
    def shown(self) -> str:
        """Return its directory as messages have it."""
        return f"{self.directory}/" if self.directory.parts else "./"


def package_name(service: str, namespace: str) -> str:
    """Return what the Debian package of a service is called, and its script: one that has the namespace keeps it."""
    return service if service.startswith(f"{namespace}-") else f"{namespace}-{service}"
