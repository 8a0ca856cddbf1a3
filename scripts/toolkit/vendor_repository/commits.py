"""Commit vendor/: in its own repository, then its revision in the project; or as an ordinary part of the project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.core import console, git
from toolkit.core.errors import UserError
from toolkit.core.git import Repository
from toolkit.model.lock import Lock
from toolkit.project import fingerprints
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.vendor_repository import branch, state
from toolkit.vendor_repository.branch import Destination
from toolkit.vendor_repository.state import Kept
from toolkit.vendored import lock_diff, lock_file

_SUBMODULES = ".gitmodules"


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit to be made: of these paths alone, whatever else is staged (none: all there is), with this message."""

    repository: Repository
    message: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The commits to be made, in their order, and where that of a submodule goes."""

    commits: tuple[Commit, ...] = ()
    destination: Destination | None = None


def prepare(kept: Kept) -> None:
    """Raise `UserError` where nothing could be committed now: nobody's name, a merge under way, a lock."""
    for item in (kept.vendor, kept.project):
        if item:
            git.require_quiet(item)
            git.identity(item.directory)


def plan(kept: Kept, project: Project, settings: Settings) -> Plan:
    """Return what there is to commit of a vendor/ that is as its locks say."""
    new = [lock_file.read(lock_file.path_of(settings.vendor, project.lock_name(package))) for package in project.locked]
    if not kept.vendor:
        return Plan(commits=_of_directory(kept.project, new))
    commits = []
    if _is_dirty(kept.vendor):
        old = state.locks_at(kept.vendor, kept.vendor.head)
        commits.append(Commit(repository=kept.vendor, message=_message(old, new)))
    elif kept.recorded != kept.vendor.head and kept.vendor.is_ancestor("HEAD", kept.recorded):
        raise UserError(
            "vendor/: it is at an older revision than the project records",
            "`git submodule update vendor` brings it there; to go back, `git commit vendor`",
        )
    if commits or kept.recorded != kept.vendor.head:
        commits.append(_of_revision(kept, kept.vendor, new))
    return Plan(commits=tuple(commits), destination=branch.choose(kept.vendor, kept.project))


def make(found: Plan) -> None:
    """Make the commits."""
    for commit in found.commits:
        if not commit.paths:
            _settle(commit.repository, found.destination)
            # What the user's own rules ignore (archives, say) belongs to it too: all of it is in the lock.
            commit.repository.run("add", "--all", "--force", "--", ".")
            commit.repository.run("commit", "--quiet", "--message", commit.message)
        else:
            commit.repository.run("add", "--all", "--force", "--", *commit.paths)
            commit.repository.run("commit", "--quiet", "--only", "--message", commit.message, "--", *commit.paths)
        console.step("COMMIT", f"{commit.repository.name}: {commit.message.splitlines()[0]}")


def uncommitted_inputs(kept: Kept, project: Project, settings: Settings) -> list[str]:
    """Return the files that the locks were made from and that are not committed as they are."""
    recorded: dict[str, str] = {}
    for package in project.locked:
        recorded |= lock_file.read(lock_file.path_of(settings.vendor, project.lock_name(package))).inputs
    paths = [path for path, digest in recorded.items() if digest and not path.startswith(fingerprints.SETTING)]
    listed = kept.project.ask("-c", "core.quotePath=false", "status", "--porcelain", "--", *sorted(paths))
    return [line[3:] for line in listed.splitlines()]


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


def _of_revision(kept: Kept, vendor: Repository, new: Sequence[Lock]) -> Commit:
    """Return the commit of the submodule's revision: with .gitmodules, where the project does not have it yet."""
    is_new = not kept.recorded and (kept.project.directory / _SUBMODULES).is_file()
    paths = (_SUBMODULES, "vendor") if is_new else ("vendor",)
    base = kept.recorded if vendor.commit_of(kept.recorded) else vendor.head
    return Commit(repository=kept.project, message=_message(state.locks_at(vendor, base), new), paths=paths)


def _settle(vendor: Repository, destination: Destination | None) -> None:
    """Get on the branch that the commit goes to; the work tree stays as it is."""
    if destination and destination.branch and not vendor.branch:
        vendor.run("checkout", "--quiet", "-B", destination.branch)
        console.note(f"vendor/ was at a revision; it is on its branch {destination.branch} now")
