"""uv's errors as two lines: one names the requirement, one says what to do. pip-compile's have the same words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from toolkit.core.errors import UserError
from toolkit.engines.engine import AbsentError, ConflictError, Request
from toolkit.model import requirement_texts
from toolkit.model.names import normalize
from toolkit.network.index_settings import Indexes

_NAME = r"([A-Za-z0-9][\w.-]*?)"
_ABSENT = re.compile(rf"{_NAME} was not found in (?:the package registry|the provided package locations|the cache)")
_NO_VERSION = re.compile(
    rf"(?:there (?:is|are) no versions? of|only(?! the following)) {_NAME}(?:\[[^\]]*\])?((?:[<>=!~]=?\S*)?)"
    r"(?=[\s,]|$)(?: (?:is|are) available| and| have|,|\s|$)"
)
_PYTHON = re.compile(rf"{_NAME}((?:==|>=|<=|<|>|!=|~=)\S+) depends on Python(\S+?)(?=[,\s]|$)")
_UNREADABLE = re.compile(rf"Metadata for `{_NAME}` \(v([^)\s]+)\) could not be parsed")
_REQUIRED = re.compile(rf"you require {_NAME}(?=\[|[<>=!~@;,.\s]|$)")


def explain(output: str, request: Request, indexes: Indexes) -> UserError:
    """Return the error to raise for uv's output; its own explanation, which shows all chains, becomes the details."""
    details = output.replace("error: ", "uv: ", 1)
    text = " ".join(details.split())
    if absent := _ABSENT.search(text):
        # What is absent is so for fewer requirements too.
        return absent_error(absent[1], request, indexes, details)
    error = ConflictError if "No solution found" in text else UserError
    if found := _unsatisfied(text, request):
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
    """Return the error's two lines for a distribution that no index has."""
    return (
        f"{prefix(name, request)}no distribution `{name}` in {indexes.shown()}",
        "correct the name, or name the index that has it: INDEX_URL=, EXTRA_INDEX_URL= or pip's configuration",
    )


def absent_error(name: str, request: Request, indexes: Indexes, details: str) -> AbsentError:
    """Return the error to raise for a distribution that no index has."""
    # uv may say that it has no fitting version; but only it knows who asks for what no line of the project does.
    error = AbsentError(*unknown(name, request, indexes), "" if prefix(name, request) else details)
    error.names = frozenset({normalize(name)})
    return error


def no_version(text: str, request: Request) -> tuple[str, str]:
    """Return the error's two lines for a requirement (`name==9`) that no version satisfies."""
    if _name(text) in request.provided:
        return (
            f"{prefix(text, request)}`{text}` is required, but {_name(text)} is a package of this project",
            "give the package that version, or use another version of what requires it; no index is asked for it",
        )
    if archive := next(iter(request.archives.get(_name(text), {}).values()), None):
        return (
            f"{prefix(text, request)}`{text}` is required, but {archive.key.replace('==', ' ')} is what comes by URL",
            "give the URL of an archive of such a version, or use another version of what requires it",
        )
    origin = f"{request.origins[text]}: " if text in request.origins else prefix(text, request)
    newer = f" (releases after {request.exclude_newer} are left out)" if request.exclude_newer else ""
    return (
        f"{origin}no version satisfies `{text}`{newer}",
        f"ask for a version that exists: the page of {_name(text)} in the index lists them",
    )


def wrong_python(requirement: str, needed: str, request: Request) -> tuple[str, str]:
    """Return the error's two lines for a version that is for other interpreters (`needed` as in `>=3.12`)."""
    pythons = ", ".join(request.targets.pythons)
    return (
        f"{prefix(requirement, request)}{requirement} needs Python {needed}, but the target is {pythons}",
        "allow another version of it, or change .python-version",
    )


def _unsatisfied(text: str, request: Request) -> tuple[str, str] | None:
    """Return which requirement has no version at all, or none for these interpreters."""
    found = _PYTHON.search(text)
    if found and "requested Python version" in text:
        return wrong_python(found[1] + found[2], found[3], request)
    found = _NO_VERSION.search(text)
    if not found:
        return None
    if (unreadable := _UNREADABLE.search(text)) and unreadable[1] == found[1]:
        what = f"{prefix(found[1], request)}{found[1]} {unreadable[2]} requires what is no requirement"
        return what, "use another version of it, or leave it out"
    texts = (*request.origins, *request.requirements, *request.constraints)
    asked = next((key for key in texts if _name(key) == normalize(found[1])), found[1] + found[2])
    return no_version(asked, request)


def prefix(text: str, request: Request) -> str:
    """Return the `file:line` of those requirements that name the distribution of this one, as errors begin with it."""
    name = _name(text)
    found = dict.fromkeys(origin for key, origin in request.origins.items() if _name(key) == name)
    return f"{', '.join(found)}: " if found else ""


def _name(text: str) -> str:
    found = requirement_texts.parse(text)
    return normalize(found.name if found else re.split(r"[^\w.-]", text, maxsplit=1)[0])
