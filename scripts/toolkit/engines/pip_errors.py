"""pip-compile's errors without its traceback, as the same two lines as any other error."""

from __future__ import annotations

import re
import textwrap

from toolkit.core.errors import UserError
from toolkit.engines.engine import AbsentError, ConflictError, Request
from toolkit.engines.uv_errors import absent_error, conflict, no_version, with_origins, wrong_python
from toolkit.network.index_settings import Indexes

_NO_MATCH = re.compile(r"Could not find a version that satisfies the requirement (\S+)(?: \(from ([^)]*)\))?")
_NEEDS_PYTHON = re.compile(r"(\S+) Requires-Python ([^;\n]+)")
_CONFLICT = re.compile(r"Cannot install (.+?) because these package versions have conflicting dependencies")
_LINE = re.compile(r"-r \S*requirements\.in \(line (\d+)\)")
_VERSIONS = re.compile(r"\(from versions: .*?((?:[^,()]+, ){0,4}[^,()]+)\)")
_EXPLANATION = re.compile(r"^ *The conflict is caused by:.*?(?=^ *To fix this|\Z)", re.DOTALL | re.MULTILINE)
_EXCEPTION = re.compile(r"^(?:[\w.]+\.)?(\w+(?:Error|Exception|Failed): .*)$", re.MULTILINE)


def explain(output: str, request: Request, indexes: Indexes) -> UserError:
    """Return the error to raise for pip-compile's output."""
    output = _LINE.sub(lambda found: request.requirements[int(found[1]) - 1], output)
    details = readable(output)
    if found := _CONFLICT.search(output):
        asked = (text for text in (*request.requirements, *request.constraints) if text in found[1])
        return ConflictError(*conflict(with_origins(asked, request) or found[1]), details)
    if found := _NO_MATCH.search(output):
        return _no_match(found, output, request, indexes, details)
    reasons = _EXCEPTION.findall(output)
    return UserError(
        f"pip-compile failed{f': {reasons[-1]}' if reasons else ''}",
        "see pip's message above; RESOLVER=uv may say more",
        details,
    )


def readable(output: str) -> str:
    """Return the errors and the explanation in pip's output, without tracebacks and lists of all versions."""
    before = output.partition("\nTraceback")[0]
    first = re.search(r"^.*\berror\b", before, re.IGNORECASE | re.MULTILINE)
    explanation = _EXPLANATION.search(output)
    parts = (before[first.start() :] if first else "", explanation[0] if explanation else "")
    text = "\n".join(part.rstrip() for part in parts if part.strip())
    return textwrap.dedent(_VERSIONS.sub(r"(the last ones:\1)", text))


def _no_match(
    found: re.Match[str], output: str, request: Request, indexes: Indexes, details: str
) -> AbsentError | ConflictError:
    text = found[1]
    name = re.split(r"[^\w.-]", text, maxsplit=1)[0]
    if found[2] == "versions: none" and not _NEEDS_PYTHON.search(output):
        return absent_error(name, request, indexes, details)
    version = text.partition("==")[2]
    needed = next((need for got, need in _NEEDS_PYTHON.findall(output) if got == version), "")
    told = wrong_python(text, needed.strip(), request) if needed else no_version(text, request)
    return ConflictError(*told, details)
