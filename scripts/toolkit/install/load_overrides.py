"""What need not load in a package, nor find what it opens: `debian/<package>.load-overrides`.

One pattern a line, each with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted


@dataclass(frozen=True, kw_only=True)
class Override:
    """A pattern of modules, of libraries from site-packages on, or of what is opened, and where it stands.

    `origin` is `file:line`.
    """

    pattern: str
    origin: str

    def matches(self, name: str) -> bool:
        """Tell whether it is for a module or a library of this name."""
        return fnmatchcase(name, self.pattern)


def read(path: Path, shown: str, why: str = "it need not load") -> tuple[Override, ...]:
    """Return the overrides of a file, none where there is none. Raises `UserError` for one without a reason.

    That is a comment that says `why`, behind the pattern or in the line above it; other patterns may stand between.
    """
    if not path.is_file():
        return ()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UserError(f"{shown}: not UTF-8 text", "save the file as UTF-8") from None
    return tuple(_overrides(lines, shown, why))


def _overrides(lines: Sequence[str], shown: str, why: str) -> list[Override]:
    found, is_explained = [], False
    for number, line in enumerate(map(str.strip, lines), 1):
        pattern, _, reason = line.partition("#")
        if not pattern:
            is_explained = bool(reason.strip())
        elif reason.strip() or is_explained:
            found.append(Override(pattern=pattern.strip(), origin=f"{shown}:{number}"))
        else:
            raise UserError(f"{shown}:{number}: {quoted(line)} has no reason", f"say why {why}: `name  # why`")
    return found
