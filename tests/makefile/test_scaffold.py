"""The makefile and the script that new-project writes: with the toolkit, and in a clone that lacks its submodules."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.makefile.project import TOOLKIT, VERBS, Project, make_project, parse
from toolkit.core import process
from toolkit.scaffold import templates, writing

HINT = "`git submodule update --init --recursive`"


def scaffold(root: Path) -> Project:
    """Write what new-project writes into a directory, over the link to the toolkit's makefile."""
    root.mkdir(exist_ok=True)
    (root / "Makefile").unlink(missing_ok=True)
    entries = templates.read({"project": "mail", "namespace": "acme"}, TOOLKIT / "templates/project")
    writing.apply(root, writing.plan(root, entries))
    return Project(root)


@pytest.fixture
def project(project: Project) -> Project:
    return scaffold(project.root)


@pytest.fixture
def clone(tmp_path: Path) -> Project:
    return scaffold(tmp_path / "it's a clone")


class TestWithTheToolkit:
    """All is as with a link to project.mk."""

    @pytest.mark.parametrize("verb", VERBS)
    def test_each_target_runs_its_verb(self, project: Project, verb: str) -> None:
        project.make(verb)
        assert project.verbs() == [verb]
        assert parse(verb, project.calls()[verb]).namespace == "acme"

    def test_plain_make_builds(self, project: Project) -> None:
        project.make()
        assert project.verbs() == ["build"]

    def test_a_dry_run_of_make_runs_nothing(self, project: Project) -> None:
        assert "verb.py" in project.make("-n", "vendor").stdout
        assert project.verbs() == []

    def test_the_namespace_is_not_what_an_environment_happens_to_have(self, project: Project) -> None:
        project.make("build", NAMESPACE="prod")
        assert parse("build", project.calls()["build"]).namespace == "acme"

    def test_it_may_be_run_from_elsewhere(self, project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        project.make("-C", str(elsewhere), "-f", str(project.root / "Makefile"), "build")
        assert parse("build", project.calls()["build"]).project == project.root

    def test_a_path_may_hold_spaces_and_quotes(self, tmp_path: Path) -> None:
        project = scaffold(make_project(tmp_path / "it's a project").root)
        Project(tmp_path).make("-C", str(project.root), "build", "help")
        assert parse("build", project.calls()["build"]).project == project.root

    def test_the_help_has_the_target_for_submodules(self, project: Project) -> None:
        assert "  submodules " in project.make("help").stdout


class TestInAService:
    """The Makefile of a service's directory leads to the project's."""

    @pytest.fixture
    def service(self, project: Project) -> Path:
        others = {"project": "mail", "python": "3.11", "oldest": "3.11", "summary": "Mail"}
        values = templates.names("mail-relay", "acme") | others
        entries = templates.read(values, TOOLKIT / "templates/service")
        entries = [entry for entry in entries if entry.path.name == "Makefile"]
        writing.apply(project.root, writing.plan(project.root, entries))
        return project.root / "mail_relay"

    @pytest.mark.parametrize("verb", VERBS)
    def test_each_target_is_the_project_s(self, project: Project, service: Path, verb: str) -> None:
        # What is there by that name is no reason to do nothing.
        (service / verb).mkdir()
        project.make("-C", str(service), verb)
        assert project.verbs() == [verb]
        assert parse(verb, project.calls()[verb]).project == project.root

    def test_targets_and_settings_go_together(self, project: Project, service: Path) -> None:
        project.make("-C", str(service), "-j4", "vendor", "deb", "vendor", "V=2")
        assert project.verbs() == ["vendor", "deb"]
        assert parse("deb", project.calls()["deb"]).verbosity == 2

    def test_plain_make_does_what_it_does_in_the_project(self, project: Project, service: Path) -> None:
        project.make("-C", str(service))
        assert project.verbs() == ["build"]

    def test_what_is_no_target_is_said(self, project: Project, service: Path) -> None:
        assert "did you mean `make vendor`?" in project.make("-C", str(service), "vender", check=False).stderr


class TestWithoutSubmodules:
    """`git clone` without `--recurse-submodules`: common/ is empty, or not there at all."""

    @pytest.mark.parametrize(
        "words",
        [[], ["vendor"], ["-n", "deb"], ["help"], ["any", "V=2"], ["-j4", "vendor", "deb"], ["vendor", "submodules"]],
    )
    @pytest.mark.parametrize("is_empty", [True, False])
    def test_each_target_says_what_to_run(self, clone: Project, words: list[str], is_empty: bool) -> None:
        if is_empty:
            (clone.root / "common").mkdir()
        done = clone.make(*words, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert "common/: a submodule that is not initialised" in done.stderr
        assert HINT in done.stderr
        assert len(done.stderr.splitlines()) == 1

    def test_make_run_from_elsewhere_says_the_same(self, clone: Project, tmp_path: Path) -> None:
        assert HINT in Project(tmp_path).make("-C", str(clone.root), "deb", check=False).stderr
        plain = scaffold(tmp_path / "plain").root
        assert HINT in Project(tmp_path).make("-f", str(plain / "Makefile"), "deb", check=False).stderr

    def test_the_script_says_the_same_and_where(self, tmp_path: Path) -> None:
        clone = scaffold(tmp_path / "a clone")
        for cwd, script, where in (
            (clone.root, "./create-virtual-environment", ""),
            (tmp_path, f"{clone.root}/create-virtual-environment", f" -C '{clone.root}'"),
        ):
            done = subprocess.run([script, "--help"], cwd=cwd, text=True, capture_output=True, check=False)
            assert (done.returncode, done.stdout) == (1, "")
            what, hint = done.stderr.splitlines()
            assert what.endswith("/common/: a submodule that is not initialised")
            assert hint == f" hint: run {HINT.replace('git', f'git{where}')}"


def git(directory: Path, *words: str) -> None:
    person = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"]
    process.run(["git", *person, "-C", directory, *words])


def test_make_submodules_fetches_them_and_all_works(tmp_path: Path) -> None:
    toolkit, origin = tmp_path / "toolkit", scaffold(tmp_path / "origin").root
    make_project(tmp_path / "source").root.joinpath("common").rename(toolkit)
    for directory in (toolkit, origin):
        git(directory, "init", "--quiet")
    git(toolkit, "add", "--all", "--force")
    git(toolkit, "commit", "--quiet", "--message", "x")
    git(origin, "submodule", "--quiet", "add", str(toolkit), "common")
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "--message", "x")
    git(tmp_path, "clone", "--quiet", str(origin), "a clone")
    clone = Project(tmp_path / "a clone")
    (clone.root / ".gitconfig").write_text("[protocol.file]\nallow = always\n")
    clone.make("submodules")
    clone.make("vendor")
    assert clone.verbs() == ["vendor"]
    # There, too, it is there to follow the project's revisions.
    clone.make("submodules")


def test_the_script_works_for_its_project_from_wherever_it_is_run(tmp_path: Path) -> None:
    project = scaffold(make_project(tmp_path / "it's a project").root)
    (project.root / "common/create-virtual-environment").write_bytes(
        (TOOLKIT / "create-virtual-environment").read_bytes()
    )
    (project.root / "common/create-virtual-environment").chmod(0o755)
    for cwd, script in (
        (project.root, "./create-virtual-environment"),
        (tmp_path, f"{project.root}/create-virtual-environment"),
    ):
        (project.root / "calls").unlink(missing_ok=True)
        subprocess.run([script, "--name", "x y"], cwd=cwd, check=True)
        parsed = parse("create-virtual-environment", project.calls()["create-virtual-environment"])
        assert (cwd / parsed.project).resolve() == project.root
        assert parsed.name == "x y"
