"""Commits of vendor/: in its own repository, then its revision in the project; or as an ordinary part of the project.

A submodule is usually at a revision, not on a branch, so a commit in it has to find the branch that it goes to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from toolkit.core import console, git
from toolkit.core.errors import UserError
from toolkit.core.git import Repository
from toolkit.model.lock import Lock
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.requirements import fingerprints
from toolkit.vendor_repository import state
from toolkit.vendor_repository.origin import remote_of
from toolkit.vendor_repository.state import Repositories
from toolkit.vendored import lock_diff, lock_file

_SUBMODULES = ".gitmodules"


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a commit goes: the `branch` to be on first (empty: none), the branch to push to, and what to warn of."""

    branch: str
    push_to: str
    remote: str
    warning: str = ""

    @property
    def push(self) -> str:
        """Return the command that publishes it."""
        source = self.branch if self.branch == self.push_to else f"HEAD:refs/heads/{self.push_to}"
        return f"git -C vendor push {self.remote} {source}"


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit to be made: of these paths alone, whatever else is staged (none: all there is), with this message.

    `url` is that of a submodule vendor/ which has to be added first.
    `inputs` are the files that vendor/ was made from and that go with it.
    """

    repository: Repository
    message: str
    paths: tuple[str, ...] = ()
    url: str = ""
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PlannedCommits:
    """The commits to be made, in their order, and where that of a submodule goes."""

    commits: tuple[Commit, ...] = ()
    destination: Destination | None = None


def prepare(repositories: Repositories) -> None:
    """Raise `UserError` where nothing could be committed now: nobody's name, a merge under way, a lock."""
    for item in (repositories.vendor, repositories.project):
        if item:
            git.require_quiet(item)
            git.identity(item.directory)


def plan(repositories: Repositories, project: Project, settings: Settings) -> PlannedCommits:
    """Return what there is to commit of a vendor/ that is as its locks say."""
    new = lock_file.of_project(project, settings.vendor)
    inputs = _whole(repositories.project, uncommitted_inputs(repositories, project, settings))
    if not repositories.vendor:
        commits = [replace(commit, inputs=inputs) for commit in _of_directory(repositories.project, new)]
        return PlannedCommits(commits=tuple(commits))
    commits = []
    if _is_dirty(repositories.vendor):
        old = state.locks_at(repositories.vendor, repositories.vendor.head)
        commits.append(Commit(repository=repositories.vendor, message=_message(old, new)))
    elif repositories.recorded != repositories.vendor.head and repositories.vendor.is_ancestor(
        "HEAD", repositories.recorded
    ):
        raise UserError(
            "vendor/: it is at an older revision than the project records",
            "`git submodule update vendor` brings it there; to go back, `git commit vendor`",
        )
    if commits or repositories.recorded != repositories.vendor.head:
        commits.append(replace(_of_revision(repositories, repositories.vendor, new), inputs=inputs))
    return PlannedCommits(commits=tuple(commits), destination=_destination(repositories.vendor, repositories.project))


def make(found: PlannedCommits) -> None:
    """Make the commits."""
    for commit in found.commits:
        if not commit.paths:
            _settle(commit.repository, found.destination)
            # What the user's own rules ignore (archives, say) belongs to it too: all of it is in the lock.
            commit.repository.run("add", "--all", "--force", "--", ".")
            commit.repository.run("commit", "--quiet", "--message", commit.message)
        else:
            if commit.url:
                git.add_submodule(commit.repository.directory, commit.url, "vendor")
                console.step("ADD", f"the submodule vendor/, from {commit.url}")
            paths = (*commit.paths, *commit.inputs)
            commit.repository.run("add", "--all", "--force", "--", *paths)
            commit.repository.run("commit", "--quiet", "--only", "--message", commit.message, "--", *paths)
        more = f", with {', '.join(commit.inputs)}" if commit.inputs else ""
        console.step("COMMIT", f"{commit.repository.name}: {commit.message.splitlines()[0]}{more}")


def uncommitted_inputs(repositories: Repositories, project: Project, settings: Settings) -> list[str]:
    """Return the files that the locks were made from and that are not committed as they are."""
    paths = {
        path for lock in lock_file.of_project(project, settings.vendor) for path in fingerprints.files_in(lock.inputs)
    }
    if not paths:
        return []
    listed = repositories.project.ask("status", "--porcelain", "-z", "--no-renames", "--", *sorted(paths))
    return [line[3:] for line in listed.split("\0") if line]


def _whole(project: Repository, paths: Sequence[str]) -> tuple[str, ...]:
    """Return those of the paths of which nobody has staged a part: what is staged was chosen."""
    if not paths:
        return ()
    listed = project.ask("diff-files", "--name-only", "-z", "--", *paths).split("\0")
    staged = project.ask("diff", "--cached", "--name-only", "-z", "--diff-filter=d", "--", *paths).split("\0")
    return tuple(path for path in paths if not (path in listed and path in staged))


def _is_dirty(holder: Repository, *paths: str) -> bool:
    return bool(holder.read("status", "--porcelain", "--untracked-files=all", "--ignored", "--", *(paths or (".",))))


def _message(old: Sequence[Lock], new: Sequence[Lock]) -> str:
    changes = lock_diff.between(old, new)
    return lock_diff.message(changes) if changes else "vendor: files beside the locks\n"


def _of_directory(project: Repository, new: Sequence[Lock]) -> tuple[Commit, ...]:
    if not _is_dirty(project, "vendor"):
        return ()
    old = state.locks_at(project, project.head, "vendor/")
    return (Commit(repository=project, message=_message(old, new), paths=("vendor",)),)


def _of_revision(repositories: Repositories, vendor: Repository, new: Sequence[Lock]) -> Commit:
    """Return the commit of the submodule's revision: with .gitmodules, where the project does not have it yet."""
    has_list = bool(repositories.url) or (repositories.project.directory / _SUBMODULES).is_file()
    is_new = not repositories.recorded and has_list
    paths = (_SUBMODULES, "vendor") if is_new else ("vendor",)
    base = repositories.recorded if vendor.commit_of(repositories.recorded) else vendor.head
    message = _message(state.locks_at(vendor, base), new)
    return Commit(repository=repositories.project, message=message, paths=paths, url=repositories.url)


def _settle(vendor: Repository, destination: Destination | None) -> None:
    """Get on the branch that the commit goes to; the work tree stays as it is."""
    if destination and destination.branch and not vendor.branch:
        vendor.run("checkout", "--quiet", "-B", destination.branch)
        console.note(f"vendor/ was at a revision; it is on its branch {destination.branch} now")


def _destination(vendor: Repository, project: Repository) -> Destination:
    """Return where the next commit in vendor/ goes.

    The branch that is checked out, or the one the submodule follows where that only moves forward. From an older
    revision (the project is on a branch of its own) it goes to a branch called as the project's.
    """
    remote = remote_of(vendor)
    current = vendor.branch
    followed = current or _followed(vendor, project, remote)
    published = vendor.commit_of(f"refs/remotes/{remote}/{followed}")
    behind = vendor.head and published and not vendor.is_ancestor(published, "HEAD")
    count = vendor.ask("rev-list", "--count", f"HEAD..{published}") if behind else ""
    warning = f"{remote}/{followed} of vendor/ has commits that this one does not build on: {count}" if behind else ""
    if current:
        return Destination(branch=current, push_to=current, remote=remote, warning=warning)
    local = vendor.commit_of(f"refs/heads/{followed}")
    if not behind and (not local or vendor.is_ancestor(local, "HEAD")):
        return Destination(branch=followed, push_to=followed, remote=remote)
    return Destination(branch="", push_to=_aside(vendor, project, remote, followed), remote=remote, warning=warning)


def _followed(vendor: Repository, project: Repository, remote: str) -> str:
    """Return the branch the submodule follows: as .gitmodules says, else the remote's default, else its only one."""
    configured = project.ask("config", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$", "^vendor$")
    name = configured.partition(" ")[0].removesuffix(".path")
    branch = project.ask("config", "--file", ".gitmodules", f"{name}.branch") if name else ""
    if branch:
        return (project.branch or "main") if branch == "." else branch
    default = vendor.ask("symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote}/HEAD")
    heads = vendor.ask("for-each-ref", "--format=%(refname:lstrip=3)", f"refs/remotes/{remote}").split()
    return default.removeprefix(f"{remote}/") or (heads[0] if len(heads) == 1 else "main")


def _aside(vendor: Repository, project: Repository, remote: str, followed: str) -> str:
    name = project.branch or followed
    published = vendor.commit_of(f"refs/remotes/{remote}/{name}")
    is_free = name != followed and (not published or vendor.is_ancestor(published, "HEAD"))
    return name if is_free else f"{name}-{vendor.head[:8]}"
