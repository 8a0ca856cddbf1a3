"""Put new files into a project: all of them or none, and never over an existing one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from toolkit.core import console, directories, files
from toolkit.core.errors import UserError
from toolkit.scaffold.templates import Entry


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is done with a file: `WRITE` (there is none), `ADD` (a part of a file that is there) or `KEEP`.

    `text` is all of the file; `note` says what is added, or why the file is not as it would be written.
    """

    verb: str
    entry: Entry
    text: str = ""
    note: str = ""


def joined(text: str, part: str) -> str:
    """Return a file with a part at its end."""
    return f"{text.rstrip()}\n\n{part}" if text.strip() else part


def plan(root: Path, entries: Iterable[Entry]) -> list[Change]:
    """Return what is done with each file below `root`, in the order of paths. Nothing is changed.

    Raises `UserError` where something that is no directory is in the way.
    """
    changes: dict[PurePosixPath, Change] = {}
    # A file comes before its parts.
    for entry in sorted(entries, key=lambda entry: (entry.path, entry.is_part)):
        before = changes.get(entry.path)
        if before and before.verb == "WRITE":
            changes[entry.path] = replace(before, text=joined(before.text, entry.text))
        else:
            changes[entry.path] = _plan(root, entry)
    return list(changes.values())


def _plan(root: Path, entry: Entry) -> Change:
    target = root / entry.path
    for parent in reversed(target.parents):
        if os.path.lexists(parent) and not parent.is_dir():
            raise UserError(f"{parent}: not a directory", f"move it away: {entry.path} has to be written")
    if not os.path.lexists(target):
        return Change(verb="WRITE", entry=entry, text=entry.text)
    if not entry.is_part:
        note = "" if _is_same(target, entry) else "it is not as it would be written"
        return Change(verb="KEEP", entry=entry, note=note)
    text = target.read_text(encoding="utf-8", errors="surrogateescape")
    if entry.key in text.splitlines():
        return Change(verb="KEEP", entry=entry)
    return Change(verb="ADD", entry=entry, text=joined(text, entry.text), note=entry.key)


def _is_same(target: Path, entry: Entry) -> bool:
    if entry.link or target.is_symlink():
        return target.is_symlink() and os.readlink(target) == entry.link
    return target.is_file() and target.read_bytes() == entry.text.encode()


def report(changes: Iterable[Change]) -> None:
    """Say what is done with each file."""
    for change in changes:
        console.step(change.verb, f"{change.entry.path}" + (change.note and f": {change.note}"))


def apply(root: Path, changes: Sequence[Change]) -> list[str]:
    """Write what is to be written, and return the paths of the files that are new.

    When anything fails, the project is as it was before.
    """
    todo = [change for change in changes if change.verb != "KEEP"]
    with directories.temporary(root, ".scaffold-") as scratch, ExitStack() as undo:
        staged = scratch / "tree"
        staged.mkdir()
        for change in todo:
            write(staged, change.entry, change.text)
        _merge(staged, root, scratch, undo)
        undo.pop_all()
    return [str(change.entry.path) for change in todo if change.verb == "WRITE"]


def write(root: Path, entry: Entry, text: str) -> None:
    """Write one file below `root`."""
    path = root / entry.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if entry.link:
        path.symlink_to(entry.link)
        return
    files.write_atomic(path, text.encode("utf-8", "surrogateescape"))
    if entry.is_executable:
        path.chmod(path.stat().st_mode | (path.stat().st_mode & 0o444) >> 2)


def _merge(staged: Path, target: Path, scratch: Path, undo: ExitStack) -> None:
    """Move what is staged to its place: what is new in one step, then the files that are replaced."""
    if not os.path.lexists(target):
        undo.callback(files.remove, target)
        staged.rename(target)
    elif staged.is_dir():
        for entry in sorted(staged.iterdir(), key=lambda entry: (os.path.lexists(target / entry.name), entry.name)):
            _merge(entry, target / entry.name, scratch, undo)
    else:
        _replace(staged, target, scratch, undo)


def _replace(staged: Path, target: Path, scratch: Path, undo: ExitStack) -> None:
    # A link (a file shared between projects, say) stays one: what it leads to is replaced.
    target = target.resolve()
    staged.chmod(target.stat().st_mode & 0o777)
    old = scratch / f"old-{len(list(scratch.iterdir()))}"
    files.link_or_copy(target, old)
    undo.callback(os.replace, old, target)
    os.replace(staged, target)
