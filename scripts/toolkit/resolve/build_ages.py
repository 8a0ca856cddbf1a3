"""The age of what is built: an sdist from before a release that removed what it uses is built by the release before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from packaging.requirements import Requirement

from toolkit.model.names import normalize
from toolkit.sources.removals import REMOVALS, Removal


def bounds(
    requirements: Iterable[str], uploaded: str, words: Collection[str], pythons: Iterable[str]
) -> Mapping[str, str]:
    """Return the bounds that what builds an sdist gets by its age, `setuptools<58`, each with the reason.

    `uploaded` is ISO 8601, or anything else where nothing tells; `words` are those in its setup.py (see `Removal`),
    `pythons` those that it is built for. What has an upper bound of its own gets none.
    """
    try:
        moment = datetime.fromisoformat(uploaded)
    except ValueError:
        return {}
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    newest = max(tuple(map(int, python.split("."))) for python in pythons)
    parsed = [Requirement(text) for text in requirements]
    limited = {normalize(item.name) for item in parsed if _is_limited(item)}
    names = {normalize(item.name) for item in parsed} - limited
    found: dict[str, tuple[str, str]] = {}
    for removal in REMOVALS:
        if removal.name in names and _counts(removal, words) and moment < _date(removal) and newest <= removal.python:
            reason = f"of {moment.date()}, before {removal.name} {removal.release} removed {removal.what}"
            found.setdefault(removal.name, (f"{removal.name}<{removal.release}", reason))
    return dict(found.values())


def _is_limited(requirement: Requirement) -> bool:
    return any(each.operator not in (">=", ">", "!=") for each in requirement.specifier)


def _counts(removal: Removal, words: Collection[str]) -> bool:
    return not removal.words or not removal.words.isdisjoint(words)


def _date(removal: Removal) -> datetime:
    return datetime.fromisoformat(removal.date).replace(tzinfo=UTC)
