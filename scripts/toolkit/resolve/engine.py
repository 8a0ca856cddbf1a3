"""Requirements become pins: one seam, two engines behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from toolkit.core.errors import UserError
from toolkit.model.pins import Pin, Pinned
from toolkit.model.targets import Targets


class ConflictError(UserError):
    """No choice of versions satisfies all requirements of a request; fewer of them may be satisfiable."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to resolve.

    `requirements` and `constraints` are PEP 508 texts, `origins` says where each of them stands (`file:line`).
    `preferences` are kept while they satisfy; with `refresh`, an engine's cache is not used. `provided` has, by name,
    the versions of what is never looked up, such as the project's own distributions; empty where not known. `platforms`
    are values of `sys.platform`; `exclude_newer` is empty or an ISO 8601 date or time.
    """

    requirements: tuple[str, ...]
    targets: Targets
    platforms: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    preferences: tuple[Pinned, ...] = ()
    refresh: bool = False
    provided: Mapping[str, str] = field(default_factory=dict)
    exclude_newer: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)


class Resolver(Protocol):
    """An engine."""

    def resolve(self, request: Request) -> tuple[Pin, ...]:
        """Return the pins of all that the requirements need on the targets, by name; raises `UserError`."""
        ...
