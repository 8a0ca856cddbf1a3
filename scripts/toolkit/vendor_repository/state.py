"""How a project keeps its vendor/: as a submodule or as a directory of its own, and the revisions it records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import console, git
from toolkit.core.errors import UserError
from toolkit.core.git import Repository
from toolkit.model.lock import Lock
from toolkit.project import submodules
from toolkit.project.settings import Settings
from toolkit.vendor_repository import origin
from toolkit.vendored import lock_file

_LOCK = re.compile(r"pylock\.(.+)\.toml")
_GITLINK = "160000"


@dataclass(frozen=True, kw_only=True)
class Repositories:
    """The project's repository and that of vendor/ (none: vendor/ is an ordinary directory of the project).

    `url` is where vendor/ comes from while it is no submodule yet, and has to become one.
    """

    project: Repository
    vendor: Repository | None
    url: str = ""

    @property
    def recorded(self) -> str:
        """Return the revision of the submodule that the project's last commit records, empty for none."""
        return recorded_at(self.project, "HEAD")


def find(settings: Settings) -> Repositories:
    """Return how vendor/ is kept. Raises `UserError` where it could not be committed, whatever is in it.

    A clone that is no submodule is what `git submodule add` leaves of an empty repository, where it stops half way.
    """
    root = settings.project
    project = git.open_at(root, root.name, "`git init` makes it one; new-project makes a whole project")
    staged = project.ask("ls-files", "--stage", "--", "vendor").startswith(_GITLINK)
    listed = staged or "vendor" in submodules.paths(root)
    if not (settings.vendor / ".git").exists():
        if listed and settings.vendor.exists():
            raise submodules.error(settings.vendor, root)
        _refuse_ignored(project)
        return Repositories(project=project, vendor=None)
    vendor = git.open_at(settings.vendor, "vendor/", f"see vendor/.git; `{submodules.HINT}` gets it anew")
    return Repositories(project=project, vendor=vendor, url="" if listed else _url(vendor, project))


def _url(vendor: Repository, project: Repository) -> str:
    """Return the URL that a repository becomes a submodule by, as new-project writes it for one beside the project."""
    url = origin.url_of(vendor, origin.remote_of(vendor))
    if not url:
        raise UserError(
            "vendor/: a git repository of its own, but no submodule of the project",
            "`git -C vendor remote add origin <its URL>` says where it is kept: then it becomes one; without "
            "vendor/.git it is a directory",
        )
    is_beside = git.is_local(url) and Path(url).parent == project.directory.resolve().parent
    return f"../{Path(url).name}" if is_beside and not project.ask("remote") else url


def recorded_at(project: Repository, revision: str) -> str:
    """Return the revision of vendor/ that a commit of the project records, empty where vendor/ is no submodule."""
    mode, _, rest = project.ask("ls-tree", revision, "vendor").partition(" ")
    return rest.split()[1] if mode == _GITLINK else ""


def locks_at(holder: Repository, revision: str, prefix: str = "") -> list[Lock]:
    """Return the locks of one revision, `prefix` being where they are; one that cannot be read is left out."""
    names = holder.ask("ls-tree", "-z", "--name-only", revision, prefix or ".").split("\0") if revision else []
    locks = []
    for name in names:
        if found := _LOCK.fullmatch(name.rpartition("/")[2]):
            try:
                text = holder.read("show", f"{revision}:./{name}")
                locks.append(lock_file.parse(text.encode(), found[1], f"{revision[:12]}:{name}"))
            except UserError as error:
                console.warn(f"{error.what}; what was in it is not compared")
    return locks


def _refuse_ignored(project: Repository) -> None:
    if not project.ask("ls-files", "--", "vendor") and project.succeeds("check-ignore", "--quiet", "vendor"):
        raise UserError(
            "vendor/: git ignores it", f"take it out of what `git -C {project.directory} check-ignore -v vendor` names"
        )


def recorded_by_tips(project: Repository) -> dict[str, str]:
    """Return each revision that a branch, a tag, a work tree or the index records, with the name of one of them."""
    found: dict[str, str] = {}
    for commit, name in _tips(project).items():
        revision = recorded_at(project, commit)
        if revision:
            found.setdefault(revision, name)
    staged = project.ask("ls-files", "--stage", "--", "vendor").split()
    if staged and staged[0] == _GITLINK:
        found.setdefault(staged[1], "what is staged")
    return found


def ever_recorded(project: Repository) -> frozenset[str]:
    """Return each revision that any commit which a branch or tag reaches has set vendor/ to."""
    listed = project.read("log", "--all", "-m", "--full-history", "--format=", "--raw", "--no-abbrev", "--", "vendor")
    return frozenset(line.split()[3] for line in listed.splitlines() if line.split()[1] == _GITLINK)


def require_all_fetched(project: Repository) -> None:
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
