"""What hooks of a build backend answer, read by type: a backend is a stranger's program, and may answer anything.

https://peps.python.org/pep-0517/#build-backend-interface
"""

from __future__ import annotations

from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.model import requirement_texts

_HINT = "its build backend is broken: choose another version of it, or of what builds it"
_LONGEST = 255


def requirements(answer: object, shown: str) -> tuple[str, ...]:
    """Return what `get_requires_for_build_wheel` of the tree called `shown` answered. Raises `UserError`.

    Only a list of requirements (PEP 508) counts, none of them by a URL. A text would be taken letter by letter.
    """
    return requirement_texts.checked(answer, f"{shown}: the answer of get_requires_for_build_wheel", _HINT)


def file_name(answer: object, shown: str, hook: str) -> str:
    """Return the name of the file or directory that `hook` says it made where it was told to. Raises `UserError`."""
    if (
        not isinstance(answer, str)
        or not answer.isprintable()
        or answer.startswith(".")
        or not 0 < len(answer.encode()) <= _LONGEST
        or set("/\\") & set(answer)
    ):
        raise UserError(f"{shown}: the answer of {hook} is no file name: {quoted(repr(answer))}", _HINT)
    return answer
