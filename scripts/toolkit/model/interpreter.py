"""An interpreter, and which markers hold for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.model.pins import Pinned


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """An interpreter to build for: `path` as it stands in the finished package, `version` as `3.11`."""

    path: Path
    version: str
    full_version: str
    soabi: str
    include: Path
    marker_environment: Mapping[str, str]

    @property
    def site_packages(self) -> str:
        """Return the directory of an environment's modules, relative to the environment."""
        return f"lib/python{self.version}/site-packages"

    def matches(self, marker: str) -> bool:
        """Tell whether a PEP 508 marker holds for this interpreter; no marker always does."""
        if not marker:
            return True
        from toolkit.model import markers

        return markers.holds(marker, self.marker_environment)


def select(references: Iterable[Pinned], interpreter: Interpreter) -> tuple[str, ...]:
    """Return the `name==version` of those locked references whose marker holds."""
    return tuple(reference.key for reference in references if interpreter.matches(reference.marker))
