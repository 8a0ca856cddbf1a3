"""A wheel for a requirement that is not the project's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class PersonalWheel:
    """A wheel for a requirement that is not the project's; `path` is in the cache, and may be gone from it."""

    name: str
    version: str
    sha256: str
    path: Path
