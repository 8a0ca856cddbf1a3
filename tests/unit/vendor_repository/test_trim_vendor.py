"""The vendor repository gets a shorter history, and everything that a project's branches and tags need still comes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from tests.unit.vendor_project import VendorProject, copy, git, isolate, with_directory, with_submodule
from toolkit.core.errors import UserError
from toolkit.core.git import Repository
from toolkit.vendor_repository import trimming
from toolkit.vendor_repository.origin import Origin
from toolkit.vendor_repository.trimming import Trim
from toolkit.verbs import command_line

# Histories of real repositories, cloned and pushed.
pytestmark = pytest.mark.slow

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Return a project with eight revisions of vendor/, of which tags name the second and the fifth."""
    root = tmp_path_factory.mktemp("template")
    (root / "project").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        isolate(root / "home", patch)
        project = with_submodule(Workspace(root / "project"))
        revisions = []
        for number in range(1, 9):
            revisions.append(project.lock(f"flask=={number}", size=100).commit(f"v{number}"))
            if number in (2, 5):
                git(project.root, "tag", "--annotate", "--message", "x", f"r{number}")
        project.push()
    return root, revisions


@pytest.fixture(autouse=True)
def _own_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path / "home", monkeypatch)


@pytest.fixture
def project(tmp_path: Path, template: tuple[Path, list[str]]) -> VendorProject:
    """Return a copy of the project, with its two repositories beside it."""
    return copy(template[0], tmp_path)


@pytest.fixture
def revisions(template: tuple[Path, list[str]]) -> list[str]:
    return template[1]


def trim(project: VendorProject, *options: str) -> None:
    assert command_line.main(["trim-vendor", *project.arguments, *options]) == 0


def refused(project: VendorProject, *options: str) -> UserError:
    """Return the error of a trim that is refused; the repository may not have changed."""
    before = snapshot(project.bare)
    with pytest.raises(UserError) as caught:
        trim(project, "--yes", *options)
    assert snapshot(project.bare) == before
    assert [path.name for path in project.bare.parent.iterdir() if path.name.startswith(".trim")] == []
    assert caught.value.hint
    return caught.value


def snapshot(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def clone(project: VendorProject, revision: str, target: Path, *options: str) -> Path:
    """Clone the project afresh at a revision, with its submodule, and return where its vendor/ is."""
    git(target.parent, "clone", "--quiet", "--branch", revision, f"file://{project.root}.git", str(target))
    git(target, "config", "submodule.vendor.url", f"file://{project.bare}")
    git(target, "submodule", "--quiet", "update", "--init", *options)
    git(target / "vendor", "fsck", "--strict")
    return target / "vendor"


def test_shows_what_it_would_drop_and_does_nothing(project: VendorProject, capsys: Captured) -> None:
    before = snapshot(project.bare)
    trim(project, "--keep", "1")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("  ALL     vendor.git: 9 revisions, ")
    assert lines[1].startswith("  KEEP    3 revisions, 12 objects, ")
    assert lines[2].strip() == "and what branches and tags of the project record"
    assert lines[3].startswith("  DROP    6 revisions, ")
    assert lines[4].startswith("commits between branches and tags of the project record 6 of these")
    assert lines[5] == "nothing has been done: `make trim-vendor YES=1` does it"
    assert snapshot(project.bare) == before


@pytest.mark.parametrize("options", [(), ("--depth", "1")])
def test_every_branch_and_tag_of_the_project_is_cloned_as_before(
    project: VendorProject, tmp_path: Path, options: tuple[str, ...], revisions: list[str]
) -> None:
    trim(project, "--keep", "2", "--yes")
    for revision, number in (("r2", 2), ("r5", 5), ("main", 8)):
        vendor = clone(project, revision, tmp_path / revision, *options)
        assert git(vendor, "rev-parse", "HEAD") == revisions[number - 1]
        assert [path.name for path in vendor.glob("*.tar.gz")] == [f"flask-{number}.tar.gz"]


def test_what_is_dropped_is_gone_and_the_repository_whole_and_smaller(
    project: VendorProject, revisions: list[str]
) -> None:
    project.lock("flask==9", size=1).commit("v9")
    project.push()
    trim(project, "--keep", "2", "--yes")
    assert "missing" not in git(project.bare, "fsck", "--full")
    held = git(project.bare, "rev-list", "--all").split()
    assert sorted(held) == sorted([git(project.vendor, "rev-parse", "HEAD"), *(revisions[n] for n in (1, 4, 7))])
    objects = git(project.bare, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    assert revisions[2] not in objects


def test_the_project_is_not_touched(project: VendorProject) -> None:
    def state() -> tuple[str, ...]:
        return tuple(git(project.root, *words.split()) for words in ("show-ref", "status --porcelain", "stash list"))

    before = state()
    trim(project, "--yes")
    assert state() == before


@pytest.mark.parametrize("as_url", [False, True])
def test_a_path_may_hold_anything(project: VendorProject, tmp_path: Path, as_url: bool) -> None:
    path = tmp_path / ("ein Ort mit %20 für: vendor.git" if not as_url else "für vendor.git")
    project.bare.rename(path)
    git(project.vendor, "remote", "set-url", "origin", f"file://{path}" if as_url else str(path))
    trim(project, "--keep", "1", "--yes")
    assert git(path, "rev-list", "--all", "--count") == "3"
    assert path.with_name(f"{path.name}.before-trim").is_dir()


def test_what_was_there_before_is_kept_until_it_is_removed(project: VendorProject, capsys: Captured) -> None:
    before = snapshot(project.bare)
    trim(project, "--keep", "1", "--yes")
    backup = project.bare.with_name("vendor.git.before-trim")
    assert snapshot(backup) == before
    assert f"rm -rf {backup}" in capsys.readouterr().out
    project.lock("flask==9").commit("v9")
    project.push()
    assert "what was there before it was last trimmed is still kept" in refused(project, "--keep", "1").what


def test_its_configuration_and_hooks_stay(project: VendorProject) -> None:
    git(project.bare, "config", "receive.denyDeletes", "true")
    hook = project.bare / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o750)
    trim(project, "--keep", "1", "--yes")
    assert git(project.bare, "config", "receive.denyDeletes") == "true"
    assert hook.stat().st_mode & 0o777 == 0o750
    assert git(project.bare, "symbolic-ref", "HEAD") == "refs/heads/main"


def test_clones_of_before_go_on(project: VendorProject, tmp_path: Path) -> None:
    """One that is within what is kept pulls, commits and pushes as ever; so does one made after."""
    colleague = clone(project, "main", tmp_path / "colleague")
    project.lock("flask==9").commit("v9")
    project.push()
    trim(project, "--keep", "2", "--yes")
    newcomer = clone(project, "main", tmp_path / "newcomer")
    for name, vendor in (("colleague", colleague), ("newcomer", newcomer)):
        git(vendor, "fetch", "--quiet", "origin")
        git(vendor, "checkout", "--quiet", "-B", "main", "origin/main")
        (vendor / name).write_text(name)
        git(vendor, "add", name)
        git(vendor, "commit", "--quiet", "--message", name)
        git(vendor, "push", "--quiet", "origin", "main")
        git(vendor, "fsck", "--strict")
    git(project.vendor, "fetch", "--quiet", "origin")
    assert git(project.vendor, "log", "-2", "--format=%s", "origin/main").split() == ["newcomer", "colleague"]
    assert "missing" not in git(project.bare, "fsck", "--full")


def test_once_more_goes_on_from_the_shorter_history(
    project: VendorProject, revisions: list[str], tmp_path: Path
) -> None:
    trim(project, "--keep", "3", "--yes")
    shutil.rmtree(project.bare.with_name("vendor.git.before-trim"))
    git(project.root, "tag", "--delete", "r2")
    git(project.root, "push", "--quiet", "origin", ":refs/tags/r2")
    project.lock("flask==9").commit("v9")
    project.push()
    trim(project, "--keep", "1", "--yes")
    assert git(project.bare, "tag").split() == sorted(
        f"kept/{id}" for id in (revisions[4], git(project.vendor, "rev-parse", "HEAD"))
    )
    clone(project, "r5", tmp_path / "r5")
    clone(project, "main", tmp_path / "main")


def test_with_nothing_to_drop_it_says_so(project: VendorProject, capsys: Captured) -> None:
    before = snapshot(project.bare)
    trim(project, "--keep", "50", "--yes")
    assert "nothing to do" in capsys.readouterr().out
    assert snapshot(project.bare) == before


def test_branches_and_tags_of_the_vendor_repository_itself_stay(project: VendorProject, revisions: list[str]) -> None:
    git(project.bare, "branch", "side", revisions[3])
    git(project.bare, "tag", "--annotate", "--message", "x", "mine", revisions[2])
    trim(project, "--keep", "1", "--yes")
    assert git(project.bare, "rev-parse", "side", "mine^{commit}").split() == [revisions[3], revisions[2]]


def test_a_clone_that_has_no_history_trims_and_commits_as_any(project: VendorProject, tmp_path: Path) -> None:
    """`shallow = true` in .gitmodules, before and after the repository is trimmed."""
    git(project.root, "config", "--file", ".gitmodules", "submodule.vendor.shallow", "true")
    git(project.root, "commit", "--quiet", "--all", "--message", "shallow")
    project.push()
    for number, name in ((9, "before"), (10, "after")):
        vendor = clone(project, "main", tmp_path / name)
        assert git(vendor, "rev-list", "--count", "HEAD") == "1"
        shallow = VendorProject(Workspace(tmp_path / name)).lock(f"flask=={number}")
        assert command_line.main(["commit-vendor", *shallow.arguments]) == 0
        assert git(shallow.root, "log", "-1", "--format=%s") == f"vendor: flask {number - 1} -> {number}"
        shallow.push()
        if name == "before":
            trim(shallow, "--keep", "1", "--yes")
    assert "missing" not in git(project.bare, "fsck", "--full")


class TestRefusals:
    def test_what_is_not_committed(self, project: VendorProject) -> None:
        (project.vendor / "README").write_text("x")
        assert refused(project).what == "vendor/: what is in it is not committed"

    def test_what_is_not_pushed(self, project: VendorProject) -> None:
        project.lock("flask==9").commit("v9")
        assert refused(project).what == "vendor/: commits that origin does not have: 1"

    def test_a_revision_that_only_this_clone_has(self, project: VendorProject) -> None:
        git(project.vendor, "checkout", "--quiet", "--detach")
        project.lock("flask==9").commit("v9")
        git(project.root, "tag", "lost")
        git(project.root, "reset", "--quiet", "--hard", "HEAD~1")
        git(project.root, "submodule", "--quiet", "update")
        assert refused(project).what.startswith("lost of the project records the revision ")

    def test_a_branch_of_the_project_that_is_not_here(self, project: VendorProject, tmp_path: Path) -> None:
        git(tmp_path, "clone", "--quiet", "project.git", "colleague")
        git(tmp_path / "colleague", "commit", "--quiet", "--allow-empty", "--message", "x")
        git(tmp_path / "colleague", "push", "--quiet", "origin", "HEAD:theirs")
        assert refused(project).what == "origin has what is not here: theirs; its revision of vendor/ is unknown"

    def test_a_directory_of_the_project(self, workspace: Workspace) -> None:
        project = with_directory(workspace).lock("flask==1")
        with pytest.raises(UserError, match="a directory of the project"):
            trim(project)

    def test_a_submodule_without_a_remote(self, project: VendorProject) -> None:
        git(project.vendor, "remote", "remove", "origin")
        assert "it has no remote origin" in refused(project).what

    def test_a_remote_that_is_not_there(self, project: VendorProject) -> None:
        git(project.vendor, "remote", "set-url", "origin", "/nowhere/vendor.git")
        assert refused(project).what == "/nowhere/vendor.git: the repository of vendor/ is not there"

    @pytest.mark.parametrize("login", ["me:s3cret", "s3cret", "me:s3cret#1"])
    def test_a_remote_with_credentials(self, project: VendorProject, login: str) -> None:
        git(project.vendor, "remote", "set-url", "origin", f"https://{login}@127.0.0.1:9/vendor.git")
        error = refused(project)
        assert "has a user or a password in its URL" in error.what
        assert "s3cret" not in str(error)

    def test_a_remote_with_a_work_tree(self, project: VendorProject, tmp_path: Path) -> None:
        git(tmp_path, "clone", "--quiet", "vendor.git", "with-tree")
        git(project.vendor, "remote", "set-url", "origin", str(tmp_path / "with-tree"))
        assert "it has a work tree of its own" in refused(project).what

    @pytest.mark.parametrize("text", ["0", "-1", "many", "²", ""])
    def test_a_number_that_is_none(self, project: VendorProject, text: str) -> None:
        assert refused(project, f"--keep={text}").what == f"KEEP={text}: not a number of revisions"

    def test_somebody_who_pushes_meanwhile(self, project: VendorProject, monkeypatch: pytest.MonkeyPatch) -> None:
        real = trimming.build

        def build(plan: Trim, target: Path) -> Repository:
            git(project.vendor, "push", "--quiet", "origin", "HEAD:refs/heads/meanwhile")
            return real(plan, target)

        monkeypatch.setattr(trimming, "build", build)
        with pytest.raises(UserError, match="somebody has pushed to it meanwhile"):
            trim(project, "--keep", "1", "--yes")
        assert git(project.bare, "rev-list", "--count", "main") == "9"


def test_a_revision_that_is_nowhere_any_more_is_warned_of(project: VendorProject, capsys: Captured) -> None:
    git(project.root, "update-index", "--cacheinfo", f"160000,{'1' * 40},vendor")
    git(project.root, "commit", "--quiet", "--message", "x")
    git(project.root, "tag", "broken")
    git(project.root, "reset", "--quiet", "--hard", "HEAD~1")
    trim(project, "--keep", "1")
    said = capsys.readouterr().err
    assert "broken of the project records the revision 111111111111 of vendor/, which is nowhere any more" in said


def test_of_a_server_it_makes_what_is_to_be_put_there(
    project: VendorProject, monkeypatch: pytest.MonkeyPatch, capsys: Captured, tmp_path: Path
) -> None:
    """The server is a directory here, which git reaches by way of `ssh`."""
    shell = tmp_path / "ssh"
    shell.write_text('#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c "$1"\n')
    shell.chmod(0o755)
    monkeypatch.setenv("GIT_SSH", str(shell))
    git(project.vendor, "remote", "set-url", "origin", f"git@server:{project.bare}")
    before = snapshot(project.bare)
    trim(project, "--keep", "1")
    trim(project, "--keep", "1", "--yes")
    assert snapshot(project.bare) == before
    said = capsys.readouterr().out
    assert f"rsync -a build/trim-vendor/trimmed.git/ git@server:{project.bare}.trimmed/" in said
    made = project.root / "build" / "trim-vendor" / "trimmed.git"
    # What the printed command does there.
    (_, command) = Origin(url=f"git@server:{project.bare}", directory=None, name="x").commands(made)
    shutil.copytree(made, f"{project.bare}.trimmed")
    assert os.system(command.replace("ssh git@server", f"{shell} git@server")) == 0
    clone(project, "r2", tmp_path / "r2")
    assert git(project.bare, "rev-list", "--all", "--count") == "3"


@pytest.mark.parametrize(
    ("url", "first", "second"),
    [
        ("git@host:team/v.git", "rsync -a new/ git@host:team/v.git.trimmed/", "ssh git@host '"),
        (
            "ssh://me@host:2222/srv/v.git",
            "rsync -a -e 'ssh -p 2222' new/ me@host:/srv/v.git.trimmed/",
            "ssh -p 2222 me@host '",
        ),
    ],
)
def test_the_commands_for_a_server(url: str, first: str, second: str) -> None:
    found = Origin(url=url, directory=None, name=url).commands(Path("new"))
    assert found[0] == first
    assert found[1].startswith(second)


def test_no_commands_are_made_up_for_who_has_no_shell_there() -> None:
    url = "https://host.example/team/v.git"
    assert Origin(url=url, directory=None, name=url).commands(Path("new")) == []
