"""Requirements become pins: one seam, two engines behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from toolkit import ui
from toolkit.targets import Targets


class ConflictError(ui.UserError):
    """No choice of versions satisfies all requirements of a request; fewer of them may be satisfiable."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to resolve.

    `requirements` and `constraints` are PEP 508 texts, `origins` says where each of them stands (`file:line`).
    `preferences` are `name==version[; marker]`, kept while they satisfy; `refresh` asks past what an engine has cached.
    `provided` are the distributions of the project itself, `name==version` or just `name`: they are never looked up.
    `platforms` are values of `sys.platform`; `exclude_newer` is empty or an ISO 8601 date or time.
    """

    requirements: tuple[str, ...]
    targets: Targets
    constraints: tuple[str, ...] = ()
    preferences: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ("linux",)
    refresh: bool = False
    provided: tuple[str, ...] = ()
    exclude_newer: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One file to be had: size in bytes (None: not said), sha256 in hexadecimal (empty: not said).

    `url` (https, http or file) holds no user name or password; `upload_time` is ISO 8601 or empty.
    """

    name: str
    url: str
    size: int | None = None
    sha256: str = ""
    upload_time: str = ""
    requires_python: str = ""
    yanked: bool = False


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One version of a distribution: either the files an index has of it, or the one archive of a direct URL.

    `marker` (PEP 508) says for which of the targets; empty: for all of them.
    """

    name: str
    version: str
    marker: str = ""
    sdist: RemoteFile | None = None
    wheels: tuple[RemoteFile, ...] = ()
    archive: RemoteFile | None = None

    @property
    def key(self) -> str:
        """Return `name==version`."""
        return f"{self.name}=={self.version}"


class Resolver(Protocol):
    """An engine."""

    def resolve(self, request: Request) -> tuple[Pin, ...]:
        """Return the pins of all that the requirements need on the targets, by name; raises `UserError`."""
        ...
