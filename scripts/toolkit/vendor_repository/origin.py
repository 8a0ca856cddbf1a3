"""Where a vendor repository is kept: a directory of this machine, or a server that only has a copy made of it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from toolkit.core import console, git, secrets
from toolkit.core.errors import UserError
from toolkit.core.git import Repository
from toolkit.project.settings import Settings

_BY_SSH = re.compile(r"(?P<host>[^/:]+):(?P<path>.+)")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A remote of vendor/: its URL, its bare `directory` on this machine (none: on a server), and the name to show."""

    url: str
    directory: Path | None
    name: str

    def whole(self, settings: Settings, vendor: Repository) -> Repository:
        """Return the repository; of one on a server a copy below build/, made with what vendor/ has of it."""
        if self.directory:
            return Repository(directory=self.directory, name=self.name)
        target = settings.build / "trim-vendor" / "whole.git"
        found = Repository(directory=target, name=self.name)
        if found.directory.exists() and found.ask("remote", "get-url", "origin") == self.url:
            console.step("FETCH", self.name)
            found.run("fetch", "--quiet", "--prune", "--update-shallow", "origin")
            return found
        console.step("CLONE", f"all of {self.name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        have = str(vendor.path(".").resolve())
        options = ["--quiet", "--mirror", "--reference-if-able", have, "--dissociate"]
        Repository(directory=target.parent, name=self.name).run("clone", *options, "--", self.url, str(target))
        return found

    def commands(self, made: Path) -> list[str]:
        """Return what puts a trimmed repository in its place on a server; empty where no shell of it can be reached."""
        host, port, path = _ssh(self.url)
        if not host:
            return []
        new, old = (shlex.quote(f"{path}.{word}") for word in ("trimmed", "before-trim"))
        there = shlex.quote(path)
        swap = f"cp -a {there}/config {there}/hooks {new}/ && mv {there} {old} && mv {new} {there}"
        shell = f"-e 'ssh -p {port}' " if port else ""
        option = f"-p {port} " if port else ""
        return [
            f"rsync -a {shell}{shlex.quote(f'{made}/')} {shlex.quote(f'{host}:{path}.trimmed/')}",
            f"ssh {option}{host} {shlex.quote(swap)}",
        ]


def remote_of(vendor: Repository) -> str:
    """Return the remote that the submodule comes from."""
    remotes = vendor.ask("remote").split()
    return "origin" if "origin" in remotes or not remotes else remotes[0]


def url_of(vendor: Repository, remote: str) -> str:
    """Return the URL of a remote, empty where there is none. Raises `UserError` for one with a password in it."""
    url = vendor.ask("remote", "get-url", remote)
    if (plain := secrets.without_credentials(url)) != url:
        raise UserError(
            f"vendor/: its remote {remote} has a user or a password in its URL, which git shows to every user of the "
            "machine",
            f"`git -C vendor remote set-url {remote} {plain}`; git asks for them, or has them from a credential "
            "helper (`git help credentials`)",
        )
    return url


def locate(vendor: Repository, remote: str) -> Origin:
    """Return where the repository is. Raises `UserError` where vendor/ has no remote, or that is no bare repository."""
    url = url_of(vendor, remote)
    if not url:
        raise UserError(
            f"vendor/: it has no remote {remote}, so there is no repository to trim",
            "`git -C vendor remote add` says where its repository is",
        )
    if not git.is_local(url):
        return Origin(url=url, directory=None, name=url)
    local = unquote(url.removeprefix("file://")) if url.startswith("file://") else url
    path = Path(git.absolute(local, vendor.directory))
    for candidate in (path, path.with_name(f"{path.name}.git")):
        if candidate.is_dir():
            return Origin(url=url, directory=_bare(candidate), name=candidate.name)
    raise UserError(
        f"{path}: the repository of vendor/ is not there", "`git -C vendor remote set-url origin` says where it is"
    )


def _ssh(url: str) -> tuple[str, str, str]:
    """Return user and host, port and path of a URL by ssh; all empty for another one."""
    parts = urlsplit(url)
    if parts.scheme in ("ssh", "git+ssh", "ssh+git"):
        host = parts.hostname or ""
        return f"{parts.username}@{host}" if parts.username else host, str(parts.port or ""), parts.path
    found = _BY_SSH.fullmatch(url)
    return (found["host"], "", found["path"]) if found and "://" not in url else ("", "", "")


def _bare(directory: Path) -> Path:
    found = Repository(directory=directory, name=directory.name)
    if found.read("rev-parse", "--is-bare-repository") != "true":
        raise UserError(
            f"{directory}: it has a work tree of its own, where its history is needed",
            "only a bare repository is trimmed; `git clone --bare` makes one of it",
        )
    return directory.resolve()
