"""Requirements (PEP 508) as strangers write them: read by type, before anything is asked for by them.

https://packaging.python.org/en/latest/specifications/dependency-specifiers/
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.model.names import normalize

if TYPE_CHECKING:
    from packaging.requirements import Requirement

#: More than anybody writes: packaging takes time that grows faster than the text.
_LONGEST, _MOST = 4096, 5000
_EXTRA = re.compile(r"""extra\s*==\s*["']([A-Za-z0-9._-]+)["']""")


def checked(value: object, shown: str, hint: str) -> tuple[str, ...]:
    """Return the requirements that a list of texts is; `shown` says where it stands, `hint` what to do about it.

    Raises `UserError` for anything else, and for a requirement that names a URL: what builds a distribution comes from
    an index alone.
    """
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise UserError(f"{shown}: not a list of texts: {quoted(repr(value))}", hint)
    if len(value) > _MOST:
        raise UserError(f"{shown}: more than {_MOST} requirements", hint)
    for text in value:
        _check(text, shown, hint)
    return tuple(value)


def parse(text: str) -> Requirement | None:
    """Return a requirement, by a URL or not; None for a text that is none: old metadata may hold anything."""
    from packaging.requirements import InvalidRequirement, Requirement

    if len(text) > _LONGEST or not text.replace("\t", " ").isprintable():
        return None
    try:
        return Requirement(text)
    except (InvalidRequirement, RecursionError):
        return None


def required(text: str, who: str) -> Requirement:
    """Return a requirement that somebody has. Raises `UserError` for a text that is none."""
    found = parse(text)
    if not found:
        raise UserError(
            f"{who} requires {quoted(text)}, which is no requirement", "use another version of it, or leave it out"
        )
    return found


def extras(texts: Iterable[str]) -> set[str]:
    """Return the extras that the markers of requirements name, as they are written."""
    return {extra for text in texts for extra in _EXTRA.findall(text)}


def normal(requirement: Requirement) -> str:
    """Return a requirement in one spelling, so that equal ones are seen to be equal."""
    requirement.name = normalize(requirement.name)
    return str(requirement)


def _check(text: str, shown: str, hint: str) -> None:
    found = parse(text)
    if not found:
        raise UserError(f"{shown}: {quoted(text)} is no requirement", hint)
    if found.url:
        what = f"{shown}: {quoted(text)} is fetched from a URL"
        raise UserError(what, f"{hint}; what builds it has to come from an index")
