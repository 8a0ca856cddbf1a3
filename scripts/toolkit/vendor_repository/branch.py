"""Which branch of the vendor repository a commit goes to: a submodule is usually at a revision, not on a branch."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.core.git import Repository


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


def choose(vendor: Repository, project: Repository) -> Destination:
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


def remote_of(vendor: Repository) -> str:
    """Return the remote that the submodule comes from."""
    remotes = vendor.ask("remote").split()
    return "origin" if "origin" in remotes or not remotes else remotes[0]


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
