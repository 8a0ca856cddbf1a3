"""Git submodules of the project: which there are, and whether they have been checked out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from toolkit.core.errors import UserError

_PATH = re.compile(r'^\s*path\s*=\s*"?(.*?)"?\s*$')
HINT = "git submodule update --init --recursive"


def paths(directory: Path) -> list[str]:
    """Return the paths that a directory's .gitmodules lists, relative to the directory: those that are below it.

    Git takes no others, and none by a link; whoever followed them would come back to where they were.
    """
    path = directory / ".gitmodules"
    # What git has may be a link, to /dev/zero say, which never ends.
    text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.is_file() else ""
    listed = (found[1] for line in text.splitlines() if (found := _PATH.match(line)))
    return [path for path in listed if _is_below(directory, PurePosixPath(path))]


def _is_below(directory: Path, path: PurePosixPath) -> bool:
    if not path.parts or path.is_absolute() or ".." in path.parts:
        return False
    return not any((directory / part).is_symlink() for part in (path, *path.parents[:-1]))


def is_empty(directory: Path) -> bool:
    """Tell whether a directory is not there or holds nothing at all (a checked out submodule holds at least .git)."""
    return not directory.is_dir() or next(directory.iterdir(), None) is None


def uninitialised(directory: Path) -> Iterator[Path]:
    """Yield the directories of submodules, submodules of submodules included, that have not been checked out.

    A submodule that is not there at all counts only in a git checkout: an exported tree may leave one out.
    """
    for path in map(directory.joinpath, paths(directory)):
        if path.is_dir() or (directory / ".git").exists():
            yield from [path] if is_empty(path) else uninitialised(path)


def error(path: Path, root: Path) -> UserError:
    """Return what is said about a submodule that has not been checked out."""
    return UserError(f"{path.relative_to(root).as_posix()}/: a submodule that is not initialised", f"run `{HINT}`")
