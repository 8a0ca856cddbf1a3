"""The interpreters that a package is built for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Interpreter versions, in the order of the file.

    `pythons` are minor versions (`3.11`), each once; `exact` the lines that give a patch version too (`3.11.7`);
    `file` is relative to the project, empty when there is none; `origins` gives `file:line` of each minor version.
    """

    pythons: tuple[str, ...]
    exact: tuple[str, ...] = ()
    file: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)
