"""Requirements that no release satisfies: the one cause of a conflict that needs no engine's words to be told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from packaging.requirements import Requirement
from packaging.version import Version

from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.engines import uv_errors
from toolkit.engines.catalogue import Catalogue
from toolkit.engines.engine import ConflictError, Request
from toolkit.model import markers, requirement_texts
from toolkit.model.names import NAME, normalize
from toolkit.model.pins import Pin

#: Withdrawn releases that an error lists.
_TOLD = 3
#: As uv and pip say it: `other==1.0 depends on thing>=7`, `other 1.0 depends on thing>=7`.
_DEPENDS = re.compile(
    rf"({NAME.pattern})(?:==\S+| \d\S*)? depends? on ({NAME.pattern}(?:\[[^\]]*\])?(?:[<>=!~]=?[^\s,]+,?)+)"
)


def explain(failure: UserError, catalogue: Catalogue) -> UserError:
    """Return an engine's error, or where no release at all satisfies a requirement, that it is that one alone."""
    request = catalogue.request
    texts = [text for text in (*request.requirements, *request.constraints) if _counts(text, request)]
    if alone := list(dict.fromkeys(_without_release(texts, catalogue))):
        what, hint = uv_errors.no_version(alone[0], request)
        others = [uv_errors.no_version(text, request)[0] for text in alone[1:]]
        error = ConflictError("; ".join((what, *others, *_builds_limited(alone, request))), hint, failure.details)
        error.names = frozenset(map(_name, alone))
        return error
    pinned = {_name(text) for text in texts if "==" in text}
    for text in dict.fromkeys(texts):
        # Another line that names a withdrawn release takes it.
        if ("==" in text or _name(text) not in pinned) and (found := _withdrawn(text, catalogue)):
            origin = f"{request.origins[text]}: " if text in request.origins else ""
            return _only_withdrawn(f"{origin}`{text}` is satisfied", found, failure)
    for who, text in _DEPENDS.findall(" ".join(failure.details.split())):
        # Only what is asked for itself: an engine may say it of releases that it has passed over.
        if not any(_name(asked) == normalize(who) for asked in texts):
            continue
        if found := _withdrawn(text.rstrip(","), catalogue):
            what = f"{uv_errors.prefix(who, request)}`{text.rstrip(',')}`, which {who} requires, is satisfied"
            return _only_withdrawn(what, found, failure)
        if list(_without_release([text], catalogue)):
            what = f"{uv_errors.prefix(who, request)}no version satisfies `{text.rstrip(',')}`, which {who} requires"
            hint = f"use another version of {who}, or an index that has such a release of {Requirement(text).name}"
            return type(failure)(what, hint, failure.details)
    return failure


def _builds_limited(texts: Iterable[str], request: Request) -> Iterator[str]:
    """Yield what some constraints limit, where that is a build: nobody would look for the name there."""
    names = {_name(text) for text in texts if text in request.constraints}
    asking = [text for text in request.requirements if _name(text) in names and text not in texts]
    if asking and all(request.origins.get(text, "").startswith("building ") for text in asking):
        yield f"{uv_errors.with_origins(asking, request)} asks for one"


def _counts(text: str, request: Request) -> bool:
    marker = Requirement(text).marker
    return markers.possible(str(marker or ""), request.targets.pythons, request.platforms)


def _without_release(texts: Iterable[str], catalogue: Catalogue) -> Iterator[str]:
    """Yield the requirements of which the engine was shown releases, and none that satisfies them."""
    for text in texts:
        requirement = requirement_texts.parse(text.rstrip(","))
        versions = catalogue.shown(normalize(requirement.name)) if requirement else ()
        if (
            requirement
            and versions
            and not any(requirement.specifier.contains(Version(version), prereleases=True) for version in versions)
        ):
            yield text


def _withdrawn(text: str, catalogue: Catalogue) -> list[Pin]:
    """Return all releases that satisfy a requirement, the newest first, where each is yanked; else none.

    https://packaging.python.org/en/latest/specifications/file-yanking/
    """
    requirement = requirement_texts.parse(text)
    name = normalize(requirement.name) if requirement else ""
    if not requirement or not catalogue.shown(name):
        return []
    offers = [item for item in catalogue.offers(name) if requirement.specifier.contains(item.version)]
    if not all(item.yanked for item in offers):
        return []
    newest_first = sorted(offers, key=lambda item: Version(item.version), reverse=True)
    return [catalogue.releases(name)[item.version] for item in newest_first]


def _only_withdrawn(what: str, found: Sequence[Pin], failure: UserError) -> ConflictError:
    reasons = [next((file.yanked_reason for file in (pin.sdist, *pin.wheels) if file), "") for pin in found[:_TOLD]]
    told = [f"{pin.version} ({quoted(why)})" if why else pin.version for pin, why in zip(found, reasons, strict=False)]
    told += [f"{len(found) - _TOLD} more"] if len(found) > _TOLD else []
    # Engines take a withdrawn release only where a line of the request itself names it.
    hint = f"allow another version; or, if it has to be a withdrawn one, add a line that names it: {found[0].key}"
    what = f"{what} only by releases that their authors have withdrawn (yanked): {', '.join(told)}"
    error = ConflictError(what, hint, failure.details)
    error.names, error.withdrawn = frozenset({found[0].name}), found[0].key
    return error


def _name(text: str) -> str:
    return normalize(Requirement(text).name)
