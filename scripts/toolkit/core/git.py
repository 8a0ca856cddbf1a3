"""Git, as far as new projects need it: who commits, what a URL holds, submodules."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from toolkit.core import process, repository
from toolkit.core.errors import UserError

#: A clone from a directory of this machine is what the user asked for; git forbids it to submodules by default.
_LOCAL = ("-c", "protocol.file.allow=always")
_IDENTITY = re.compile(r"(?P<person>.+ <[^<>]+>) \d+ [+-]\d+")


def run(directory: Path, *words: str | Path) -> str:
    """Run git in a directory and return what it printed."""
    return process.run(["git", *_LOCAL, "-C", directory, *words], env=repository.environment())


def read(directory: Path, *words: str) -> str:
    """Run git in a directory and return its standard output without the end of the line; empty when git fails."""
    try:
        return process.read(["git", "-C", directory, *words], env=repository.environment()).rstrip("\n")
    except process.CommandError:
        return ""


def require_top(directory: Path) -> None:
    """Raise `UserError` when a directory is not the top of a git repository."""
    top = read(directory, "rev-parse", "--show-toplevel")
    if not top:
        raise UserError(f"{directory}: not a git repository", "`git init` makes one, new-project a whole project")
    if Path(top) != directory.resolve():
        raise UserError(f"{directory}: not the top of its git repository", f"run it in {top}")


def identity(directory: Path) -> str:
    """Return who commits in a directory (that may be still to be made), as `Name <address>`.

    Raises `UserError` when git has not been told.
    """
    where = directory if directory.is_dir() else Path("/")
    author, committer = (
        _IDENTITY.fullmatch(read(where, "-c", "user.useConfigOnly=true", "var", variable))
        for variable in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT")
    )
    if not author or not committer:
        raise UserError(
            "git does not know who you are, and commits and debian/ name somebody",
            'tell it: `git config --global user.name "Your Name"`, `git config --global user.email you@example.com`',
        )
    return author["person"]


def heads(url: str, option: str) -> str:
    """Return what `git ls-remote` lists at a URL: empty for an empty repository. Raises `UserError` naming `option`."""
    try:
        return process.read(["git", *_LOCAL, "ls-remote", "--heads", "--", url])
    except process.CommandError as error:
        raise UserError(
            f"{option} {url}: no git repository can be read there",
            f"see that `git ls-remote {url}` works",
            error.output,
        ) from None


def add_submodule(project: Path, url: str, path: str) -> None:
    """Add what is at a URL as a submodule; a clone of it that is there already at `path` becomes the submodule."""
    run(project, "submodule", "--quiet", "add", "--", url, path)
    run(project, "submodule", "--quiet", "absorbgitdirs", path)


def note_new(project: Path, paths: Sequence[str]) -> None:
    """Let git know of files, so that they are packaged; what they hold is staged by whoever commits them."""
    if paths:
        # Somebody's rule about bin/, say, is not about these.
        run(project, "add", "--force", "--intent-to-add", "--", *paths)


def absolute(url: str, base: Path) -> str:
    """Return a URL as it is understood from everywhere: a path becomes an absolute one, from `base`."""
    return os.path.normpath(base / url) if is_local(url) and not url.startswith("file://") else url


def is_local(url: str) -> bool:
    """Tell whether a URL is a path of this machine."""
    return url.startswith("file://") or os.path.isabs(url) or not re.search(r"^\w+://|^[^/]+:", url)
