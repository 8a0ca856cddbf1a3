"""One run of a verb: its options, and what it works on, read when it is first asked for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from inspect import signature
from typing import TYPE_CHECKING, TypeVar

from toolkit.project.settings import Settings

if TYPE_CHECKING:
    from toolkit.build.building_options import BuildOptions
    from toolkit.project.discovery import Project

Options = TypeVar("Options")


@dataclass(frozen=True, kw_only=True)
class Run:
    """The parsed command line of a verb, and the settings common to all verbs."""

    arguments: argparse.Namespace
    settings: Settings

    @cached_property
    def project(self) -> Project:
        """Return the project, discovered."""
        from toolkit.project import discovery

        return discovery.discover(self.settings)

    @cached_property
    def checked(self) -> Project:
        """Return the project, whose vendor/ is as its locks say. Raises `UserError` where it is not."""
        self.check_vendor()
        return self.project

    def check_vendor(self) -> None:
        """Raise `UserError` with everything in vendor/ that is not as its locks say."""
        from toolkit.vendored import check

        check.require(self.project, self.settings)

    def check_services(self) -> None:
        """Raise `UserError` where a service's vendor/ is not as locked; libraries alone need none."""
        if self.project.services:
            self.check_vendor()

    def options(self, kind: Callable[..., Options], **others: object) -> Options:
        """Return the options of a verb as a dataclass: each field is the argument of its name, else its default.

        `others` are fields whose values are not simply those of an argument.
        """
        given = vars(self.arguments)
        return kind(**{name: given[name] for name in signature(kind).parameters if name in given} | others)

    @cached_property
    def build_options(self) -> BuildOptions:
        """Return the options of a build."""
        from toolkit.build import building_options

        return building_options.options_from(self.arguments, self.settings)
