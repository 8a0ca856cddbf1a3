"""Versions of crates, and the requirements of versions that cargo reads.

https://semver.org and https://docs.rs/semver: where the first leaves something open, the second decides.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from toolkit.core.foreign_text import quoted

#: Numbers, and identifiers, of which those of digits alone are compared as numbers.
_Identifiers = tuple[tuple[int, int, str], ...]
Key = tuple[int, int, int, bool, _Identifiers, _Identifiers]

#: More than anybody writes.
_LONGEST, _MOST = 256, 32
_LARGEST = (1 << 64) - 1
_NUMBER = r"(?:0|[1-9][0-9]{0,19})"
_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_PRE = rf"(?:-(?P<pre>{_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
_BUILD = r"(?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
_VERSION = re.compile(rf"(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER}){_PRE}{_BUILD}")
_COMPARATOR = re.compile(
    rf"(?P<operator>>=|<=|[=<>~^])? *(?P<major>{_NUMBER})"
    rf"(?:\.(?P<minor>{_NUMBER}|[*xX])(?:\.(?P<patch>{_NUMBER}|[*xX]){_PRE}{_BUILD})?)? *"
)
_ANY = frozenset({"*", "x", "X"})


class _Comparator(NamedTuple):
    operator: str
    #: One to three of them.
    numbers: tuple[int, ...]
    pre: _Identifiers

    def holds(self, version: Key) -> bool:
        """Tell whether a version is in the range, whatever is said of pre-releases."""
        numbers, pre = version[:3], version[4]
        mine = numbers[: len(self.numbers)]
        # A pre-release comes before its release, which has no identifiers.
        order = (mine > self.numbers) - (mine < self.numbers)
        if not order and len(self.numbers) == 3:
            here, there = (not pre, pre), (not self.pre, self.pre)
            order = (here > there) - (here < there)
        match self.operator:
            case "=":
                return not order and pre == self.pre
            case ">":
                return order > 0
            case ">=":
                return order >= 0
            case "<":
                return order < 0
            case "<=":
                return order <= 0
            case "~":
                return order >= 0 and mine[:2] == self.numbers[:2]
            case _:
                return order >= 0 and mine[: self._fixed()] == self.numbers[: self._fixed()]

    def _fixed(self) -> int:
        """Return how many numbers a caret holds fast: all up to the first that is not 0."""
        zeros = next((place for place, number in enumerate(self.numbers) if number), len(self.numbers) - 1)
        return zeros + 1


def key(version: str) -> Key:
    """Return what versions are ordered by. Raises `ValueError` for a text that is no version."""
    return _key(version)


def matches(requirement: str, version: str) -> bool:
    """Tell whether a version is one that a requirement asks for (`1.2` as `^1.2`, `>=1, <3`, `~1.4`, `=1.0.3`, `*`).

    A pre-release counts only where the requirement names one of the same three numbers. Raises `ValueError` for a
    text that is no requirement, or no version.
    """
    found, comparators = _key(version), _comparators(requirement)
    if not all(comparator.holds(found) for comparator in comparators):
        return False
    return not found[4] or any(item.pre and item.numbers == found[:3] for item in comparators)


def check(requirement: str) -> None:
    """Raise `ValueError` for a text that is no requirement."""
    _comparators(requirement)


def compatible(version: str) -> tuple[int, ...]:
    """Return the numbers that all versions compatible with this one share. Raises `ValueError` as `key` does."""
    numbers = _key(version)[:3]
    return _Comparator("^", numbers, ()).numbers[: _Comparator("^", numbers, ())._fixed()]


def toolchain(version: str) -> tuple[int, int, int]:
    """Return the three numbers of a `rust-version` (`1.70`, `1.70.1`). Raises `ValueError` for another text."""
    found = re.fullmatch(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.([0-9]{1,9})(?:-[0-9A-Za-z.-]{1,64})?)?", version)
    if not found:
        raise ValueError(f"no version of Rust: {quoted(version)}")
    major, minor, patch = (int(part or 0) for part in found.groups())
    return major, minor, patch


@lru_cache(maxsize=1 << 16)
def _key(version: str) -> Key:
    found = _VERSION.fullmatch(version) if len(version) <= _LONGEST else None
    if not found:
        raise ValueError(f"no version: {quoted(version)}")
    major, minor, patch = (_number(found[part]) for part in ("major", "minor", "patch"))
    pre = _identifiers(found["pre"])
    return major, minor, patch, not pre, pre, _identifiers(found["build"])


@lru_cache(maxsize=1 << 14)
def _comparators(requirement: str) -> tuple[_Comparator, ...]:
    text = requirement.strip(" ")
    if text in _ANY:
        return ()
    parts = text.split(",") if len(text) <= _LONGEST * 4 else []
    if not 0 < len(parts) <= _MOST:
        raise ValueError(f"no requirement of a version: {quoted(requirement)}")
    return tuple(_comparator(part.lstrip(" "), requirement) for part in parts)


def _comparator(text: str, requirement: str) -> _Comparator:
    found = _COMPARATOR.fullmatch(text)
    if not found or (found["minor"] in _ANY and found["patch"] not in (None, *_ANY)):
        raise ValueError(f"no requirement of a version: {quoted(requirement)}")
    given = [found[part] for part in ("major", "minor", "patch") if found[part] is not None]
    numbers = tuple(_number(part) for part in given if part not in _ANY)
    # `1.*` is all that begins with these numbers, as `=1`.
    operator = found["operator"] or ("=" if len(numbers) < len(given) else "^")
    return _Comparator(operator, numbers, _identifiers(found["pre"]))


def _number(text: str) -> int:
    number = int(text)
    if number > _LARGEST:
        raise ValueError(f"a number of more than 64 bits: {quoted(text)}")
    return number


def _identifiers(text: str | None) -> _Identifiers:
    return tuple((0, int(part), part) if part.isdigit() else (1, 0, part) for part in text.split(".")) if text else ()
