"""A project with a vendor/ of its own repository, as a user has it: real git, with remotes in directories beside it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from tests.unit.vendored_files import vendored, write_lock

CONFIG = """\
[user]
name = A Developer
email = developer@example.com
[init]
defaultBranch = main
[protocol "file"]
allow = always
[advice]
detachedHead = false
[core]
excludesFile = {excludes}
"""


def git(directory: Path, *words: str) -> str:
    """Run git and return what it printed."""
    done = subprocess.run(
        ["git", "-C", str(directory), *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.strip()


def isolate(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give git a configuration of its own, by which it ignores archives: many people's does."""
    home.mkdir()
    (home / "excludes").write_text("*.tar.gz\n")
    (home / "gitconfig").write_text(CONFIG.format(excludes=home / "excludes"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@dataclass(frozen=True)
class VendorProject:
    """A project at `work.root`; its repository is pushed to project.git, that of vendor/ to vendor.git beside it."""

    work: Workspace

    @property
    def root(self) -> Path:
        return self.work.root

    @property
    def vendor(self) -> Path:
        return self.root / "vendor"

    @property
    def bare(self) -> Path:
        return self.root.with_name("vendor.git")

    @property
    def arguments(self) -> list[str]:
        return ["--project", str(self.root)]

    def lock(self, *keys: str, build: tuple[str, ...] = (), size: int = 10) -> VendorProject:
        """Make vendor/ hold these distributions, given as `name==version`, as `make vendor` does."""
        for path in self.vendor.glob("*.tar.gz"):
            path.unlink()
        made = {
            key: vendored(self.work, name, key.encode() * size, version)
            for key in (*keys, *build)
            for name, _, version in [key.partition("==")]
        }
        write_lock(self.work, "api", *(made[key] for key in keys), build=tuple(made[key] for key in build))
        return self

    def commit(self, text: str) -> str:
        """Commit vendor/ and the project with plain git, and return the revision of vendor/."""
        git(self.vendor, "add", "--all", "--force")
        git(self.vendor, "commit", "--quiet", "--message", text)
        git(self.root, "commit", "--quiet", "--message", text, "vendor")
        return git(self.vendor, "rev-parse", "HEAD")

    def push(self) -> None:
        """Push both."""
        git(self.vendor, "push", "--quiet", "origin", "HEAD:main")
        git(self.root, "push", "--quiet", "--tags", "origin", "HEAD")


def with_directory(work: Workspace) -> VendorProject:
    """Return a project whose vendor/ is still to be committed as a part of it."""
    work.service("api", "api", "")
    git(work.root, "init", "--quiet")
    git(work.root, "add", "--all")
    git(work.root, "commit", "--quiet", "--message", "A service")
    return VendorProject(work)


def with_submodule(work: Workspace) -> VendorProject:
    """Return a project whose vendor/ is a submodule with nothing in it, both pushed."""
    project = with_directory(work)
    for name in ("vendor.git", "project.git"):
        git(work.root, "init", "--quiet", "--bare", str(work.root.with_name(name)))
    git(work.root, "remote", "add", "origin", str(work.root.with_name("project.git")))
    git(work.root, "clone", "--quiet", str(project.bare), "vendor")
    git(project.vendor, "commit", "--quiet", "--allow-empty", "--message", "A place for vendored files")
    git(project.vendor, "push", "--quiet", "origin", "HEAD:main")
    git(work.root, "submodule", "--quiet", "add", "../vendor.git", "vendor")
    git(work.root, "submodule", "--quiet", "absorbgitdirs", "vendor")
    git(work.root, "commit", "--quiet", "--message", "vendor/ as a submodule")
    project.push()
    return project


def copy(template: Path, target: Path) -> VendorProject:
    """Copy what `with_submodule` has made in one directory to another: that is faster than to make it."""
    for name in ("project", "project.git", "vendor.git"):
        shutil.copytree(template / name, target / name, symlinks=True)
    root = target / "project"
    git(root, "remote", "set-url", "origin", str(target / "project.git"))
    git(root / "vendor", "remote", "set-url", "origin", str(target / "vendor.git"))
    return VendorProject(Workspace(root))
