"""Three-way merges of files: what the templates gave, what people have made of it, and what the templates give now."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from toolkit.core import git, process
from toolkit.core.errors import UserError
from toolkit.scaffold.templates import Entry
from toolkit.scaffold.writing import joined

#: From here on, a file of another name is the same one renamed (as `git diff --find-renames` has it).
_LIKE = 0.5


@dataclass(frozen=True, kw_only=True)
class File:
    """A file, or a symbolic link to `link`."""

    content: bytes = b""
    link: str = ""
    is_executable: bool = False


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is done with a file: `WRITE`, `UPDATE`, `MERGE`, `CLASH` (a merge with conflicts), `REMOVE` or `KEEP`.

    `old` is what is there, `new` what will be; `note` says why something stays, or where it comes from.
    """

    verb: str
    path: PurePosixPath
    old: File | None = None
    new: File | None = None
    note: str = ""


def compose(entries: Iterable[Entry], root: Path) -> dict[PurePosixPath, File]:
    """Return files as a whole, their parts in the order in which a project has them.

    Raises `UserError` for a path that leads out of the project, as a record that somebody has changed may give.
    """
    heads: dict[PurePosixPath, Entry] = {}
    parts: dict[PurePosixPath, dict[str, Entry]] = {}
    for entry in entries:
        # Some file systems take .GIT for the same.
        if entry.path.is_absolute() or {"..", ".git"} & {part.lower() for part in entry.path.parts}:
            raise UserError(
                f"{entry.path}: not a path in the project", "see what the project's record of templates says"
            )
        if entry.is_part:
            parts.setdefault(entry.path, {})[entry.key] = entry
        else:
            heads[entry.path] = entry
    found = {}
    for path in heads.keys() | parts.keys():
        entry = heads.get(path) or Entry(path=path)
        text = entry.text
        for part in _as_there(parts.get(path, {}), root / path):
            text = joined(text, part.text)
        found[path] = File(content=text.encode(), link=entry.link, is_executable=entry.is_executable)
    return found


def _as_there(parts: Mapping[str, Entry], path: Path) -> list[Entry]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    return [parts[key] for key in sorted(parts, key=lambda key: lines.index(key) if key in lines else len(lines))]


def plan(
    root: Path, base: Mapping[PurePosixPath, File], theirs: Mapping[PurePosixPath, File], scratch: Path
) -> list[Step]:
    """Return what is done with each file, in the order of paths; nothing is changed, `scratch` is for merges.

    What a linked directory has may be outside the project, and git does not bring it back: it stays.
    """
    found: list[Step | None] = []
    renamed = {new: old for new, old in _renamed(base, theirs) if not read(root / new)}
    for path in base.keys() | theirs.keys():
        former = renamed.get(path, path)
        ours = read(root / former)
        if path not in renamed.values():
            if any((root / parent).is_symlink() for each in (path, former) for parent in each.parents):
                if theirs.get(path) != base.get(former):
                    found.append(Step(verb="KEEP", path=path, old=ours, new=ours, note="a link leads to it"))
                continue
            step = _step(path, base.get(former), ours, theirs.get(path), scratch)
            if former == path or not ours:
                found.append(step)
            else:
                step = step or Step(verb="WRITE", path=path, new=ours)
                found.append(replace(step, old=None, note=f"was {former}"))
                found.append(Step(verb="REMOVE", path=former, old=ours, note=f"it is {path} now"))
    return sorted((step for step in found if step), key=lambda step: step.path)


def read(path: Path) -> File | None:
    """Return a file as it is there, None for none. Raises `UserError` for a directory, or what else cannot be one."""
    if path.is_symlink():
        return File(link=os.readlink(path))
    try:
        return File(content=path.read_bytes(), is_executable=bool(path.stat().st_mode & 0o100))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError:
        raise UserError(f"{path}: a directory, where a file of the templates has to be", "move it away") from None


def _renamed(
    base: Mapping[PurePosixPath, File], theirs: Mapping[PurePosixPath, File]
) -> Iterator[tuple[PurePosixPath, PurePosixPath]]:
    """Yield new names, each with the name of the file of the base that it is most like, if it is like any."""
    gone = {path for path in base.keys() - theirs.keys() if base[path].content}
    for new in sorted(theirs.keys() - base.keys()):
        likeness = {old: _likeness(base[old].content, theirs[new].content) for old in gone}
        best = max(likeness, key=lambda old: (likeness[old], old), default=None)
        if best and likeness[best] >= _LIKE:
            gone.remove(best)
            yield new, best


def _likeness(first: bytes, second: bytes) -> float:
    return difflib.SequenceMatcher(None, first.splitlines(), second.splitlines(), autojunk=False).ratio()


def _step(path: PurePosixPath, base: File | None, ours: File | None, theirs: File | None, scratch: Path) -> Step | None:
    """Return what is done with one file, None where it is as it has to be."""
    if theirs in (base, ours):
        return None
    if ours == base:
        verb = "REMOVE" if theirs is None else "WRITE" if ours is None else "UPDATE"
        return Step(verb=verb, path=path, old=ours, new=theirs)
    if ours is None or theirs is None or base is None:
        note = (
            "it was removed here, and has changed in the templates"
            if ours is None
            else "it was changed here, and the templates have it no more"
        )
        note = "it is not from a template" if base is None else note
        return Step(verb="KEEP", path=path, old=ours, new=ours, note=note)
    if base.link or ours.link or theirs.link:
        note = "it is yours: the templates had a link, or have one now"
        return Step(verb="KEEP", path=path, old=ours, new=ours, note=note)
    return _merge(path, base, ours, theirs, scratch)


def _merge(path: PurePosixPath, base: File, ours: File, theirs: File, scratch: Path) -> Step:
    names = ("here", "templates before", "templates now")
    for name, file in zip(names, (ours, base, theirs), strict=True):
        (scratch / name).write_bytes(file.content)
    labels = [word for name in names for word in ("-L", name)]
    verb = "MERGE"
    try:
        git.run(scratch, "merge-file", *labels, *names)
    except process.CommandError as error:
        # The number of conflicts, as far as it goes; else it is no text.
        if not 0 < error.status <= 127:
            return Step(verb="KEEP", path=path, old=ours, new=ours, note="it cannot be merged: it is no text")
        verb = "CLASH"
    is_executable = theirs.is_executable if ours.is_executable == base.is_executable else ours.is_executable
    new = File(content=(scratch / names[0]).read_bytes(), is_executable=is_executable)
    return Step(verb=verb, path=path, old=ours, new=new)
