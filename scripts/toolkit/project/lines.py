"""Text files made of lines, as pip reads them: comments, continuations, a byte order mark, values of variables."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from toolkit.core.errors import AT_ONCE, Gathering, UserError, combined
from toolkit.core.foreign_text import quoted
from toolkit.core.secrets import without_secrets
from toolkit.project import drafts

Entry = TypeVar("Entry")

# As in pip (req_file.py): a `#` begins a comment at a line's start or after white space, so `url#sha256=` is whole.
_COMMENT = re.compile(r"(^|\s+)#.*$")
#: As in pip: capitals only.
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


def shown(path: Path, root: Path) -> str:
    """Return a path as messages and the lock spell it: relative to the project, with forward slashes."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


@contextmanager
def relative_errors(root: Path) -> Iterator[None]:
    """Let errors that begin with a path below `root` begin with what `shown` makes of it."""
    try:
        yield
    except UserError as error:
        raise combined(_relative(part, root) for part in error.parts) from None


def _relative(error: UserError, root: Path) -> UserError:
    what = error.what.removeprefix(f"{root}/")
    return error if what == error.what else UserError(what, error.hint, error.details)


def split_url(url: str, origin: str) -> SplitResult:
    """Return the parts of a URL. Raises `UserError` that begins with `origin` (`file:line`) for another text."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise UserError(
            f"{origin}: not a URL: {quoted(without_secrets(url, '***'))}",
            "write https://host/name-1.2.tar.gz; in a user name or a password write / # ? @ : and % as %2F %23 %3F %40 "
            "%3A and %25",
        ) from None
    return parts


def read(path: Path, root: Path) -> list[tuple[int, str]]:
    """Return the logical lines of a file: the number of the first physical line, and the text without comment.

    Raises `UserError` when the file is not UTF-8 (`root` shortens its name there), `OSError` when it cannot be read.
    """
    content = drafts.content(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_text(path, root, content, error.start) from None
    if "\0" in text:
        raise _not_text(path, root, content, content.index(b"\0"))
    return [(first + 1, line) for first, _, line in logical(text.splitlines())]


def entries(path: Path, root: Path, parse: Callable[[str, str], Entry], errors: Gathering = AT_ONCE) -> list[Entry]:
    """Return what `parse` makes of each logical line and its origin (`file:line`); none where the file is missing.

    Variables have been expanded. `errors` gathers the lines that it refuses. Raises as `read` does.
    """
    found = []
    for number, text in read(path, root) if path.is_file() else ():
        with errors.part():
            found.append(parse(expand(text), f"{shown(path, root)}:{number}"))
    return found


def logical(physical: list[str]) -> list[tuple[int, int, str]]:
    """Return the logical lines of physical ones: the first, the one after the last (from 0 on), text without comment.

    Those without any text are left out.
    """
    stripped = ((first, last, _COMMENT.sub("", line).strip()) for first, last, line in _joined(physical))
    return [(first, last, line) for first, last, line in stripped if line]


def _not_text(path: Path, root: Path, content: bytes, position: int) -> UserError:
    """Return the error to raise for a file that is in another encoding, which begins to show at a position."""
    # A text of ASCII has a zero in every other byte in UTF-16.
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content
    line = content[:position].count(b"\n") + 1
    return UserError(
        f"{shown(path, root)}:{line}: not UTF-8 text{', but UTF-16' if is_wide else ''}",
        "save the file as UTF-8 (in PowerShell: `... | Out-File -Encoding utf8`)" if is_wide else "save it as UTF-8",
    )


def variables(text: str) -> list[str]:
    """Return the names of the variables that a line has `${NAME}` for."""
    return _VARIABLE.findall(text)


def expand(text: str) -> str:
    """Put values for `${NAME}`, as pip does: only what the environment has, and not an empty one."""
    return _VARIABLE.sub(lambda found: os.environ.get(found[1]) or found[0], text)


def _joined(physical: list[str]) -> Iterator[tuple[int, int, str]]:
    """Join lines that end in a backslash; a comment ends what it continues, and is itself never continued."""
    parts: list[str] = []
    first = 0
    for number, line in enumerate(physical):
        first = first if parts else number
        comment = _COMMENT.match(line)
        if line.endswith("\\") and not comment:
            parts.append(line.strip("\\"))
            continue
        yield first, number + 1, "".join([*parts, f" {line}" if comment else line])
        parts = []
    if parts:
        yield first, len(physical), "".join(parts)
