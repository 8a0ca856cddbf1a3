"""`new-project --update`: files that templates gave follow newer templates, with all that people have changed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.test_new_project import TOOLKIT, git

PARTS = (
    "scripts",
    "templates",
    "docs/ci",
    "project.mk",
    "create-virtual-environment",
    "setup.py",
    "yc_common",
    "stand",
)
MAIN = "mail_relay/yc_mail_relay/main.py"
RECORD = ".python-common-scaffold.toml"


@pytest.fixture(autouse=True, scope="module")
def no_byte_code() -> Iterator[None]:
    """Keep a toolkit that is run from its repository from leaving byte code there, which `git add --all` would take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        yield


def run(directory: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, words)),
        cwd=directory,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )


@dataclass(frozen=True)
class Scaffolded:
    """A project that was made by a toolkit which both are in a directory of their own."""

    root: Path
    toolkit: Path

    def publish(self, changes: Mapping[str, str | None]) -> None:
        """Commit changes of templates (`old -> new` in a file; None: it is gone), and let the project have them."""
        for name, change in changes.items():
            path = self.toolkit / "templates" / name
            if change is None:
                path.unlink()
            elif " -> " in change:
                old, _, new = change.partition(" -> ")
                assert old in path.read_text()
                path.write_text(path.read_text().replace(old, new))
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(change)
        commit(self.toolkit, "Templates")
        self.follow()

    def follow(self) -> None:
        """Bring common/ to the toolkit's commit, and commit that and all else."""
        git(self.root / "common", "fetch", "--quiet", str(self.toolkit), "HEAD")
        git(self.root / "common", "checkout", "--quiet", "FETCH_HEAD")
        commit(self.root, "A newer toolkit")

    def update(self, *words: str, verb: str = "new-project") -> subprocess.CompletedProcess[str]:
        return run(self.root, f"common/scripts/{verb}", "--update", *words)

    def updated(self, *words: str) -> str:
        """Update, which has to succeed, and return what was said."""
        done = self.update(*words)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
        commit(self.root, "Ours")

    def text(self, name: str) -> str:
        return (self.root / name).read_text()

    def status(self) -> list[str]:
        return git(self.root, "status", "--porcelain").splitlines()


def commit(directory: Path, message: str) -> None:
    git(directory, "add", "--all", "--force")
    git(directory, "commit", "--quiet", "--allow-empty", "--message", message)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where a toolkit is, made of the one that is tested as it is now, and a project with two services."""
    directory = tmp_path_factory.mktemp("template")
    toolkit = directory / "toolkit"
    for part in PARTS:
        target = toolkit / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if (TOOLKIT / part).is_dir():
            shutil.copytree(TOOLKIT / part, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(TOOLKIT / part, target)
    git(directory, "init", "--quiet", "toolkit")
    commit(toolkit, "The toolkit")
    done = run(directory, toolkit / "scripts/new-project", "mail", "mail-relay", "--toolkit", toolkit)
    assert done.returncode == 0, done.stderr
    done = run(directory / "mail", "common/scripts/new-service", "store", "--runtime", "none")
    assert done.returncode == 0, done.stderr
    commit(directory / "mail", "A second service")
    return directory


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Scaffolded:
    """Return a copy of both."""
    for name in ("toolkit", "mail"):
        shutil.copytree(template / name, tmp_path / name, symlinks=True)
    return Scaffolded(tmp_path / "mail", tmp_path / "toolkit")


def test_where_the_templates_are_as_they_were_there_is_nothing_to_do(project: Scaffolded) -> None:
    project.edit(MAIN, "a round of work", "our work")
    assert "nothing to do" in project.updated()
    assert "nothing to do" in project.updated("--dry-run")
    assert project.status() == []


def test_what_people_have_changed_stays_and_the_rest_follows(project: Scaffolded) -> None:
    project.edit(MAIN, "a round of work", "our work")
    project.edit("debian/yc-store.service", "UMask=0077", "UMask=0027")
    (project.root / "README.md").unlink()
    (project.root / "mail_relay/vendor.txt").unlink()
    (project.root / "store/vendor.txt").write_text("thing\n")
    commit(project.root, "Ours")
    project.publish(
        {
            "project/Makefile.in": "#@ Targets -> #@ Targets of ours",
            "project/README.md.in": "Services in Python -> Python services",
            "project/CONTRIBUTING.md.in": "# @project@\n",
            "runtime/@directory@/@module@/main.py.in": "import asyncio -> import asyncio as a",
            "plain/debian/@package@.service.in": "Restart=on-failure -> Restart=always",
            "service/@directory@/vendor.txt.in": None,
            "service/@directory@/MANIFEST.in.in": None,
        }
    )
    said = project.updated()
    assert project.text("Makefile").count("#@ Targets of ours") == 1
    assert project.text("CONTRIBUTING.md") == "# mail\n"
    assert "import asyncio as a" in project.text(MAIN)
    assert "our work" in project.text(MAIN)
    assert "Restart=always" in project.text("debian/yc-store.service")
    assert "UMask=0027" in project.text("debian/yc-store.service")
    assert project.text("store/vendor.txt") == "thing\n"
    assert project.status() == [
        f"M {RECORD}",
        " A CONTRIBUTING.md",
        " M Makefile",
        " M debian/yc-store.service",
        " D mail_relay/MANIFEST.in",
        f" M {MAIN}",
        " D store/MANIFEST.in",
    ]
    assert [line for line in said.splitlines() if line.startswith("  ")] == [
        "  WRITE   CONTRIBUTING.md",
        "  UPDATE  Makefile",
        "  KEEP    README.md: it was removed here, and has changed in the templates",
        "  MERGE   debian/yc-store.service",
        "  REMOVE  mail_relay/MANIFEST.in",
        f"  MERGE   {MAIN}",
        "  REMOVE  store/MANIFEST.in",
        "  KEEP    store/vendor.txt: it was changed here, and the templates have it no more",
        f"  UPDATE  {RECORD}",
    ]
    commit(project.root, "Updated")
    assert "nothing to do" in project.updated()


def test_the_second_update_is_from_where_the_first_one_led(project: Scaffolded) -> None:
    """From where the project began, the same lines would be changed on both sides."""
    for before, after in (("40", "50"), ("50", "60")):
        project.publish({"runtime/debian/@package@.service.in": f"TimeoutStopSec={before} -> TimeoutStopSec={after}"})
        project.updated()
        project.edit("debian/yc-mail-relay.service", f"WatchdogSec={int(before) - 10}", f"WatchdogSec={before}")
    assert "WatchdogSec=50" in project.text("debian/yc-mail-relay.service")
    assert "TimeoutStopSec=60" in project.text("debian/yc-mail-relay.service")


def test_a_conflict_is_marked_said_and_can_be_undone(project: Scaffolded) -> None:
    project.edit("debian/yc-store.service", "TimeoutStopSec=40", "TimeoutStopSec=90")
    (project.root / RECORD).unlink()
    (project.root / "README.md").write_text("mine\n")
    commit(project.root, "Ours, and from before the record")
    project.publish(
        {"plain/debian/@package@.service.in": "TimeoutStopSec=40 -> TimeoutStopSec=50", "project/new file.in": "new\n"}
    )
    (project.root / "README.md").write_text("not committed\n")
    shown = project.update("--dry-run")
    assert shown.returncode == 0
    assert "  WOULD   merge debian/yc-store.service, with conflicts\n" in shown.stdout
    done = project.update()
    assert done.returncode == 1
    what, hint = done.stderr.splitlines()
    assert what == "error: changed both here and in the templates: debian/yc-store.service"
    assert "`<<<<<<<`" in hint
    wanted = "<<<<<<< here\nTimeoutStopSec=90\n=======\nTimeoutStopSec=50\n>>>>>>> templates now\n"
    assert wanted in project.text("debian/yc-store.service")
    assert (project.root / RECORD).is_file()
    git(project.root, *shlex.split(hint.split("`")[5])[1:])
    assert project.status() == ["M README.md"]
    assert project.update().stderr.splitlines()[0] == what


def test_a_dry_run_shows_the_difference_and_changes_nothing(project: Scaffolded) -> None:
    project.publish({"plain/debian/@package@.service.in": "TimeoutStopSec=40 -> TimeoutStopSec=50"})
    said = project.updated("--dry-run")
    assert (
        "  WOULD   update debian/yc-store.service\n--- a/debian/yc-store.service\n+++ b/debian/yc-store.service\n"
        in said
    )
    assert "\n-TimeoutStopSec=40\n+TimeoutStopSec=50\n" in said
    assert project.status() == []


def test_what_is_not_committed_is_not_touched(project: Scaffolded) -> None:
    project.publish({"plain/debian/@package@.service.in": "TimeoutStopSec=40 -> TimeoutStopSec=50"})
    with (project.root / "debian/yc-store.service").open("a") as stream:
        stream.write("# mine\n")
    (project.root / "README.md").write_text("mine\n")
    done = project.update()
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "error: debian/yc-store.service: not committed, and would be changed"
    assert project.status() == [" M README.md".strip(), " M debian/yc-store.service"]
    git(project.root, "checkout", "debian")
    project.updated()
    assert project.text("README.md") == "mine\n"


def test_parts_of_shared_files_follow_in_the_order_they_have_there(project: Scaffolded) -> None:
    control = project.root / "debian/control"
    head, relay, store = control.read_text().split("\n\n")
    control.write_text("\n\n".join([head.replace("Section: net", "Section: mail"), store.rstrip(), f"{relay}\n"]))
    commit(project.root, "Ours")
    project.publish(
        {
            "service/debian/control.part.in": "Architecture: any -> Architecture: any\nMulti-Arch: foreign",
            "packaging/debian/control.in": "Root: no\n -> Root: no\nTestsuite: autopkgtest\n",
        }
    )
    project.updated()
    text = control.read_text()
    assert text.count("Multi-Arch: foreign") == 2
    assert "Section: mail" in text
    assert "Testsuite: autopkgtest\n\nPackage: yc-store" in text
    assert text.index("yc-store") < text.index("Package: yc-mail-relay")


def test_one_service_can_be_updated_alone(project: Scaffolded) -> None:
    project.publish({"service/debian/control.part.in": "Architecture: any -> Architecture: all"})
    project.publish({"service/@directory@/test-requirements.txt.in": "pytest>=8\n"})
    done = project.update("store", verb="new-service")
    assert done.returncode == 0, done.stderr
    assert project.text("store/test-requirements.txt") == "pytest>=8\n"
    assert project.text("mail_relay/test-requirements.txt") == "pytest\n"
    assert project.text("debian/control").count("Architecture: all") == 1
    commit(project.root, "One")
    project.updated()
    assert project.text("mail_relay/test-requirements.txt") == "pytest>=8\n"
    assert project.text("debian/control").count("Architecture: all") == 2


@pytest.mark.parametrize("namespace", ["yc", "acme"])
def test_a_project_from_before_the_record_gets_a_makefile_in_the_place_of_a_link(
    template: Path, tmp_path: Path, namespace: str
) -> None:
    """As the templates were: links to the toolkit's files, and a makefile of two lines for another namespace."""
    shutil.copytree(template / "toolkit", tmp_path / "toolkit", symlinks=True)
    project = Scaffolded(tmp_path / "mail", tmp_path / "toolkit")
    new = {
        name: (project.toolkit / f"templates/project/{name}.in").read_text()
        for name in ("Makefile", "create-virtual-environment")
    }
    for name, target in (("Makefile", "project.mk"), ("create-virtual-environment", "create-virtual-environment")):
        (project.toolkit / f"templates/project/{name}.in").unlink()
        (project.toolkit / f"templates/project/{name}").symlink_to(f"common/{target}")
    commit(project.toolkit, "As it was")
    words = ("--toolkit", project.toolkit, "--namespace", namespace)
    assert run(tmp_path, project.toolkit / "scripts/new-project", "mail", *words).returncode == 0
    (project.root / RECORD).unlink()
    if namespace != "yc":
        (project.root / "Makefile").unlink()
        (project.root / "Makefile").write_text(f"NAMESPACE = {namespace}\ninclude common/project.mk\n")
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--amend", "--message", "As it was")
    for name, text in new.items():
        (project.toolkit / f"templates/project/{name}").unlink()
        (project.toolkit / f"templates/project/{name}.in").write_text(text)
    (project.toolkit / "templates/project/create-virtual-environment.in").chmod(0o755)
    project.publish({})
    makefile = (project.root / "common/project.mk").read_text()
    project.updated()
    assert (project.root / "common/project.mk").read_text() == makefile
    for name in new:
        assert not (project.root / name).is_symlink()
    assert project.text("Makefile").startswith(f"NAMESPACE = {namespace}\n\n")
    assert os.access(project.root / "create-virtual-environment", os.X_OK)
    assert project.text(RECORD).count(git(project.toolkit, "rev-parse", "HEAD")) == 4
    assert run(project.root, "make", "help").returncode == 0


class TestRefused:
    """What cannot be updated is said, and nothing is written."""

    def test_templates_that_are_not_there_any_more(self, project: Scaffolded) -> None:
        project.edit(RECORD, git(project.toolkit, "rev-parse", "HEAD"), "0" * 40)
        done = project.update()
        assert done.returncode == 1
        assert "common/: it lacks the commit 000000000000" in done.stderr

    @pytest.mark.parametrize(("old", "new"), [("revision = ", "revision = --"), ('"', ""), ('"plain"', '"../x"')])
    def test_a_record_that_is_none(self, project: Scaffolded, old: str, new: str) -> None:
        project.edit(RECORD, old, new)
        done = project.update()
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: {RECORD}: not the record of a scaffold: ")

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('recipe = "gitlab"', 'recipe = "other"'),
            ('recipe = "gitlab"', 'other = "gitlab"'),
            ('templates = ["project", "pytest"]', 'templates = ["service"]'),
            ('"plain"', '"plane"'),
        ],
    )
    def test_a_record_of_what_there_is_not(self, project: Scaffolded, old: str, new: str) -> None:
        project.edit(RECORD, old, new)
        project.publish({"service/@directory@/vendor.txt.in": "# other\n"})
        done = project.update()
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: {RECORD}: not the record of a scaffold: ")
        assert len(done.stderr.splitlines()) == 2
        assert project.status() == []

    def test_what_is_outside_of_the_project(self, project: Scaffolded) -> None:
        """By a link that is in the repository."""
        outside = project.root.parent / "mine"
        outside.mkdir()
        (project.root / "store/vendor.txt").rename(outside / "vendor.txt")
        (project.root / "new").symlink_to(outside)
        (project.root / ".devcontainer/devcontainer.json").rename(outside / "devcontainer.json")
        (project.root / ".devcontainer").rmdir()
        (project.root / ".devcontainer").symlink_to("../mine")
        commit(project.root, "Theirs")
        before = {path.name: path.read_text() for path in outside.iterdir()}
        project.publish({"project/new/file.in": "x\n", "project/.devcontainer/devcontainer.json.in": "{}\n"})
        said = project.updated()
        assert "  KEEP    new/file: a link leads to it\n" in said
        assert "  KEEP    .devcontainer/devcontainer.json: a link leads to it\n" in said
        assert {path.name: path.read_text() for path in outside.iterdir()} == before

    def test_a_shallow_clone_without_a_record(self, project: Scaffolded) -> None:
        project.publish({"project/README.md.in": "Services in Python -> Python services"})
        git(project.root, "rm", "--quiet", RECORD)
        commit(project.root, "From before the record")
        (project.root / ".git/shallow").write_text(git(project.root, "rev-parse", "HEAD") + "\n")
        done = project.update()
        assert done.returncode == 1
        assert "a shallow clone" in done.stderr
        (project.root / ".git/shallow").unlink()
        assert "UPDATE  README.md" in project.updated()

    def test_another_toolkit_than_that_of_the_project(self, project: Scaffolded) -> None:
        done = run(project.root, project.toolkit / "scripts/new-project", "--update")
        assert done.returncode == 1
        assert "common/scripts/new-project --update" in done.stderr

    def test_a_service_that_there_is_not(self, project: Scaffolded) -> None:
        done = project.update("other", verb="new-service")
        assert done.returncode == 1
        assert "other: it is not known from which templates it came" in done.stderr

    def test_a_directory_that_is_no_project(self, project: Scaffolded) -> None:
        done = project.update(str(project.root.parent))
        assert done.returncode == 1
        assert done.stderr.startswith("error: ")
