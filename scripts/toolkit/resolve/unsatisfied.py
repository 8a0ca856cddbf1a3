"""Requirements that no release satisfies: the one cause of a conflict that needs no engine's words to be told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from packaging.requirements import Requirement
from packaging.version import Version

from toolkit.core.errors import UserError
from toolkit.model import markers, requirement_texts
from toolkit.model.names import NAME, normalize
from toolkit.resolve import uv_errors
from toolkit.resolve.catalogue import Catalogue
from toolkit.resolve.engine import ConflictError, Request

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
    for who, text in _DEPENDS.findall(" ".join(failure.details.split())):
        # Only what is asked for itself: an engine may say it of releases that it has passed over.
        if any(_name(asked) == normalize(who) for asked in texts) and list(_without_release([text], catalogue)):
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


def _name(text: str) -> str:
    return normalize(Requirement(text).name)
