"""What is wrong with a configuration, said so that it can be mended without reading any code."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from yc_common.config._yaml import Path


class Origin(msgspec.Struct, frozen=True, order=True):
    """Where a value came from: a file and its line, or a source without lines (line 0)."""

    source: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


class Problem(msgspec.Struct, frozen=True, order=True):
    """One mistake: where, which key, what is wrong, and what may have been meant."""

    origin: Origin
    path: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        key = f"{self.path}: " if self.path else ""
        return f"{self.origin}: {key}{self.what}" + (f" ({self.hint})" if self.hint else "")


class ConfigError(ValueError):
    """A configuration that was refused; `problems` holds every mistake in it, `str()` prints one a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


def dotted(path: Path) -> str:
    """Return a path as people write it: `servers[0].port`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return a hint with the nearest known word, or with all of them when they are few."""
    import difflib  # only a mistake pays for it

    near = difflib.get_close_matches(word.lower(), known, 1, 0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"known here: {', '.join(known)}" if 0 < len(known) <= 8 else ""
