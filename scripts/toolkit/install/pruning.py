"""Files of installed distributions that a package leaves out: `debian/<package>.prune`, one pattern a line."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from toolkit.core import console, files
from toolkit.core.errors import UserError
from toolkit.project import lines
from toolkit.wheel import record

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
_EXPRESSIONS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A pattern of paths, and where it stands (`file:line`)."""

    pattern: str
    origin: str

    def matcher(self, site: str) -> re.Pattern[str]:
        """Return an expression for the paths it means, relative to the environment; `site` is site-packages there.

        `*` and `?` match no slash, `**` matches anything; a directory means all that is in it. A pattern that begins
        with a slash starts at the environment, any other at site-packages.
        """
        start, rest = ("", self.pattern[1:]) if self.pattern.startswith("/") else (re.escape(f"{site}/"), self.pattern)
        words = (_EXPRESSIONS.get(word) or re.escape(word) for word in _TOKEN.findall(rest.rstrip("/")))
        return re.compile(f"{start}{''.join(words)}(?:/.*)?", re.DOTALL)


def read(path: Path, shown: str) -> tuple[Rule, ...]:
    """Return the rules of a file; none where there is none. Raises `UserError` with `file:line`."""
    if not path.is_file():
        return ()
    rules = tuple(Rule(pattern=text, origin=f"{shown}:{number}") for number, text in lines.read(path, path.parents[1]))
    for rule in rules:
        if ".." in PurePosixPath(rule.pattern).parts:
            raise UserError(
                f"{rule.origin}: {rule.pattern} leads out of the environment",
                "name what is in it: relative to site-packages, or with a slash to the environment",
            )
    return rules


def chosen(names: Iterable[str], rules: Sequence[Rule], site: str) -> set[str]:
    """Return the names to leave out: modules with their byte code, but never a distribution's metadata.

    It warns of rules that match nothing: the files may have moved.
    """
    every = set(names)
    # Byte code goes with its module, and metadata has to stay.
    candidates = [name for name in every if not name.endswith(".pyc") and ".dist-info/" not in name]
    found: set[str] = set()
    for rule in rules:
        matching = {name for name in candidates if rule.matcher(site).fullmatch(name)}
        if not matching:
            console.warn(f"{rule.origin}: {rule.pattern} matches nothing")
        found |= matching
    return found | {name for name in every if name.endswith(".pyc") and _module(name) in found}


def _module(byte_code: str) -> str:
    """Return the source of a file of byte code: `a/__pycache__/b.cpython-311.pyc` -> `a/b.py`, PEP 3147."""
    path = PurePosixPath(byte_code)
    return str(path.parent.parent / f"{path.name.partition('.')[0]}.py")


def rewrite_records(root: Path, left_out: Iterable[str]) -> None:
    """Remove the rows of files that were left out, from each RECORD below `root`."""
    absent = set(left_out)
    for path in root.glob("lib/python*/site-packages/*.dist-info/RECORD"):
        site = path.parents[1].relative_to(root).as_posix()
        old = record.read(path)
        # Paths are relative to site-packages: scripts are at `../../../bin/x`.
        new = [row for row in old if posixpath.normpath(posixpath.join(site, row.path)) not in absent]
        if len(new) != len(old):
            files.write_atomic(path, record.text(new), 0o644)
