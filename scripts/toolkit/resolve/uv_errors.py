"""uv's errors as two lines: one names the requirement, one says what to do. pip-compile's have the same words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus

from packaging.requirements import InvalidRequirement, Requirement

from toolkit.core.errors import UserError
from toolkit.model.names import normalize
from toolkit.network.index_pages import Index
from toolkit.network.index_settings import Indexes
from toolkit.network.retry import HINTS, NETWORK_HINT
from toolkit.resolve.engine import ConflictError, Request

_NAME = r"([A-Za-z0-9][\w.-]*?)"
_ABSENT = re.compile(rf"{_NAME} was not found in (?:the package registry|the provided package locations|the cache)")
_NO_VERSION = re.compile(
    rf"(?:there (?:is|are) no versions? of|only) {_NAME}(?:\[[^\]]*\])?((?:[<>=!~]=?\S*)?)"
    r"(?=[\s,]|$)(?: (?:is|are) available| and| have|,|\s|$)"
)
_REFUSED = re.compile(r"(?:An index URL|An index) \((\S+?)\).*?(40[13])")
_FETCH = re.compile(r"(?:[Ff]ailed to fetch: |for url \(|unexpected (?:JSON|HTML) from )`?([^\s`)]+)")
_BUILD = re.compile(r"Failed to (?:build|prepare|generate package metadata for|download and build) (?:`([^`]+)`)?")
_PYTHON = re.compile(rf"{_NAME}((?:==|>=|<=|<|>|!=|~=)\S+) depends on Python(\S+?)(?=[,\s]|$)")
_REQUIRED = re.compile(rf"you require {_NAME}(?=\[|[<>=!~@;,.\s]|$)")
_CAUSES = {
    "Connection refused": "refuses the connection",
    "timed out": "does not answer in time",
    "dns error": "has a host name that cannot be resolved",
    "certificate": "has a certificate that is not trusted",
    "HTTP status": "answers with an error",
    "unexpected JSON": "answers with something that is not an index",
    "unexpected HTML": "answers with something that is not an index",
}


def may_be_stale(output: str) -> bool:
    """Tell whether a newer answer of the index could change the result."""
    return bool(_ABSENT.search(output) or _NO_VERSION.search(output)) and not _REFUSED.search(output)


def explain(output: str, request: Request, indexes: Indexes) -> UserError:
    """Return the error to raise for uv's output; its own explanation, which shows all chains, becomes the details."""
    details = indexes.hide(output).replace("error: ", "uv: ", 1)
    text = " ".join(details.split())
    if found := _unavailable(text, request, indexes):
        # What is absent, or out of reach, is so for fewer requirements too.
        return UserError(*found, details)
    error = ConflictError if "No solution found" in text else UserError
    if found := _unsatisfied(text, request, indexes):
        return error(*found, details)
    names = {normalize(name) for name in _REQUIRED.findall(text)}
    asked = request.origins or dict.fromkeys((*request.requirements, *request.constraints))
    involved = with_origins((key for key in asked if _name(key) in names), request) or "the requirements"
    if error is ConflictError:
        return error(*conflict(involved), details)
    reason = next((line.strip() for line in details.splitlines() if line.strip()), "uv failed")
    return UserError(
        f"{involved}: {reason.removeprefix('uv: ')}", "see uv's message above; `V=2` shows the command", details
    )


def with_origins(requirements: Iterable[str], request: Request) -> str:
    """Return requirements as errors list them, each with its `file:line`."""
    origins = request.origins
    return ", ".join(f"{origins[text]}: {text}" if text in origins else text for text in requirements)


def conflict(involved: str) -> tuple[str, str]:
    """Return the error's two lines for requirements that no choice of versions satisfies."""
    return f"{involved} cannot be satisfied together", "change one of the requirements named above"


def unknown(name: str, request: Request, indexes: Indexes) -> tuple[str, str]:
    """Return the error's two lines for a distribution that the engine did not find.

    Engines take an index that refuses for one that has nothing; a request of our own shows what is wrong with it.
    """
    return _trouble(name, indexes) or (
        f"{_prefix(name, request)}no distribution `{name}` in {indexes.shown()}",
        "correct the name, or name the index that has it: INDEX_URL=, EXTRA_INDEX_URL= or pip's configuration",
    )


def _trouble(name: str, indexes: Indexes) -> tuple[str, str] | None:
    try:
        Index(indexes).files(name)
    except UserError as error:
        return error.what, error.hint
    return None


def no_version(text: str, request: Request) -> tuple[str, str]:
    """Return the error's two lines for a requirement (`name==9`) that no version satisfies."""
    newer = f" (releases after {request.exclude_newer} are left out)" if request.exclude_newer else ""
    return (
        f"{_prefix(text, request)}no version satisfies `{text}`{newer}",
        f"ask for a version that exists; `pip index versions {_name(text)}` lists them",
    )


def wrong_python(requirement: str, needed: str, request: Request) -> tuple[str, str]:
    """Return the error's two lines for a version that is for other interpreters (`needed` as in `>=3.12`)."""
    pythons = ", ".join(request.targets.pythons)
    return (
        f"{_prefix(requirement, request)}{requirement} needs Python {needed}, but the target is {pythons}",
        "allow another version of it, or change .python-version",
    )


def build_failure(subject: str, request: Request) -> tuple[str, str]:
    """Return the error's two lines for an sdist (`name==version`, or empty) whose build for its metadata failed."""
    name = _name(subject)
    hint = "mend what the message above names" + (
        f", or add the line `{name}` to vendor.txt to take its wheels" if name else ""
    )
    what = (
        f"{_prefix(subject, request)}{subject or 'an archive'} names its requirements only when built, and that failed"
    )
    return what, hint


def _unavailable(text: str, request: Request, indexes: Indexes) -> tuple[str, str] | None:
    """Return what is wrong with an index or a file, or the name of which there is no distribution."""
    if found := _REFUSED.search(text):
        status = HTTPStatus(int(found[2]))
        return f"the index {found[1]} refuses: {status.value} {status.phrase}", HINTS[status]
    if archive := _archive(text, request):
        return archive
    if found := _BUILD.search(text):
        return build_failure(found[1] or "", request)
    if found := _FETCH.search(text):
        answer = re.search(r"\((\d{3} [^)]*)\)", text)
        reason = next((meaning for sign, meaning in _CAUSES.items() if sign in text), "cannot be read")
        return f"the index at {found[1]} {reason}" + (f": {answer[1]}" if answer else ""), NETWORK_HINT
    found = _ABSENT.search(text)
    return unknown(found[1], request, indexes) if found else None


def _archive(text: str, request: Request) -> tuple[str, str] | None:
    """Return what is wrong with an archive that is required by its URL."""
    odd = re.search(r"`(\S+)` has a non-PEP 625-compliant filename", text)
    missing = re.search(r"Distribution not found at: (\S+)", text)
    if found := odd or missing:
        named = next((key for key in request.origins if found[1] in key), found[1])
        if missing and not odd:
            return f"{_prefix(named, request)}there is no file at {found[1]}", "correct the URL"
        return (
            f"{_prefix(named, request)}{named}: uv takes archives by URL that end in .tar.gz or .zip",
            "write the name alone, and the URL into vendor.txt beside it; or use RESOLVER=pip-tools",
        )
    damaged = _BUILD.search(text) if "Failed to extract archive" in text else None
    if damaged:
        subject = damaged[1] or "an archive"
        return f"{_prefix(subject, request)}{subject} is not a sound archive", "get a sound copy of the file"
    return None


def _unsatisfied(text: str, request: Request, indexes: Indexes) -> tuple[str, str] | None:
    """Return which requirement has no version at all, or none for these interpreters."""
    found = _PYTHON.search(text)
    if found and "requested Python version" in text:
        return wrong_python(found[1] + found[2], found[3], request)
    found = _NO_VERSION.search(text)
    if not found:
        return None
    trouble = _trouble(found[1], indexes) if "there are no versions of" in text else None
    texts = (*request.origins, *request.requirements, *request.constraints)
    asked = next((key for key in texts if _name(key) == normalize(found[1])), found[1] + found[2])
    return trouble or no_version(asked, request)


def _prefix(text: str, request: Request) -> str:
    """Return the `file:line` of those requirements that name the distribution of this one, as errors begin with it."""
    name = _name(text)
    found = dict.fromkeys(origin for key, origin in request.origins.items() if _name(key) == name)
    return f"{', '.join(found)}: " if found else ""


def _name(text: str) -> str:
    try:
        return normalize(Requirement(text).name)
    except InvalidRequirement:
        return normalize(re.split(r"[^\w.-]", text, maxsplit=1)[0])
