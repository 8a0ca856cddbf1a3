"""Imports of linked packages that no path leads to, in an environment with a copy of this, whose last line calls `add`.

A distribution's modules stand in one directory when it is installed. Linked, a package of it may stand elsewhere, under
another name, and what is only in its wheel (extensions, generated modules) stands in site-packages. The standard
library alone: it is loaded whenever the environment's interpreter starts.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Mapped:
    """Finds packages by their directories, and modules by their files; what is above them may be nowhere."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places
        parents = {name.rsplit(".", end)[0] for name in places for end in range(1, name.count(".") + 1)}
        self._parents = parents - places.keys()

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """Return the specification of a module that is mapped."""
        place = self._places.get(name)
        if place is None:
            return None
        if place.endswith(".py"):
            return spec_from_file_location(name, place)
        return spec_from_file_location(name, os.path.join(place, "__init__.py"), submodule_search_locations=[place])

    def namespace(self, name: str) -> ModuleSpec | None:
        """Return the specification of a namespace in which something is mapped, and nothing else is."""
        if name not in self._parents:
            return None
        found = ModuleSpec(name, None, is_package=True)
        found.submodule_search_locations = []
        return found


class Merged:
    """Finds what the directory of a package has not in others that stand for the same package: those of one name."""

    def __init__(self, directories: Sequence[str], mapped: Mapped) -> None:
        self._directories = directories
        self._mapped = mapped

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """Return the specification of a module in one of the other directories."""
        *package, _ = name.split(".")
        places = [os.path.join(directory, *package) for directory in self._directories]
        return (PathFinder.find_spec(name, places) if package else None) or self._mapped.namespace(name)


def add(directories: Sequence[str], places: Mapping[str, str]) -> None:
    """Let imports find what is `mapped`, and merge packages of these directories and site-packages."""
    mapped = Mapped(places)
    # A directory of this name where the interpreter was started would be a namespace package.
    sys.meta_path.insert(0, mapped)
    sys.meta_path.append(Merged([os.path.dirname(os.path.abspath(__file__)), *directories], mapped))
