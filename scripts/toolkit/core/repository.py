"""One git repository as verbs see that commit to it: what it is in the middle of, and errors as the user reads them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import process
from toolkit.core.errors import UserError

#: What git tells its hooks about one repository; make may be run by such a hook, and here there are two.
_OF_ONE_REPOSITORY = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_SHALLOW_FILE",
    "GIT_NAMESPACE",
)
#: Files of a git directory that are there while something is under way, and what that is called.
_UNDER_WAY = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "BISECT_START": "bisect",
}


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A git repository in `directory` (its own, not one above it), which messages call `name`."""

    directory: Path
    name: str

    def read(self, *words: str) -> str:
        """Run git and return its standard output without the end of the line; raises `UserError`."""
        try:
            return process.read(["git", "-C", self.directory, *words], env=environment()).rstrip("\n")
        except process.CommandError as error:
            raise explain(error, self.name) from None

    def ask(self, *words: str) -> str:
        """Return what `read` does, empty where git fails: there is no such thing."""
        try:
            return process.read(["git", "-C", self.directory, *words], env=environment()).rstrip("\n")
        except process.CommandError:
            return ""

    def holds(self, *words: str) -> bool:
        """Tell whether git, asked a question of yes and no, says yes."""
        try:
            process.read(["git", "-C", self.directory, *words], env=environment())
        except process.CommandError:
            return False
        return True

    def run(self, *words: str) -> str:
        """Run git, its output shown with `V=2` only; raises `UserError`."""
        try:
            return process.run(["git", "-C", self.directory, *words], env=environment())
        except process.CommandError as error:
            raise explain(error, self.name) from None

    @property
    def head(self) -> str:
        """Return the id of the commit that is checked out, empty where there is none yet."""
        return self.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}")

    @property
    def branch(self) -> str:
        """Return the branch that is checked out, empty where there is none (a detached HEAD)."""
        return self.ask("symbolic-ref", "--quiet", "--short", "HEAD")

    def commit_of(self, name: str) -> str:
        """Return the id of the commit that a revision names, empty where there is none."""
        return self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Tell whether one commit is the other or among its ancestors."""
        return self.holds("merge-base", "--is-ancestor", older, newer)

    def path(self, name: str) -> Path:
        """Return the path of something in the git directory."""
        return self.directory / self.read("rev-parse", "--git-path", name)


def environment() -> dict[str, str]:
    """Return this process's environment without what binds git to one repository."""
    return {name: value for name, value in os.environ.items() if name not in _OF_ONE_REPOSITORY}


def open_at(directory: Path, name: str, hint: str) -> Repository:
    """Return the repository whose work tree `directory` is in. Raises `UserError` with `hint` where there is none."""
    found = Repository(directory=directory, name=name)
    try:
        process.read(["git", "-C", directory, "rev-parse", "--show-toplevel"], env=environment())
    except process.CommandError as error:
        if "not a git repository" in error.output or "must be run in a work tree" in error.output:
            raise UserError(f"{name}: not a git repository", hint) from None
        raise explain(error, name) from None
    return found


def require_quiet(repository: Repository) -> None:
    """Raise `UserError` where a commit would go into the middle of a merge, a rebase, or another process's work."""
    for file, what in _UNDER_WAY.items():
        if repository.path(file).exists():
            raise UserError(
                f"{repository.name}: a {what} is under way",
                f"finish it or give it up (`git -C {repository.directory} status` says how), then again",
            )
    lock = repository.path("index.lock")
    if lock.exists():
        raise _locked(repository.name, str(lock))


def explain(error: process.CommandError, name: str) -> UserError:
    """Return what is said when git fails: its own last words, and what helps against them."""
    lines = [line for line in error.output.splitlines() if line.startswith(("fatal:", "error:"))]
    said = (lines or error.output.strip().splitlines() or ["git failed"])[-1]
    said = said.removeprefix("fatal: ").removeprefix("error: ")
    details = error.output if len(error.output.strip().splitlines()) > 1 else ""
    if "dubious ownership" in error.output:
        return UserError(
            f"{name}: it belongs to another user, so git does not touch it",
            "run as its owner, or `git config --global --add safe.directory` with its path",
        )
    if ".lock': File exists" in error.output:
        return _locked(name, said.partition("'")[2].partition("'")[0])
    if "Permission denied" in error.output or "Read-only file system" in error.output:
        return UserError(f"{name}: {said}", "run as the user who may write there; nothing was lost", details)
    return UserError(f"{name}: git says: {said}", error.hint, details)


def _locked(name: str, lock: str) -> UserError:
    return UserError(
        f"{name}: another git is at work in it ({lock} is there)",
        "wait until it is done; if there is none any more, remove that file",
    )
