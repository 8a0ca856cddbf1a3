"""`build-requirements.txt`: what builds a distribution beside what its own files name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from toolkit.core.errors import AT_ONCE, Gathering, UserError
from toolkit.model import requirement_texts
from toolkit.model.names import normalize
from toolkit.project import lines

FILE = "build-requirements.txt"
_USAGE = (
    "write `name: requirement`, one a line: `flatdict: setuptools<82`, or `flatdict==4.0.1: cython` for one version"
)


@dataclass(frozen=True, kw_only=True)
class AddedRequirement:
    """One line: `requirement` (PEP 508, in its normal form) builds the versions of `name` in `specifier`, or all.

    `name` is in its normal form; `origin` is `file:line`.
    """

    name: str
    specifier: str
    requirement: str
    origin: str

    def is_for(self, key: str) -> bool:
        """Tell whether a `name==version` is built with it."""
        name, equals, version = key.partition("==")
        specifier = SpecifierSet(self.specifier)
        return name == self.name and bool(equals) and specifier.contains(version, prereleases=True)


def read(path: Path, project_root: Path, errors: Gathering = AT_ONCE) -> tuple[AddedRequirement, ...]:
    """Return the lines of a build-requirements.txt, none when it is missing. Raises `UserError` with `file:line`.

    `errors` gathers lines that are refused.
    """
    return tuple(lines.entries(path, project_root, _added, errors))


def line_in(circle: Sequence[str], added: Iterable[AddedRequirement]) -> str:
    """Return where the first line stands by which one `name==version` of a circle needs the next; nothing without."""
    steps = {(first, second.partition("==")[0]) for first, second in pairwise(circle)}
    found = ((line, normalize(Requirement(line.requirement).name)) for line in added)
    return next((line.origin for line, name in found if any(line.is_for(key) and name == to for key, to in steps)), "")


def _added(text: str, origin: str) -> AddedRequirement:
    built, colon, builder = text.partition(":")
    if not colon:
        raise UserError(f"{origin}: no `name: requirement`: `{text}`", _USAGE)
    what, requirement = _requirement(built, text, origin), _requirement(builder, text, origin)
    if what.extras or what.marker:
        raise UserError(f"{origin}: only a name (and its versions) can stand before the colon: `{text}`", _USAGE)
    return AddedRequirement(
        name=normalize(what.name),
        specifier=str(what.specifier),
        requirement=requirement_texts.normal(requirement),
        origin=origin,
    )


def _requirement(part: str, text: str, origin: str) -> Requirement:
    try:
        found = Requirement(part.strip())
    except (InvalidRequirement, RecursionError):
        raise UserError(f"{origin}: `{part.strip()}` is no requirement: `{text}`", _USAGE) from None
    if found.url:
        raise UserError(f"{origin}: a URL, where what builds comes from an index: `{text}`", _USAGE)
    return found
