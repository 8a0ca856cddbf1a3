"""Requirements (PEP 508) as strangers write them: read by type, before anything is asked for by them.

https://packaging.python.org/en/latest/specifications/dependency-specifiers/
"""

from __future__ import annotations

from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted

#: More than anybody writes: packaging takes time that grows faster than the text.
_LONGEST, _MOST = 4096, 5000


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


def is_valid(text: str) -> bool:
    """Tell whether a text is a requirement, by a URL or not."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(text if len(text) <= _LONGEST else "")
    except (InvalidRequirement, RecursionError):
        return False
    return text.replace("\t", " ").isprintable()


def _check(text: str, shown: str, hint: str) -> None:
    from packaging.requirements import Requirement

    if not is_valid(text):
        raise UserError(f"{shown}: {quoted(text)} is no requirement", hint)
    if Requirement(text).url:
        what = f"{shown}: {quoted(text)} is fetched from a URL"
        raise UserError(what, f"{hint}; what builds it has to come from an index")
