"""Requirements become pins: one seam, two engines behind it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from packaging.requirements import Requirement

from toolkit.core.errors import UserError, combined
from toolkit.engines.kept_builds import NOTHING_KEPT, KeptBuilds
from toolkit.model.names import normalize
from toolkit.model.pins import Pin, Pinned
from toolkit.model.targets import Targets
from toolkit.project.build_settings import NamedSettings
from toolkit.requirements.build_requirements import AddedRequirement


class UnmetError(UserError):
    """What is asked for, no index has.

    `names`, in their normal form, are those of which nothing satisfies: without them the rest may be satisfiable.
    """

    names: frozenset[str] = frozenset()


class ConflictError(UnmetError):
    """No choice of versions satisfies all requirements of a request; fewer of them may be satisfiable.

    `withdrawn` is the newest release (`name==version`) of what only withdrawn ones satisfy.
    """

    withdrawn: str = ""


class AbsentError(UnmetError):
    """No index has any release of a distribution."""


class RefusedError(UserError):
    """Releases that were chosen cannot be taken: `causes` says why, by `name==version`. Others may do without them."""

    def __init__(self, causes: Mapping[str, UserError]) -> None:
        found = combined(causes.values())
        super().__init__(found.what, found.hint, found.details)
        self.causes = causes

    @property
    def parts(self) -> Sequence[UserError]:
        """Return the errors that this one is made of."""
        return combined(self.causes.values()).parts

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the releases."""
        return frozenset(key.partition("==")[0] for key in self.causes)


class PassedOverError(UserError):
    """A release that an engine chose cannot be built; asked again, it chooses another one."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to resolve.

    `requirements` and `constraints` are PEP 508 texts, `origins` says where each of them stands (`file:line`).
    `build_constraints` limit every build, each with where it stands; `added` is what the project's people build some
    distributions with besides, and `settings` how. `preferences` are kept while they satisfy; `kept_builds` are those
    of each build. `provided` has, by name, the versions of what is never looked up, such as the project's own
    distributions, whose names are `local`; empty where not known. `given` are those of them that no engine chose, and
    that others may be built with. `archives` are the only releases of some names, by version: those of direct URLs.
    `platforms` are values of `sys.platform`; `exclude_newer` is empty or an ISO 8601 date or time.
    """

    requirements: tuple[str, ...]
    targets: Targets
    platforms: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    build_constraints: Mapping[str, str] = field(default_factory=dict)
    added: tuple[AddedRequirement, ...] = ()
    settings: tuple[NamedSettings, ...] = ()
    preferences: tuple[Pinned, ...] = ()
    kept_builds: KeptBuilds = NOTHING_KEPT
    provided: Mapping[str, str] = field(default_factory=dict)
    local: frozenset[str] = frozenset()
    given: tuple[Pin, ...] = ()
    archives: Mapping[str, Mapping[str, Pin]] = field(default_factory=dict)
    exclude_newer: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)

    def without(self, names: Collection[str]) -> Request:
        """Return the request without some names, whoever requires them."""
        return replace(
            self,
            requirements=tuple(text for text in self.requirements if normalize(Requirement(text).name) not in names),
            constraints=tuple(text for text in self.constraints if normalize(Requirement(text).name) not in names),
            provided={**dict.fromkeys(names, ""), **self.provided},
        )


#: What an engine sees of the environment: where programs are, and how they are run by eatmydata and faketime.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "NO_FAKE_STAT")


def engine_environment(directory: Path) -> dict[str, str]:
    """Return the environment of an engine that leaves all it writes in its own directory, and asks no proxy."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    names = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    places = dict.fromkeys(names, str(directory))
    return {**passed, **places, "NO_PROXY": "*"}


class Engine(Protocol):
    """A program that solves: it sees one index, which the toolkit makes for it, and builds nothing."""

    def choose(self, request: Request, index_url: str) -> tuple[Pinned, ...]:
        """Return the versions that satisfy a request; raises `UserError`.

        `request` names no URL. `index_url` is an index on the loopback interface, and a secret.
        """
        ...


class Resolver(Protocol):
    """Finds the versions that satisfy requests, and their files."""

    def resolve(self, request: Request) -> tuple[Pin, ...]:
        """Return the pins of all that the requirements need on the targets, by name; raises `UserError`."""
        ...
