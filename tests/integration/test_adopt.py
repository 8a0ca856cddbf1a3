"""`adopt`: what it changes in real repositories, and that it changes nothing where it cannot do all of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import public_projects
from tests.integration.test_new_project import TOOLKIT, git
from toolkit.core import git as git_of_toolkit
from toolkit.core import process
from toolkit.project.settings import Settings
from toolkit.scaffold import adopting
from toolkit.scaffold.new_project import Request

pytestmark = pytest.mark.skipif(not (TOOLKIT / ".git").exists(), reason="the toolkit is not a git repository here")


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Return a repository with one commit, something staged and something changed."""
    root = tmp_path / "shop"
    public_projects.write(root, public_projects.FLASK)
    git(tmp_path, "init", "--quiet", "shop")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Theirs")
    (root / "staged.py").write_text("")
    git(root, "add", "staged.py")
    (root / "app.py").write_text("import nothing\n" + public_projects.FLASK["app.py"])
    return root


def adopt(
    directory: Path, *words: str | Path, toolkit: str | Path = TOOLKIT, script: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run adopt as a user does."""
    command = [script or TOOLKIT / "scripts/adopt", "--toolkit", toolkit, *words]
    return subprocess.run(
        list(map(str, command)),
        cwd=directory,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )


def state(root: Path) -> dict[str, bytes | str]:
    """Return all that a repository is: its files, its index and its configuration."""
    found: dict[str, bytes | str] = {"index": git(root, "ls-files", "--stage")}
    for path in sorted(root.parent.rglob("*")):
        name = str(path.relative_to(root.parent))
        # What runs from common/ may leave byte code there.
        if "__pycache__" not in name and ("/.git/" not in name or name.endswith(".git/config")):
            found[name] = path.read_bytes() if path.is_file() else "directory"
    found["modules"] = str((root / ".git/modules").exists())
    return found


def test_what_is_written_is_staged_and_nothing_of_theirs_is_touched(theirs: Path) -> None:
    before = {path: path.read_bytes() for path in theirs.rglob("*") if path.is_file() and ".git/" not in str(path)}
    done = adopt(theirs)
    assert done.returncode == 0, done.stderr
    assert {path: path.read_bytes() for path in before} == before
    status = {
        line[2:].strip(): line[:2] for line in process.read(["git", "status", "--porcelain"], cwd=theirs).splitlines()
    }
    assert status.pop("app.py") == " M"
    assert set(status.values()) == {"A "}
    assert {"staged.py", "Makefile", "common", "vendor", ".gitmodules", "bin/yc-shop"} <= status.keys()
    assert git(theirs, "log", "--format=%s") == "Theirs"
    assert git(theirs, "config", "--file", ".gitmodules", "submodule.vendor.url") == "../shop-vendor.git"
    assert git(theirs, "config", "--file", ".gitmodules", "submodule.common.url") == str(TOOLKIT)
    assert (theirs / "common/.git").is_file()
    head = git(theirs / "vendor", "rev-parse", "HEAD")
    assert git(theirs.parent / "shop-vendor.git", "rev-parse", "HEAD") == head
    assert "shop is a project, and what was written is staged; next:\n    make vendor deb\n" in done.stdout
    assert os.access(theirs / "bin/yc-shop", os.X_OK)


def test_a_dry_run_says_the_same_and_does_nothing(theirs: Path) -> None:
    before = state(theirs)
    said = adopt(theirs, "--dry-run")
    assert said.returncode == 0, said.stderr
    assert state(theirs) == before
    done = adopt(theirs).stdout
    assert said.stdout.splitlines() == [line for line in done.splitlines() if line.startswith("  ")][:-3]


def test_again_everything_is_kept(theirs: Path) -> None:
    adopt(theirs)
    before = state(theirs)
    done = adopt(theirs, script=theirs / "common/scripts/adopt")
    assert done.returncode == 0, done.stderr
    assert state(theirs) == before
    assert {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ") and line[2] != " "} == {
        "FOUND",
        "KEEP",
    }


@pytest.mark.parametrize(
    ("option", "reason"), [("--toolkit", "what is there is not this toolkit"), ("--vendor", "git failed with status")]
)
def test_a_repository_that_cannot_be_used_changes_nothing(theirs: Path, option: str, reason: str) -> None:
    """Its branches can be listed, so only the clone of it finds out."""
    broken = theirs.parent / "broken.git"
    git(theirs.parent, "init", "--quiet", "--bare", "broken.git")
    git(theirs, "push", "--quiet", str(broken), "HEAD:refs/heads/main")
    if option == "--vendor":
        for path in (broken / "objects").glob("??/*"):
            path.unlink()
    before = state(theirs)
    done = adopt(theirs, option, broken)
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert state(theirs) == before


@pytest.mark.parametrize("moment", ["first submodule", "second submodule", "staging"])
def test_a_failure_at_any_step_leaves_everything_as_it_was(
    theirs: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(theirs)
    real, calls = git_of_toolkit.run, []

    def run(directory: Path, *words: str | Path) -> str:
        answer = real(directory, *words)
        if directory == theirs:
            calls.append(words)
            if {
                "first submodule": words[0] == "submodule",
                "second submodule": words[-1] == "vendor",
                "staging": words[0] == "add",
            }[moment]:
                raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(git_of_toolkit, "run", run)
    with pytest.raises(KeyboardInterrupt):
        adopting.adopt(Settings(project=theirs), Request(service="", toolkit=str(TOOLKIT)), dry_run=False)
    assert calls
    assert state(theirs) == before


def test_a_repository_without_a_commit_and_one_without_a_branch_are_adopted(theirs: Path, tmp_path: Path) -> None:
    git(theirs, "checkout", "--quiet", "--detach")
    assert adopt(theirs).returncode == 0
    fresh = tmp_path / "fresh"
    public_projects.write(fresh, public_projects.POETRY)
    git(tmp_path, "init", "--quiet", "fresh")
    done = adopt(fresh)
    assert done.returncode == 0, done.stderr
    assert "    make vendor deb FROM=poetry.lock\n" in done.stdout
    assert done.stderr.endswith("not in git, so not in the package; `git add` or ignore it\n")


def test_in_a_worktree_the_submodules_are_its_own(theirs: Path, tmp_path: Path) -> None:
    git(theirs, "worktree", "add", "--quiet", "../second")
    done = adopt(tmp_path / "second", "--name", "shop")
    assert done.returncode == 0, done.stderr
    assert git(tmp_path / "second", "submodule", "status").count("\n") == 1
    assert git(theirs, "status", "--porcelain", "--untracked-files=no").count("\n") == 1


def test_beside_a_makefile_of_theirs_the_targets_are_those_of_the_toolkit_s(theirs: Path) -> None:
    (theirs / "Makefile").write_text("test:\n\ttouch never\n")
    git(theirs, "add", "Makefile")
    done = adopt(theirs)
    assert "    make --file common/project.mk vendor deb\n" in done.stdout
    assert "with a line `include common/project.mk` it has these targets, too" in done.stdout
    info = process.read(["make", "--file", "common/project.mk", "info"], cwd=theirs)
    assert f"{theirs}\n" in info
    assert "shop" in info
    assert not (theirs / "never").exists()


def test_what_git_does_not_ignore_is_said(theirs: Path) -> None:
    (theirs / ".gitignore").write_text("/dist/\n")
    said = adopt(theirs).stdout
    assert ".gitignore does not name build/, which `make` writes: add a line /build/\n" in said
    assert ".gitignore does not name dist/" not in said


@pytest.mark.parametrize(
    ("prepare", "what", "hint"),
    [
        (lambda root: root / "greetings", "not the top of its git repository", "run it in "),
        (lambda root: root.parent, "not a git repository", "`git init && git add --all && git commit`"),
        (lambda root: root / "nowhere", "no directory", "`new-project` makes one"),
        (lambda root: TOOLKIT, "the toolkit itself, not a project", "run it in the repository"),
        (lambda root: (root.parent / "shop-vendor.git").mkdir() or root, "exists already", "--vendor"),
        (lambda root: (root / ".git/MERGE_HEAD").touch() or root, "a merge is under way", "finish it"),
    ],
)
def test_where_it_cannot_be_done_nothing_is(
    theirs: Path, prepare: Callable[[Path], Path], what: str, hint: str
) -> None:
    directory = prepare(theirs)
    before = state(theirs)
    done = adopt(theirs.parent, directory)
    assert done.returncode == 1
    error, told = done.stderr.splitlines()[-2:]
    assert what in error
    assert hint in told
    assert state(theirs) == before


def test_nobody_to_commit_as_is_said_before_anything(theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")
    before = state(theirs)
    done = adopt(theirs)
    assert "git does not know who you are" in done.stderr
    assert state(theirs) == before


def test_nothing_of_theirs_is_run(theirs: Path) -> None:
    """Neither their makefile, nor their code, nor their hooks."""
    trap = theirs.parent / "sprung"
    (theirs / "setup.py").write_text(f"open({str(trap)!r}, 'w')\nfrom setuptools import setup\nsetup(name='shop')\n")
    (theirs / "Makefile").write_text(f"X := $(shell touch {trap})\ninclude common/project.mk\n")
    for hook in ("pre-commit", "post-checkout"):
        path = theirs / ".git/hooks" / hook
        path.write_text(f"#!/bin/sh\ntouch {trap}\n")
        path.chmod(0o755)
    git(theirs, "-c", f"core.hooksPath={os.devnull}", "add", "--all")
    assert adopt(theirs).returncode == 0
    assert not trap.exists()


def test_a_submodule_that_is_not_there_yet_is_asked_for(theirs: Path) -> None:
    adopt(theirs)
    git(theirs, "commit", "--quiet", "--all", "--message", "Adopted")
    git(theirs.parent, "clone", "--quiet", "shop", "again")
    done = adopt(theirs.parent / "again")
    assert done.returncode == 1
    assert "common/: a submodule that is not initialised" in done.stderr


@pytest.mark.parametrize(
    "verb",
    [
        "vendor",
        "check-vendor",
        "build",
        "test",
        "lint",
        "deb",
        "sbom",
        "graph",
        "outdated",
        "create-virtual-environment",
    ],
)
def test_no_verb_takes_the_toolkit_for_a_project_that_has_no_package(theirs: Path, verb: str) -> None:
    """Each says what there is that is no package, and what makes one of it."""
    public_projects.write(
        theirs / "common",
        {
            "project.mk": "",
            "scripts/toolkit/__init__.py": "",
            "setup.py": "from setuptools import setup\nsetup(name='yc_common', version='1')\n",
        },
    )
    words = ["/usr/bin/python3", TOOLKIT / "scripts/verb.py", verb, "--project", theirs]
    done = subprocess.run(
        list(map(str, words)), text=True, check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=60
    )
    assert done.returncode == 1
    error, hint = done.stderr.splitlines()
    assert error == f"error: {theirs}: no package here: requirements.txt is beside no setup.py or pyproject.toml"
    assert "scripts/adopt` makes one of what is there" in hint
