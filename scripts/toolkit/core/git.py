"""Git: repositories and submodules, who commits to them, and git's errors as the user reads them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import process, secrets
from toolkit.core.errors import UserError

#: A clone from a directory of this machine is what the user asked for; git forbids it to submodules by default
#: (CVE-2022-39253).
_LOCAL = ("-c", "protocol.file.allow=always")
_IDENTITY = re.compile(r"(?P<person>.+ <[^<>]+>) \d+ [+-]\d+")
#: Commands that take the lock of the index, which one that is killed would leave.
_LOCKING = frozenset({"add", "checkout", "commit"})
#: What git tells its hooks about one repository (githooks(5)); make may be run by such a hook, and here there are two.
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
#: Files of a git directory (gitrepository-layout(5)) while something is under way, and what that is called.
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
            return _read(self.directory, *words)
        except process.CommandError as error:
            raise _explain(error, self.name) from None

    def ask(self, *words: str) -> str:
        """Return what `read` does, empty where git fails: there is no such thing."""
        return ask(self.directory, *words)

    def succeeds(self, *words: str) -> bool:
        """Tell whether a git command succeeds, one whose exit status is an answer."""
        try:
            _read(self.directory, *words)
        except process.CommandError:
            return False
        return True

    def run(self, *words: str) -> str:
        """Run git, its output shown with `V=2` only; raises `UserError`."""
        try:
            return process.run(
                ["git", "-C", self.directory, *words], env=_environment(), completes=words[0] in _LOCKING
            )
        except process.CommandError as error:
            raise _explain(error, self.name) from None

    @property
    def head(self) -> str:
        """Return the id of the commit that is checked out, empty where there is none yet."""
        return self.commit_of("HEAD")

    @property
    def branch(self) -> str:
        """Return the branch that is checked out, empty where there is none (a detached HEAD)."""
        return self.ask("symbolic-ref", "--quiet", "--short", "HEAD")

    def commit_of(self, name: str) -> str:
        """Return the id of the commit that a revision names, empty where there is none."""
        return self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Tell whether one commit is the other or among its ancestors."""
        return self.succeeds("merge-base", "--is-ancestor", older, newer)

    def path(self, name: str) -> Path:
        """Return the path of something in the git directory."""
        return self.directory / self.read("rev-parse", "--git-path", name)


def _environment() -> dict[str, str]:
    """Return this process's environment without what binds git to one repository; to read, git takes no lock."""
    kept = {name: value for name, value in os.environ.items() if name not in _OF_ONE_REPOSITORY}
    return {**kept, "GIT_OPTIONAL_LOCKS": "0"}


def open_at(directory: Path, name: str, hint: str) -> Repository:
    """Return the repository whose work tree `directory` is in. Raises `UserError` with `hint` where there is none."""
    found = Repository(directory=directory, name=name)
    try:
        _read(directory, "rev-parse", "--show-toplevel")
    except process.CommandError as error:
        if "not a git repository" in error.output or "must be run in a work tree" in error.output:
            raise UserError(f"{name}: not a git repository", hint) from None
        raise _explain(error, name) from None
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


def _explain(error: process.CommandError, name: str) -> UserError:
    """Return the error of a git command that failed: git's own last message, and what helps against it."""
    lines = error.output.strip().splitlines()
    errors = [line for line in lines if line.startswith(("fatal:", "error:"))]
    message = (errors or lines or ["git failed"])[-1].removeprefix("fatal: ").removeprefix("error: ")
    details = error.output if len(lines) > 1 else ""
    if "dubious ownership" in error.output:
        return UserError(
            f"{name}: it belongs to another user, so git does not touch it",
            "run as its owner, or `git config --global --add safe.directory` with its path",
        )
    if ".lock': File exists" in error.output:
        return _locked(name, message.partition("'")[2].partition("'")[0])
    if "Permission denied" in error.output or "Read-only file system" in error.output:
        return UserError(f"{name}: {message}", "run as the user who may write there; nothing was lost", details)
    return UserError(f"{name}: git says: {message}", error.hint, details)


def _locked(name: str, lock: str) -> UserError:
    return UserError(
        f"{name}: another git is at work in it ({lock} is there)",
        "wait until it is done; if there is none any more, remove that file",
    )


def run(directory: Path, *words: str | Path) -> str:
    """Run git in a directory and return what it printed."""
    return process.run(["git", *_LOCAL, "-C", directory, *words], env=_environment())


def ask(directory: Path, *words: str) -> str:
    """Run git in a directory and return its standard output without the end of the line; empty when git fails."""
    try:
        return _read(directory, *words)
    except process.CommandError:
        return ""


def _read(directory: Path, *words: str) -> str:
    return process.read(["git", "-C", directory, *words], env=_environment()).rstrip("\n")


def is_in_repository(directory: Path) -> bool:
    """Tell whether a directory is in a git repository, also where git is not installed."""
    return any((each / ".git").exists() for each in (directory, *directory.parents))


def own_paths(directory: Path) -> frozenset[str] | None:
    """Return what git has or would take below a directory: tracked, or new and not ignored.

    The paths are relative to the directory: files, and repositories in it. None where git does not tell: in no work
    tree, in one of another user, without git, and where the directory itself is ignored (an export of a tree, say).
    """
    if not is_in_repository(directory):
        return None
    try:
        listed = _read(directory, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    except UserError:
        return None
    if not listed and Repository(directory=directory, name="").succeeds("check-ignore", "--quiet", "."):
        return None
    return frozenset(path.rstrip("/") for path in listed.split("\0") if path)


def require_top(directory: Path) -> None:
    """Raise `UserError` when a directory is not the top of a git repository."""
    top = ask(directory, "rev-parse", "--show-toplevel")
    if not top:
        raise UserError(f"{directory}: not a git repository", "`git init` makes one, new-project a whole project")
    if Path(top) != directory.resolve():
        raise UserError(f"{directory}: not the top of its git repository", f"run it in {top}")


def identity(directory: Path) -> str:
    """Return who commits in a directory (that may be still to be made), as `Name <address>`.

    Raises `UserError` when it is not configured.
    """
    where = directory if directory.is_dir() else Path("/")
    author, committer = (
        _IDENTITY.fullmatch(ask(where, "-c", "user.useConfigOnly=true", "var", variable))
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
    shown = secrets.masked("", url)
    if secrets.without_credentials(url) != url:
        # A user alone may be a token, as those of GitHub are.
        raise UserError(
            f"{option} {shown}: git would write this URL with its user or password into .gitmodules, for everybody "
            "to read",
            "leave both out; git asks for them, or has them from a credential helper (`git help credentials`)",
        )
    try:
        return process.read(["git", *_LOCAL, "ls-remote", "--heads", "--", url])
    except process.CommandError as error:
        raise UserError(
            f"{option} {shown}: no git repository can be read there",
            f"see that `git ls-remote {shown}` works",
            error.output.replace(url, shown),
        ) from None


def add_submodule(project: Path, url: str, path: str) -> None:
    """Add what is at a URL as a submodule; a clone of it that is there already at `path` becomes the submodule."""
    run(project, "submodule", "--quiet", "add", "--", url, path)
    run(project, "submodule", "--quiet", "absorbgitdirs", path)


def note_new(project: Path, paths: Sequence[str]) -> None:
    """Let git know of new files, so that they are packaged; their content is not staged yet."""
    if paths:
        # By force: a rule in .gitignore about bin/, say, is about other files.
        run(project, "add", "--force", "--intent-to-add", "--", *paths)


def absolute(url: str, base: Path) -> str:
    """Return a URL as it is understood from everywhere: a path becomes an absolute one, from `base`."""
    return os.path.normpath(base / url) if is_local(url) and not url.startswith("file://") else url


def is_local(url: str) -> bool:
    """Tell whether a URL is a path of this machine."""
    return url.startswith("file://") or os.path.isabs(url) or not re.search(r"^\w+://|^[^/]+:", url)
