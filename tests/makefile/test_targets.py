"""What a target runs, from wherever the makefile is linked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.makefile.project import TOOLKIT, VERBS, Project, make_project, parse
from toolkit.verbs.table import VERBS as TABLE

Write = Callable[[str], None]


@pytest.mark.parametrize("verb", VERBS)
def test_a_target_runs_its_verb_with_options_the_verb_knows(project: Project, verb: str) -> None:
    project.make(verb)
    assert project.verbs() == [verb]
    parse(verb, project.calls()[verb])


def test_plain_make_builds(project: Project) -> None:
    project.make()
    assert project.verbs() == ["build"]


@pytest.mark.parametrize("link", ["common/project.mk", "common/scripts/project.mk"])
def test_both_links_find_the_toolkit_and_the_project(tmp_path: Path, link: str) -> None:
    project = make_project(tmp_path / "project", link)
    project.make("build")
    assert parse("build", project.calls()["build"]).project == tmp_path / "project"


def test_the_toolkit_s_own_makefile_is_for_the_directory_that_make_runs_in(tmp_path: Path) -> None:
    """As beside a Makefile of the project's own, which need not include it."""
    project = make_project(tmp_path / "a project")
    (project.root / "Makefile").unlink()
    (project.root / "Makefile").write_text("build:\n\tfalse\n")
    project.make("--file", "common/project.mk", "build")
    assert parse("build", project.calls()["build"]).project == tmp_path / "a project"


def test_a_path_may_hold_spaces_and_quotes(tmp_path: Path) -> None:
    project = make_project(tmp_path / "it's a project")
    project.make("build", "help")
    assert parse("build", project.calls()["build"]).project == tmp_path / "it's a project"


def test_make_may_be_run_from_elsewhere(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    project.make("-C", str(elsewhere), "-f", str(project.root / "Makefile"), "build")
    assert parse("build", project.calls()["build"]).project == project.root


@pytest.mark.parametrize("target", VERBS)
def test_a_file_of_the_targets_name_does_not_stop_it(project: Project, target: str) -> None:
    (project.root / target).touch()
    (project.root / f"common-{target}").touch()
    project.make(target)
    assert project.verbs() == [target]


def test_targets_run_one_after_the_other_though_make_is_told_to_run_many(project: Project) -> None:
    project.make("-j8", "vendor", "deb", "install", SECONDS_OF_VERB="0.2")
    wanted = ["vendor", "deb", "install"]
    assert project.events() == [(event, verb) for verb in wanted for event in ("start", "end")]


def test_a_verb_that_fails_stops_make(project: Project) -> None:
    done = project.make("vendor", "deb", check=False, FAILING_VERB="vendor")
    assert done.returncode == 2
    assert project.verbs() == ["vendor"]


def test_a_misspelt_target_is_named(project: Project) -> None:
    for word, meant in (("vendro", "vendor"), ("vender", "vendor"), ("common-vender", "vendor"), ("tets", "test")):
        done = project.make(word, check=False)
        assert done.returncode == 2
        name = word.removeprefix("common-")
        assert done.stderr.splitlines()[:2] == [
            f"error: {name}: there is no such target",
            f" hint: did you mean `make {meant}`?",
        ]
        assert project.verbs() == []


def test_what_is_like_no_target_and_a_file_that_is_missing_are_told_too(project: Project) -> None:
    assert "hint: `make help` lists them" in project.make("quux", check=False).stderr
    (project.root / "Makefile").unlink()
    text = "-include nowhere.mk\nours: missing.txt\n\t@echo ours\n"
    (project.root / "Makefile").write_text(f"{text}include common/project.mk\n-include later.mk\n")
    assert "No rule to make target 'missing.txt', needed by 'ours'" in project.make("ours", check=False).stderr
    assert project.make("build").stderr == ""
    assert "did you mean `make ours`?" in project.make("orus", check=False).stderr
    (project.root / "later.mk").write_text("late:\n\t@echo late\n")
    assert project.make("late").stdout == "late\n"


@pytest.mark.parametrize("target", ["example", "bench", "torture"])
def test_targets_of_the_toolkits_own_checkout_are_not_there(project: Project, target: str) -> None:
    assert f"error: {target}: there is no such target" in project.make(target, check=False).stderr


class TestOwnMakefile:
    """A project with a makefile of its own, which includes ours."""

    @pytest.fixture
    def write(self, project: Project) -> Write:
        def write(text: str) -> None:
            (project.root / "Makefile").unlink()
            (project.root / "Makefile").write_text(text)

        return write

    def test_adds_to_a_target(self, project: Project, write: Write) -> None:
        write("include common/project.mk\ntest: common-test my-test\nmy-test:\n\t@echo mine\n")
        done = project.make("test")
        assert (project.verbs(), done.stdout, done.stderr) == (["test"], "mine\n", "")

    def test_replaces_a_target_without_a_warning(self, project: Project, write: Write) -> None:
        write("include common/project.mk\ntest:\n\t@echo mine\n")
        done = project.make("test")
        assert (project.verbs(), done.stdout, done.stderr) == ([], "mine\n", "")

    def test_sees_a_failure_of_what_it_extends(self, project: Project, write: Write) -> None:
        write("include common/project.mk\ntest: common-test my-test\nmy-test:\n\t@echo mine\n")
        done = project.make("test", check=False, FAILING_VERB="test")
        assert (done.returncode, done.stdout) == (2, "")

    def test_sets_a_setting_for_good(self, project: Project, write: Write) -> None:
        write("NAMESPACE = acme\ninclude common/project.mk\n")
        project.make("build")
        assert parse("build", project.calls()["build"]).namespace == "acme"

    def test_keeps_its_own_default_target(self, project: Project, write: Write) -> None:
        write("mine:\n\t@echo mine\ninclude common/project.mk\n")
        assert project.make().stdout == "mine\n"

    def test_has_its_targets_and_settings_in_the_help(self, project: Project, write: Write) -> None:
        write("include common/project.mk\n#@ Ours\n#: Our own doing\nmy-test:\n#: Our own setting\nMINE ?= 1\n")
        shown = project.make("help").stdout
        assert "Our own doing" in shown
        assert "Our own setting [1]" in shown

    def test_may_be_given_its_own_settings(self, project: Project, write: Write) -> None:
        write("MINE ?= 1\ninclude common/project.mk\nmine:\n\t@echo $(MINE)\n")
        done = project.make("mine", "MINE=2")
        assert (done.stdout, done.stderr) == ("2\n", "")


class TestClean:
    @pytest.fixture
    def real(self, project: Project) -> Project:
        for name in ("build", "dist"):
            (project.root / name / "inside").mkdir(parents=True)
        return project

    def test_removes_build_and_dist_and_nothing_else(self, real: Project) -> None:
        real.make("clean", REAL_VERB="clean")
        assert sorted(path.name for path in real.root.iterdir()) == ["Makefile", "common"]

    def test_a_package_build_keeps_the_packages_built_before(self, real: Project) -> None:
        real.make("clean", REAL_VERB="clean", DH_INTERNAL_BUILDFLAGS="1")
        assert sorted(path.name for path in real.root.iterdir()) == ["Makefile", "common", "dist"]

    def test_has_nothing_to_do_the_second_time(self, real: Project) -> None:
        real.make("clean", REAL_VERB="clean")
        assert real.make("clean", REAL_VERB="clean").stdout == ""


def test_every_verb_of_the_makefile_is_in_the_table() -> None:
    assert set(VERBS) <= set(TABLE)
    programs = [TOOLKIT / "scripts" / name for name in ("verb.py", "new-project", "new-service")]
    assert all(path.stat().st_mode & 0o111 and path.read_text().startswith("#!") for path in programs)
