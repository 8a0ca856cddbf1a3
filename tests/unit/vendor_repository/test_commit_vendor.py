"""vendor/ is committed with a message that says what changed, and nothing else is committed with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from tests.unit.vendor_project import VendorProject, copy, git, isolate, with_directory, with_submodule
from toolkit.core.errors import UserError
from toolkit.verbs import command_line

# Histories of real repositories, cloned and pushed.
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _own_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path / "home", monkeypatch)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where a project is with one vendored distribution, committed and pushed; its vendor/ is a submodule."""
    root = tmp_path_factory.mktemp("template")
    (root / "project").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        isolate(root / "home", patch)
        project = with_submodule(Workspace(root / "project")).lock("flask==3.0")
        project.commit("one")
        project.push()
    return root


@pytest.fixture
def project(template: Path, tmp_path: Path) -> VendorProject:
    """Return a copy of the project, with its two repositories beside it."""
    return copy(template, tmp_path)


def commit(project: VendorProject, *options: str) -> int:
    return command_line.main(["commit-vendor", *project.arguments, *options])


def refused(project: VendorProject) -> UserError:
    """Return the error of a commit that is refused; nothing may have changed."""
    before = git(project.root, "status", "--porcelain"), git(project.root, "log", "--oneline")
    with pytest.raises(UserError) as caught:
        commit(project)
    assert (git(project.root, "status", "--porcelain"), git(project.root, "log", "--oneline")) == before
    assert caught.value.hint
    return caught.value


def test_both_commits_list_what_changed(project: VendorProject) -> None:
    project.lock("flask==3.1", "jinja==1", build=("wheel==2",))
    assert commit(project) == 0
    text = (
        "vendor: 2 added, 1 upgraded\n\napi:\n  * flask 3.0 -> 3.1\n  + jinja 1\n\n"
        "api, only to build and test:\n  + wheel 2"
    )
    assert git(project.vendor, "log", "-1", "--format=%B") == text
    assert git(project.root, "log", "-1", "--format=%B") == text
    assert git(project.root, "rev-parse", "HEAD:vendor") == git(project.vendor, "rev-parse", "HEAD")
    assert git(project.root, "status", "--porcelain") == ""


def test_archives_that_the_users_own_rules_ignore_are_committed(project: VendorProject) -> None:
    project.lock("flask==3.1")
    commit(project)
    assert git(project.vendor, "ls-tree", "--name-only", "HEAD").split() == ["flask-3.1.tar.gz", "pylock.api.toml"]


def test_other_changes_of_the_project_stay_as_they_are(project: VendorProject) -> None:
    project.work.write({"staged": "x", "api/setup.py": (project.root / "api/setup.py").read_text() + "# changed\n"})
    git(project.root, "add", "staged")
    before = git(project.root, "status", "--porcelain")
    project.lock("flask==3.1")
    commit(project)
    assert git(project.root, "status", "--porcelain") == before
    assert git(project.root, "show", "--name-only", "--format=").split() == ["vendor"]


def test_the_second_time_there_is_nothing_to_do(project: VendorProject, capsys: pytest.CaptureFixture[str]) -> None:
    project.lock("flask==3.1")
    commit(project)
    head = git(project.root, "rev-parse", "HEAD")
    capsys.readouterr()
    assert commit(project) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert git(project.root, "rev-parse", "HEAD") == head


def test_a_dry_run_shows_the_messages_and_changes_nothing(
    project: VendorProject, capsys: pytest.CaptureFixture[str]
) -> None:
    project.lock("flask==3.1")
    before = git(project.root, "status", "--porcelain")
    assert commit(project, "--dry-run") == 0
    shown = capsys.readouterr().out
    assert shown.count("vendor: flask 3.0 -> 3.1") == 2
    assert git(project.root, "status", "--porcelain") == before


def test_what_was_committed_inside_by_hand_is_recorded_in_the_project(project: VendorProject) -> None:
    project.lock("flask==3.1")
    git(project.vendor, "add", "--all", "--force")
    git(project.vendor, "commit", "--quiet", "--message", "by hand")
    commit(project)
    assert git(project.vendor, "log", "-1", "--format=%s") == "by hand"
    assert git(project.root, "log", "-1", "--format=%s") == "vendor: flask 3.0 -> 3.1"


def test_an_ordinary_directory_is_one_commit_of_the_project(workspace: Workspace) -> None:
    project = with_directory(workspace).lock("flask==3.0", "gone==1")
    commit(project)
    assert git(project.root, "log", "-1", "--format=%s") == "vendor: 2 added"
    project.lock("flask==3.1")
    project.work.write({"staged": "x"})
    git(project.root, "add", "staged")
    commit(project)
    assert git(project.root, "show", "--format=%s", "--name-status", "--no-renames").splitlines() == [
        "vendor: 1 removed, 1 upgraded",
        "",
        "D\tvendor/flask-3.0.tar.gz",
        "A\tvendor/flask-3.1.tar.gz",
        "D\tvendor/gone-1.tar.gz",
        "M\tvendor/pylock.api.toml",
    ]
    assert git(project.root, "status", "--porcelain") == "A  staged"


def test_a_repository_without_a_commit_gets_its_first(workspace: Workspace) -> None:
    workspace.service("api", "api", "")
    git(workspace.root, "init", "--quiet")
    commit(VendorProject(workspace).lock("flask==3.0"))
    assert git(workspace.root, "log", "--format=%s") == "vendor: add flask 3.0"


def test_a_submodule_that_is_new_comes_with_what_says_where_it_is_from(workspace: Workspace) -> None:
    project = with_submodule(workspace)
    git(project.root, "reset", "--quiet", "--soft", "HEAD~1")
    commit(project.lock("flask==3.0"))
    assert git(project.root, "show", "--name-only", "--format=").split() == [".gitmodules", "vendor"]


class TestBranch:
    """After `git submodule update` a submodule is at a revision; what is committed there would belong to nothing."""

    def test_moves_on_from_the_remotes_newest(self, project: VendorProject, capsys: pytest.CaptureFixture[str]) -> None:
        git(project.vendor, "checkout", "--quiet", "--detach")
        git(project.vendor, "branch", "--quiet", "-D", "main")
        commit(project.lock("flask==3.1"))
        assert git(project.vendor, "branch", "--show-current") == "main"
        assert "git -C vendor push origin main && git push" in capsys.readouterr().out
        git(project.vendor, "push", "origin", "main")

    def test_is_the_one_that_is_checked_out(self, project: VendorProject) -> None:
        git(project.vendor, "checkout", "--quiet", "-b", "mine")
        commit(project.lock("flask==3.1"))
        assert git(project.vendor, "branch", "--show-current") == "mine"

    def test_of_gitmodules_is_followed(self, project: VendorProject) -> None:
        git(project.root, "config", "--file", ".gitmodules", "submodule.vendor.branch", "stable")
        git(project.vendor, "checkout", "--quiet", "--detach")
        commit(project.lock("flask==3.1"))
        assert git(project.vendor, "branch", "--show-current") == "stable"

    def test_from_an_older_revision_is_called_as_the_projects(
        self, project: VendorProject, capsys: pytest.CaptureFixture[str]
    ) -> None:
        git(project.root, "branch", "release-1")
        project.lock("flask==3.1").commit("two")
        project.push()
        newest = git(project.vendor, "rev-parse", "main")
        git(project.root, "checkout", "--quiet", "release-1")
        git(project.root, "submodule", "--quiet", "update")
        commit(project.lock("flask==3.0.1"))
        said = capsys.readouterr()
        assert git(project.vendor, "rev-parse", "main") == newest
        assert "has commits that this one does not build on: 1" in said.err
        command = "push origin HEAD:refs/heads/release-1"
        assert f"git -C vendor {command}" in said.out
        git(project.vendor, *command.split())

    def test_that_somebody_else_moved_on_is_not_pushed_over(
        self, project: VendorProject, capsys: pytest.CaptureFixture[str]
    ) -> None:
        git(project.root, "branch", "before")
        project.lock("flask==3.1").commit("two")
        project.push()
        git(project.root, "reset", "--quiet", "--hard", "before")
        git(project.root, "submodule", "--quiet", "update")
        old = git(project.vendor, "rev-parse", "HEAD")
        commit(project.lock("flask==3.0.1"))
        assert f"HEAD:refs/heads/main-{old[:8]}" in capsys.readouterr().out
        assert git(project.vendor, "rev-parse", "HEAD~1") == old


class TestRefusals:
    def test_a_vendor_that_is_not_as_locked(self, project: VendorProject) -> None:
        project.lock("flask==3.1")
        (project.vendor / "flask-3.1.tar.gz").write_text("something else")
        assert refused(project).what.startswith("vendor/flask-3.1.tar.gz: has ")

    @pytest.mark.parametrize("inside", [True, False])
    def test_a_merge_under_way(self, project: VendorProject, inside: bool) -> None:
        project.lock("flask==3.1")
        where = project.vendor if inside else project.root
        (where / git(where, "rev-parse", "--git-path", "MERGE_HEAD")).write_text(git(where, "rev-parse", "HEAD"))
        assert refused(project).what == ("vendor/" if inside else "project") + ": a merge is under way"

    @pytest.mark.parametrize("inside", [True, False])
    def test_another_git_at_work(self, project: VendorProject, inside: bool) -> None:
        project.lock("flask==3.1")
        where = project.vendor if inside else project.root
        (where / git(where, "rev-parse", "--git-path", "index.lock")).touch()
        assert "another git is at work in it" in refused(project).what

    def test_a_submodule_that_somebody_forgot_to_update(self, project: VendorProject) -> None:
        """Else what a colleague has upgraded would go back without a word."""
        old = git(project.vendor, "rev-parse", "HEAD")
        project.lock("flask==3.1").commit("a colleague's")
        git(project.vendor, "checkout", "--quiet", old)
        error = refused(project)
        assert error.what == "vendor/: it is at an older revision than the project records"
        assert "git submodule update" in error.hint

    def test_nobodys_name(self, project: VendorProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "home" / "gitconfig").write_text("")
        for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
            monkeypatch.delenv(name, raising=False)
        project.lock("flask==3.1")
        assert "git does not know who you are" in refused(project).what

    def test_a_project_that_is_no_repository(self, workspace: Workspace) -> None:
        workspace.service("api", "api", "")
        with pytest.raises(UserError, match="project: not a git repository"):
            commit(VendorProject(workspace).lock("flask==3.0"))

    def test_a_repository_that_is_no_submodule_and_comes_from_nowhere(self, workspace: Workspace) -> None:
        project = with_directory(workspace).lock("flask==3.0")
        git(project.vendor, "init", "--quiet")
        assert "no submodule of the project" in refused(project).what
        git(project.vendor, "remote", "add", "origin", "https://me:secret@host.test/vendor.git")
        assert "a password in its URL" in refused(project).what

    def test_a_submodule_that_is_not_initialised(self, project: VendorProject) -> None:
        git(project.root, "submodule", "--quiet", "deinit", "vendor")
        assert "a submodule that is not initialised" in refused(project).what

    def test_a_git_file_that_leads_nowhere(self, project: VendorProject) -> None:
        (project.vendor / ".git").write_text("gitdir: ../gone\n")
        with pytest.raises(UserError, match="vendor/: not a git repository") as caught:
            commit(project)
        assert "git submodule update" in caught.value.hint

    def test_a_directory_that_git_ignores(self, workspace: Workspace) -> None:
        project = with_directory(workspace).lock("flask==3.0")
        project.work.write({".gitignore": "/vendor/\n"})
        assert refused(project).what == "vendor/: git ignores it"

    def test_a_hook_that_says_no_is_heard_and_can_be_satisfied(self, project: VendorProject) -> None:
        hook = project.root / ".git" / "hooks" / "pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho the hook says no\nexit 1\n")
        hook.chmod(0o755)
        project.lock("flask==3.1")
        with pytest.raises(UserError) as caught:
            commit(project)
        assert "the hook says no" in str(caught.value)
        hook.unlink()
        commit(project)
        assert git(project.root, "log", "-1", "--format=%s") == "vendor: flask 3.0 -> 3.1"


def test_the_files_that_it_was_made_from_are_committed_with_its_revision(
    project: VendorProject, capsys: pytest.CaptureFixture[str]
) -> None:
    project.work.write({"api/requirements.txt": "flask>3\n", "api/setup.cfg": "# none of them\n"})
    project.lock("flask==3.1")
    assert commit(project, "--dry-run") == 0
    assert "commit vendor api/requirements.txt in project:" in capsys.readouterr().out
    commit(project)
    assert "COMMIT  project: vendor: flask 3.0 -> 3.1, with api/requirements.txt\n" in capsys.readouterr().out
    assert git(project.root, "show", "--name-only", "--format=").split() == ["api/requirements.txt", "vendor"]
    assert git(project.root, "status", "--porcelain") == "?? api/setup.cfg"


def test_a_file_of_which_a_part_is_staged_is_left_to_who_staged_it(
    project: VendorProject, capsys: pytest.CaptureFixture[str]
) -> None:
    project.work.write({"api/requirements.txt": "flask>=3\n"})
    git(project.root, "add", "api/requirements.txt")
    project.work.write({"api/requirements.txt": "flask>3\n"})
    project.lock("flask==3.1")
    commit(project)
    told = "vendor/ was made from what is staged in part, and is not committed: api/requirements.txt"
    assert told in capsys.readouterr().out
    assert git(project.root, "status", "--porcelain") == "MM api/requirements.txt"
    assert git(project.root, "show", "--name-only", "--format=").split() == ["vendor"]


def test_a_hook_of_git_may_run_it(project: VendorProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_INDEX_FILE", str(project.root / ".git" / "index"))
    monkeypatch.setenv("GIT_DIR", str(project.root / ".git"))
    project.lock("flask==3.1")
    assert commit(project) == 0
    monkeypatch.undo()


def test_a_project_without_a_remote_is_not_to_be_pushed(
    project: VendorProject, capsys: pytest.CaptureFixture[str]
) -> None:
    git(project.root, "remote", "remove", "origin")
    commit(project.lock("flask==3.1"))
    out = capsys.readouterr().out
    assert "next:\n    git -C vendor push origin main\n" in out
    assert "    git push" not in out


class TestHalfAdded:
    """`git submodule add` of an empty repository stops half way: "You are on a branch yet to be born"."""

    @pytest.fixture
    def half(self, workspace: Workspace) -> VendorProject:
        project = with_directory(workspace)
        git(project.root, "init", "--quiet", "--bare", str(project.bare))
        with pytest.raises(AssertionError, match="branch yet to be born"):
            git(project.root, "submodule", "add", "../vendor.git", "vendor")
        return project.lock("flask==3.0")

    def test_it_is_finished_and_a_colleague_can_clone_all_of_it(
        self, half: VendorProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (half.root / "other").touch()
        git(half.root, "add", "other")
        assert commit(half) == 0
        said = capsys.readouterr().out
        assert "  ADD     the submodule vendor/, from ../vendor.git\n" in said
        assert git(half.root, "status", "--porcelain") == "A  other"
        assert git(half.root, "show", "--name-only", "--format=").split() == [".gitmodules", "vendor"]
        assert git(half.root, "config", "--file", ".gitmodules", "submodule.vendor.url") == "../vendor.git"
        push = next(line.split() for line in said.splitlines() if line.startswith("    git -C vendor push"))
        git(half.root, *push[1:])
        git(tmp_path, "clone", "--quiet", "--recurse-submodules", str(half.root), "clone")
        assert (tmp_path / "clone/vendor/flask-3.0.tar.gz").is_file()
        assert commit(half) == 0
        assert "nothing to do" in capsys.readouterr().out

    def test_a_dry_run_leaves_it_as_it_is(self, half: VendorProject) -> None:
        assert commit(half, "--dry-run") == 0
        assert git(half.root, "status", "--porcelain") == "?? vendor/"

    def test_a_project_that_is_kept_elsewhere_has_the_whole_url(self, half: VendorProject) -> None:
        git(half.root, "remote", "add", "origin", "https://host.test/project.git")
        commit(half)
        assert git(half.root, "config", "--file", ".gitmodules", "submodule.vendor.url") == str(half.bare)

    def test_what_was_committed_by_hand_is_added_too(self, half: VendorProject) -> None:
        git(half.vendor, "add", "--all", "--force")
        git(half.vendor, "commit", "--quiet", "--message", "by hand")
        commit(half)
        assert git(half.root, "rev-parse", "HEAD:vendor") == git(half.vendor, "rev-parse", "HEAD")

    def test_its_history_cannot_be_shortened_before(self, half: VendorProject) -> None:
        with pytest.raises(UserError, match="no submodule of the project"):
            command_line.main(["trim-vendor", *half.arguments])
