"""Whose an environment is: projects of one name, such as two clones or worktrees, have one each."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from toolkit.core import console, files
from toolkit.core.errors import UserError
from toolkit.develop import workon

#: Projects of one name in directories of one name are told apart by numbers, up to this one.
_MOST = 99


@contextmanager
def reserved(root: Path, name: str | None, *, force: bool) -> Iterator[Path]:
    """Give the block the path of the environment of the project at `root`, kept from other runs meanwhile.

    Without a `name` that is the directory's, unless another project has it: then that of the directory above stands
    behind, or a number. `force` takes what is there. Raises `UserError` for what is not the project's.
    """
    while True:
        prefix = _choose(root, name, force=force)
        with files.exclusive(_lock_directory(prefix), "create-virtual-environment"):
            workon.recover(prefix)
            # Another run may have made it meanwhile.
            if _choose(root, name, force=force) != prefix:
                continue
            _refuse_what_is_not_ours(prefix, force=force)
            _tell(root, prefix, name)
            yield prefix
            return


def own(root: Path) -> Path | None:
    """Return the environment that the project at `root` has, without a name of its user's choice; None without one."""
    home = workon.home()
    return next((home / name for name in _names(root) if _is_own(home / name, root)), None)


def _choose(root: Path, name: str | None, *, force: bool) -> Path:
    home = workon.home()
    if name is not None:
        prefix = home / workon.check_name(name)
        if not force and (owner := _other(prefix, root)):
            raise UserError(
                f"{prefix}: it is the environment of {owner}", "--force takes it over; -n NAME makes another beside it"
            )
        return prefix
    first, *others = (home / each for each in _names(root))
    found = own(root)
    if found or force or not _other(first, root):
        return found or first
    free = (prefix for prefix in others if not os.path.lexists(prefix) or _is_left(prefix))
    if chosen := next(free, None):
        return chosen
    raise UserError(f"{first}: it is the environment of {_other(first, root)}", "-n NAME makes one of that name")


def _names(root: Path) -> Iterator[str]:
    """Yield the names that the environment of a project may have, the best one first."""
    base = workon.check_name(root.name)
    yield base
    with suppress(UserError):
        if root.parent.name:
            yield workon.check_name(f"{base}-{root.parent.name}")
    yield from (f"{base}-{number}" for number in range(2, _MOST + 1))


def _is_own(prefix: Path, root: Path) -> bool:
    owner = workon.owner(prefix)
    return owner is not None and owner.resolve() == root


def _other(prefix: Path, root: Path) -> Path | None:
    """Return the other project whose environment it is, as long as that is there."""
    owner = workon.owner(prefix)
    return owner if owner and owner.is_dir() and not _is_own(prefix, root) else None


def _is_left(prefix: Path) -> bool:
    """Tell whether an environment is of a project that is there no more."""
    owner = workon.owner(prefix)
    return owner is not None and not owner.is_dir()


def _tell(root: Path, prefix: Path, name: str | None) -> None:
    owner, first = workon.owner(prefix), prefix.parent / root.name
    if owner and not _is_own(prefix, root):
        console.note(
            f"{prefix} is the environment of {owner}{'' if owner.is_dir() else ', which is gone'}: it is taken over"
        )
    elif name is None and prefix != first and (other := _other(first, root)):
        console.note(f"{first.name} is the environment of {other}, so that of {root} is {prefix.name}")


def _lock_directory(prefix: Path) -> Path:
    # Not the environment itself, which may be replaced, nor the directory of all, which projects share.
    directory = files.cache_root() / "environments" / hashlib.sha256(os.fsencode(prefix)).hexdigest()[:16]
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{files.cache_root()}: the toolkit's cache cannot be written: {error.strerror}",
            "set XDG_CACHE_HOME to a directory that you can write to",
        ) from None
    return directory


def _refuse_what_is_not_ours(prefix: Path, *, force: bool) -> None:
    if os.path.lexists(prefix) and not workon.is_ours(prefix) and not force:
        what = "an environment that something else made" if (prefix / "pyvenv.cfg").exists() else "something else"
        raise UserError(f"{prefix}: there is {what}", "--force replaces it; -n NAME makes another beside it")
