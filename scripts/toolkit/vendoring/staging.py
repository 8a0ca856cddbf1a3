"""A new vendor/ replaces the old one in one step; what belongs to its repository is kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

from toolkit.core import directories, files, interrupts
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line
from toolkit.model import archive_names
from toolkit.model.lock import Lock
from toolkit.vendored import lock_file

_PREFIX = ".vendor.new-"


def replace(
    vendor: Path,
    locks: Iterable[Lock],
    fetched: Mapping[str, Path],
    beside: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> None:
    """Write the locks and the files they name to a directory beside `vendor`, then swap the two.

    `fetched` gives each file's path in the cache. `.git` (a submodule's file, or a directory), READMEs and git's own
    files of the old directory survive. What changes together with `vendor` does so in `beside`, which undoes it where
    the swap fails.
    """
    # Only the tools environment has what writes TOML; `recover` is called before it is entered.
    from toolkit.vendoring import lock_writer

    with directories.temporary(vendor.parent, _PREFIX, partial(_remove, vendor=vendor)) as staged:
        staged.chmod(0o755)
        for item in locks:
            lock_writer.write(lock_file.path_of(staged, item.service), item)
            for name in item.vendored_files():
                if not (staged / name).exists():
                    # A copy, not a link: what is in the cache must not change with what is in the work tree.
                    shutil.copyfile(fetched[name], staged / name)
        for kept in _own(vendor):
            copy: Callable[[Path, Path], object] = shutil.copytree if kept.is_dir() else shutil.copy2
            copy(kept, staged / kept.name)
        with interrupts.held(), beside():
            if (vendor / ".git").is_dir():
                # Not copied: a vendor repository may be large.
                os.rename(vendor / ".git", staged / ".git")
            directories.replace(staged, vendor)


def recover(vendor: Path) -> None:
    """Undo what a killed run left: bring the old directory and its `.git` back, remove staging directories."""
    directories.recover(vendor)
    directories.sweep(vendor.parent, _PREFIX, partial(_remove, vendor=vendor))


def refuse_foreign(vendor: Path, *, archives_too: bool = False) -> None:
    """Raise `UserError` where there is no lock in `vendor` but what none would name: it would be replaced, and lost.

    Archives may be from before somebody removed the lock, which is how all versions are given up; with `archives_too`
    they are foreign as well. A repository of its own is made for vendored files, and has a history: it is taken.
    """
    if (vendor / ".git").exists():
        return
    if vendor.is_dir() and not any(vendor.glob("pylock.*.toml")):
        kept = {entry.name for entry in _own(vendor)}
        kept |= set() if archives_too else {entry.name for entry in vendor.iterdir() if _is_archive(entry)}
        foreign = next((path.name for path in sorted(vendor.iterdir()) if path.name not in kept), "")
    else:
        foreign = "" if vendor.is_dir() or not vendor.exists() else vendor.name
    if foreign:
        raise UserError(
            f"{vendor.name}/: the project's own, with {one_line(foreign)}; `make vendor` would replace it",
            f"rename it: `git mv {vendor.name} ...`; what reads it there has to be told",
        )


def _is_archive(path: Path) -> bool:
    return path.is_file() and path.name.endswith((*archive_names.ENDINGS, ".whl", ".crate"))


def _remove(staged: Path, vendor: Path) -> None:
    """Remove a staging directory; a `.git` that it has and `vendor` has not goes back."""
    if (staged / ".git").is_dir() and not (vendor / ".git").exists():
        vendor.mkdir(exist_ok=True)
        (staged / ".git").rename(vendor / ".git")
    files.remove(staged)


def _own(vendor: Path) -> Iterator[Path]:
    """Yield what is not the toolkit's in `vendor`, but for a `.git` that is a directory, which moves."""
    if vendor.is_dir():
        for entry in sorted(vendor.iterdir()):
            is_repository = entry.name in (".git", ".gitignore", ".gitattributes", ".gitmodules")
            if entry.name.startswith("README") or (is_repository and entry.is_file()):
                yield entry
