"""Unified diffs as git, quilt and `diff -u` write them: read, and applied to the lines of a file without fuzz.

https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html
https://git-scm.com/docs/diff-format#generate_patch_text_with_p
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from toolkit.core.foreign_text import quoted

_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_GIT = re.compile(rb"diff --git [^/ ]+/(?P<name>.+) [^/ ]+/(?P=name)\n?")
_MODE = re.compile(rb"(?P<what>new file|deleted file|new|old) mode (?P<mode>[0-7]{6})\n?")
#: What git says of changes that lines do not tell.
_BINARY = re.compile(rb"GIT binary patch|Binary files .* differ")
#: Of the two forms of old that patch(1) reads as well.
_CONTEXT = re.compile(rb"\*\*\* \S")
_NO_RENAMES = "write it as a file that goes and one that comes (`git diff --no-renames`, `quilt refresh -p ab`)"
_NOWHERE = "/dev/null"
_REGULAR = {b"100644": False, b"100755": True}


class PatchError(Exception):
    """What is wrong with a patch, or why it cannot be applied; `hint` is empty where the usual one will do."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


@dataclass(kw_only=True)
class Hunk:
    """Lines that are in the place of others, each with its end; `start` is the number of the first of those, from 1.

    `before` and `after` are how many lines at both ends stay as they are.
    """

    line: int
    start: int
    old: list[bytes] = field(default_factory=list)
    new: list[bytes] = field(default_factory=list)
    before: int = 0
    after: int = 0


@dataclass(kw_only=True)
class FilePatch:
    """The change of one file: `path` is relative to the top of the tree, `line` where it begins in the patch.

    `executable` is what it is made, None for what it is.
    """

    path: PurePosixPath
    line: int
    kind: Literal["change", "create", "delete"] = "change"
    executable: bool | None = None
    hunks: list[Hunk] = field(default_factory=list)


def read(content: bytes) -> list[FilePatch]:
    """Return the changes that a patch makes, file by file. Raises `PatchError` for what is no unified diff."""
    reader = _Reader(content.split(b"\n"))
    found = reader.changes()
    if not found:
        raise PatchError("it changes nothing: no unified diff", "write it by `git diff`, or `quilt refresh -p ab`")
    return found


class _Reader:
    """Reads a patch line by line; what is no part of a change is a description, and may be anything."""

    def __init__(self, rows: list[bytes]) -> None:
        # What is behind the last line's end is no line.
        self._rows = [row + b"\n" for row in rows[:-1]] + ([rows[-1]] if rows[-1] else [])
        self._at = 0

    def changes(self) -> list[FilePatch]:
        found: list[FilePatch] = []
        header: FilePatch | None = None
        while self._at < len(self._rows):
            row, line = self._rows[self._at], self._at + 1
            if self._begins_file():
                header = self._file(header)
                _add(found, header)
            elif row.startswith(b"@@ -"):
                raise PatchError(f"line {line}: a hunk of no file")
            elif row.startswith(b"diff --git "):
                header = self._git(row, line)
                self._at += 1
            elif header and not header.hunks and (mode := _MODE.fullmatch(row)):
                _take_mode(header, mode["what"], mode["mode"], line)
                _add(found, header)
                self._at += 1
            elif _BINARY.match(row) or (_CONTEXT.match(row) and self._next().startswith(b"--- ")):
                raise PatchError(f"line {line}: {quoted(_text(row))}: not a change of lines")
            else:
                self._at += 1
        return found

    def _next(self, number: int = 1) -> bytes:
        return self._rows[self._at + number] if self._at + number < len(self._rows) else b""

    def _begins_file(self) -> bool:
        here = self._rows[self._at]
        return here.startswith(b"--- ") and self._next().startswith(b"+++ ") and self._next(2).startswith(b"@@ -")

    def _git(self, row: bytes, line: int) -> FilePatch:
        match = _GIT.fullmatch(row)
        if not match:
            raise PatchError(f"line {line}: {quoted(_text(row))}: not the change of one file", _NO_RENAMES)
        return FilePatch(path=_path(b"a/" + match["name"], line), line=line)

    def _file(self, header: FilePatch | None) -> FilePatch:
        line = self._at + 1
        old, new = (_name(self._rows[self._at + number][4:], line + number) for number in (0, 1))
        if old and new and old != new:
            raise PatchError(f"line {line}: it renames {quoted(str(old))} to {quoted(str(new))}", _NO_RENAMES)
        path = new or old
        if not path:
            raise PatchError(f"line {line}: a change of no file")
        found = header if header and header.path == path and not header.hunks else FilePatch(path=path, line=line)
        found.kind = "create" if old is None else "delete" if new is None else found.kind
        self._at += 2
        while self._at < len(self._rows) and (match := _HUNK.match(self._rows[self._at])):
            found.hunks.append(self._hunk(match))
        return found

    def _hunk(self, match: re.Match[bytes]) -> Hunk:
        start, count, _, new_count = (int(group) if group else 1 for group in match.groups())
        hunk = Hunk(line=self._at + 1, start=start)
        self._at += 1
        kinds = []
        while len(hunk.old) < count or len(hunk.new) < new_count:
            row = self._next(0)
            # Some editors and mailers take the blank of an empty line away.
            kind, text = (b" ", row) if row == b"\n" else (row[:1], row[1:])
            if kind not in (b" ", b"-", b"+") or not row:
                raise PatchError(f"line {self._at + 1}: the hunk of line {hunk.line} ends before it should")
            hunk.old += [text] if kind != b"+" else []
            hunk.new += [text] if kind != b"-" else []
            kinds.append(kind)
            self._at += 1
            if self._next(0).startswith(b"\\"):
                _without_end(hunk, kind)
                self._at += 1
        if (len(hunk.old), len(hunk.new)) != (count, new_count):
            raise PatchError(f"line {hunk.line}: a hunk of other lines than it says")
        changed = [number for number, kind in enumerate(kinds) if kind != b" "]
        if not changed:
            raise PatchError(f"line {hunk.line}: a hunk that changes nothing")
        hunk.before, hunk.after = changed[0], len(kinds) - 1 - changed[-1]
        return hunk


def _add(found: list[FilePatch], item: FilePatch) -> None:
    if not found or found[-1] is not item:
        found.append(item)


def _without_end(hunk: Hunk, kind: bytes) -> None:
    """Take the end of the last line away, as the words `No newline at end of file` tell."""
    for lines, other in ((hunk.old, b"+"), (hunk.new, b"-")):
        if kind != other:
            lines[-1] = lines[-1].removesuffix(b"\n")


def _take_mode(header: FilePatch, what: bytes, mode: bytes, line: int) -> None:
    if mode not in _REGULAR:
        raise PatchError(f"line {line}: a link, or another thing that is no file")
    if what in (b"new file", b"deleted file"):
        header.kind = "create" if what == b"new file" else "delete"
    if what in (b"new file", b"new"):
        header.executable = _REGULAR[mode]


def _name(text: bytes, line: int) -> PurePosixPath | None:
    """Return the path in a line of a header, without the time behind it and without its first directory."""
    name = text.rstrip(b"\r\n").partition(b"\t")[0]
    return None if _text(name) == _NOWHERE else _path(name, line)


def _path(name: bytes, line: int) -> PurePosixPath:
    shown = _text(name)
    parts = shown.split("/")
    if shown.startswith("/") or ".." in parts:
        raise PatchError(
            f"line {line}: {quoted(shown)} leads out of the source, which looks like an attack",
            "do not apply it before you know who wrote it, and what for",
        )
    below = [part for part in parts[1:] if part not in ("", ".")]
    if not below or not shown.isprintable() or shown.startswith('"') or "\\" in shown:
        raise PatchError(
            f"line {line}: {quoted(shown)} is no name of a file below a first directory, as `a/setup.py` is",
            "write it by `git diff`, or `quilt refresh -p ab`",
        )
    return PurePosixPath(*below)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace").rstrip("\n")


def apply(content: bytes, hunks: Sequence[Hunk]) -> bytes:
    """Return a file's content with all hunks applied. Raises `PatchError` with the first that does not fit.

    A hunk may stand on other lines than it says, as in quilt without fuzz: all its lines have to be there, in a row.
    """
    lines = content.split(b"\n")
    lines = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    result: list[bytes] = []
    done, moved = 0, 0
    for number, hunk in enumerate(hunks, 1):
        expected = hunk.start - (1 if hunk.old else 0)
        at = _find(lines, hunk, hunk.old, expected + moved, done)
        if at is None:
            why, hint = _misfit(lines, hunk, expected + moved, done)
            raise PatchError(f"hunk {number} (line {hunk.line}) does not fit{why}", hint)
        result += lines[done:at] + hunk.new
        done, moved = at + len(hunk.old), at - expected
    return b"".join(result + lines[done:])


def _misfit(lines: list[bytes], hunk: Hunk, expected: int, first: int) -> tuple[str, str]:
    """Return why a hunk may not fit, and a hint; two empty texts where nothing shows it."""
    if hunk.new and _find(lines, hunk, hunk.new, expected, first) is not None:
        return ": the source has this already", "the source has changed: remove the patch, or what the source has of it"
    source, old = ([line.replace(b"\r\n", b"\n") for line in side] for side in (lines, hunk.old))
    if _find(source, hunk, old, expected, first) is not None:
        ends = "CRLF, and the patch LF" if source != lines else "LF, and the patch CRLF"
        return (
            f": the source's lines end in {ends}",
            "write it from the file as the archive has it, line ends as they are (with git: `core.autocrlf=false`)",
        )
    return "", ""


def _find(lines: list[bytes], hunk: Hunk, wanted: list[bytes], expected: int, first: int) -> int | None:
    """Return where all wanted lines stand in a row, at or after `first` and as near to what is expected as can be."""
    last = len(lines) - len(wanted)
    # Less context at one end than at the other tells of the file's beginning or end, and so does a line without one.
    if hunk.before < hunk.after:
        last = min(last, 0)
    if hunk.after < hunk.before or any(side and not side[-1].endswith(b"\n") for side in (hunk.old, hunk.new)):
        first = max(first, last)
    for at in _nearest(min(max(expected, first), last), first, last):
        if lines[at : at + len(wanted)] == wanted:
            return at
    return None


def _nearest(expected: int, first: int, last: int) -> Iterator[int]:
    """Yield the numbers from `first` to `last`, those nearest to `expected` first; of two, as patch(1), the greater."""
    for distance in range(max(expected - first, last - expected, 0) + 1):
        for at in {expected + distance: None, expected - distance: None}:
            if first <= at <= last:
                yield at
