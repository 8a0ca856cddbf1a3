"""The interpreters and systems that a package is built for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class System(NamedTuple):
    """An operating system as markers see it (PEP 508): its `platform_system`, and each `platform_machine`."""

    name: str
    machines: tuple[str, ...]


#: The systems that versions can be locked for, by their `sys.platform`.
SYSTEMS = {
    "linux": System("Linux", ("x86_64", "aarch64")),
    "darwin": System("Darwin", ("x86_64", "arm64")),
    "win32": System("Windows", ("AMD64", "ARM64")),
}


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
