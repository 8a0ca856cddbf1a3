"""The revisions of vendor/ that a project records: those its branches and tags need, and those of all its history."""

from __future__ import annotations

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.core.git import Repository
from toolkit.vendor_repository import state


def by_tips(project: Repository) -> dict[str, str]:
    """Return each revision that a branch, a tag, a work tree or the index records, with the name of one of them."""
    found: dict[str, str] = {}
    for commit, name in _tips(project).items():
        revision = state.recorded_at(project, commit)
        if revision:
            found.setdefault(revision, name)
    staged = project.ask("ls-files", "--stage", "--", "vendor").split()
    if staged and staged[0] == "160000":
        found.setdefault(staged[1], "what is staged")
    return found


def ever(project: Repository) -> frozenset[str]:
    """Return each revision that any commit which a branch or tag reaches has set vendor/ to."""
    listed = project.read("log", "--all", "-m", "--full-history", "--format=", "--raw", "--no-abbrev", "--", "vendor")
    return frozenset(line.split()[3] for line in listed.splitlines() if line.split()[1] == "160000")


def require_complete(project: Repository) -> None:
    """Raise `UserError` where a remote of the project has branches or tags that are not here.

    What they record would not be kept, as nobody here knows of it. A remote that does not answer is warned of.
    """
    for remote in project.ask("remote").split():
        try:
            listed = project.read("ls-remote", "--heads", "--tags", remote)
        except UserError as error:
            console.warn(f"{error.what}: what only {remote} of the project has is not known, nor kept")
            continue
        refs = [line.split("\t") for line in listed.splitlines()]
        here = _existing(project, [id for id, _ in refs])
        missing = [name.removeprefix("refs/heads/").removeprefix("refs/tags/") for id, name in refs if id not in here]
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise UserError(
                f"{remote} has what is not here: {missing[0]}{more}; its revision of vendor/ is unknown",
                "`git fetch --all --tags` in the project, then again",
            )


def _existing(project: Repository, ids: list[str]) -> frozenset[str]:
    """Return those of these commits and tags that are here."""
    if not ids:
        return frozenset()
    commits = frozenset(project.read("rev-list", "--no-walk", "--ignore-missing", *ids).split())
    # An annotated tag is listed as its commit.
    return commits | {id for id in ids if id not in commits and project.ask("cat-file", "-t", id)}


def _tips(project: Repository) -> dict[str, str]:
    """Return the commits that refs and the heads of work trees name, each with one of its names."""
    listed = project.read("for-each-ref", "--format=%(refname:short) %(objectname) %(*objectname)").splitlines()
    found = {words[-1]: words[0] for words in map(str.split, listed)}
    for line in project.read("worktree", "list", "--porcelain").splitlines():
        key, _, value = line.partition(" ")
        if key == "HEAD" and value.strip("0"):
            found.setdefault(value, "what is checked out")
    return found
