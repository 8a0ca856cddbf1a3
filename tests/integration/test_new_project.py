"""`new-project` and `new-service`: real repositories, and what is in them builds."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.integration import installed, sdists
from tests.integration.local_index import LocalIndex
from tests.integration.workshop import Workshop
from toolkit.core import process
from toolkit.scaffold import new_project as scaffold

TOOLKIT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(not (TOOLKIT / ".git").exists(), reason="the toolkit is not a git repository here")


def run(
    verb: str, *words: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run new-project or new-service as a user does."""
    command = [str(TOOLKIT / "scripts" / verb), *map(str, words)]
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )


def new_project(parent: Path, *words: str | Path, toolkit: str | Path = TOOLKIT) -> str:
    """Run new-project and return what it printed; it has to succeed."""
    done = run("new-project", *words, "--toolkit", toolkit, cwd=parent)
    assert done.returncode == 0, done.stderr
    return done.stdout


def git(directory: Path, *words: str) -> str:
    return process.read(["git", "-C", directory, *words]).strip()


def tree(root: Path) -> dict[str, bytes]:
    """Return the files below a directory, but for those of git and of the toolkit."""
    found = (path for path in root.rglob("*") if path.is_file())
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in found
        if not {".git", "common"} & set(path.relative_to(root).parts)
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a project that is not to be changed, and what was said when it was made."""
    parent = tmp_path_factory.mktemp("made")
    return parent / "mail", new_project(parent, "mail", "mail-relay")


class TestMade:
    """What `new-project mail mail-relay` makes."""

    def test_everything_is_committed(self, made: tuple[Path, str]) -> None:
        project, _ = made
        assert git(project, "status", "--porcelain", "--ignored") == ""
        assert git(project, "log", "--format=%an: %s") == "Some Developer: A project with the service mail-relay"

    def test_the_toolkit_is_a_submodule_at_the_commit_that_made_it(self, made: tuple[Path, str]) -> None:
        project, _ = made
        assert git(project / "common", "rev-parse", "HEAD") == git(TOOLKIT, "rev-parse", "HEAD")
        assert git(project, "config", "--file", ".gitmodules", "submodule.common.url") == str(TOOLKIT)
        assert "  vendor " in process.run(["make", "help"], cwd=project)

    def test_vendor_is_a_submodule_of_a_repository_beside_it_wherever_both_go(self, made: tuple[Path, str]) -> None:
        project, _ = made
        assert git(project, "config", "--file", ".gitmodules", "submodule.vendor.url") == "../mail-vendor.git"
        assert git(project / "vendor", "config", "remote.origin.url") == str(project.parent / "mail-vendor.git")
        head = git(project / "vendor", "rev-parse", "HEAD")
        assert git(project.parent / "mail-vendor.git", "rev-parse", "HEAD") == head

    def test_a_colleague_can_clone_all_of_it(self, made: tuple[Path, str], tmp_path: Path) -> None:
        project, _ = made
        allowed = ["git", "-c", "protocol.file.allow=always"]
        process.run([*allowed, "clone", "--quiet", "--recurse-submodules", project, tmp_path / "clone"])
        assert tree(tmp_path / "clone") == tree(project)
        assert (tmp_path / "clone/common/project.mk").is_file()

    def test_it_says_what_it_wrote_and_what_comes_next(self, made: tuple[Path, str]) -> None:
        project, said = made
        assert "  WRITE   mail_relay/setup.py\n" in said
        others = {"common", "vendor", ".gitmodules"}
        written = {line.split()[1] for line in said.splitlines() if line.startswith("  WRITE   ")}
        assert written == {*git(project, "ls-files").splitlines()} - others
        assert (
            "    cd mail\n    make vendor commit-vendor\n    ./create-virtual-environment\n    make test deb\n" in said
        )

    def test_the_recipe_names_the_service(self, made: tuple[Path, str]) -> None:
        recipe = (made[0] / ".gitlab-ci.yml").read_text()
        assert "      - PYTHON_COMMON_SERVICE:\n          - mail_relay\n  script:" in recipe
        assert "worker" not in recipe


def test_what_was_made_builds(shop: Workshop, index: LocalIndex) -> None:
    """A project with two services: vendored, built, and ready to be packaged as two packages."""
    parent = shop.root.parent
    new_project(parent, "two services", "first", "--namespace", "acme", "-V0")
    done = run("new-service", "second", cwd=parent / "two services")
    assert done.returncode == 0, done.stderr
    assert "    name second beside the other services in .gitlab-ci.yml\n" in done.stdout
    for name in ("msgspec", "pyyaml", "structlog", "prometheus-client", "pytest"):
        sdists.publish(index, name, "99.0")
    builders = "\n".join(installed.publish(index, "setuptools"))
    project = Workshop(parent / "two services", index)
    project.write({f"{name}/vendor.txt": builders for name in ("first", "second")})
    assert project.vendor().status == 0
    assert (project.root / "vendor/.git").is_file()
    assert (project.root / "vendor/README.md").is_file()
    built = project.build("--namespace", "acme")
    assert built.status == 0, built.err
    announced = process.run(["make", "deb", "DRY_RUN=1"], cwd=project.root)
    assert "binary package acme-first, any: the service first\n" in announced
    assert "binary package acme-second, any: the service second\n" in announced


def test_run_again_it_completes_what_is_there_and_touches_nothing(tmp_path: Path) -> None:
    new_project(tmp_path, "mail", "-V0", "--ci", "none")
    project = tmp_path / "mail"
    (project / "README.md").write_text("mine\n")
    (project / "mail/setup.py").unlink()
    (project / "debian/rules").unlink()
    before, head = tree(project), git(project, "rev-parse", "HEAD")
    # Without a setup.py there is no service of this name any more, but something in its place.
    done = run("new-project", "mail", "mail", cwd=tmp_path)
    assert done.stderr.startswith("error: mail: the name is taken: ")
    git(project, "checkout", "mail/setup.py")
    said = new_project(tmp_path, "mail", "mail")
    assert "  KEEP    README.md: it is not as it would be written\n" in said
    assert "  KEEP    debian/control\n" in said
    wanted = {**before, "mail/setup.py": tree(project)["mail/setup.py"]}
    assert {name: data for name, data in tree(project).items() if name != "debian/rules"} == wanted
    assert git(project, "rev-parse", "HEAD") == head


def test_a_makefile_that_names_its_services_has_to_name_the_new_one(tmp_path: Path) -> None:
    new_project(tmp_path, "mail", "-V0")
    (tmp_path / "mail/Makefile").unlink()
    (tmp_path / "mail/Makefile").write_text("SERVICES = mail\ninclude common/project.mk\n")
    said = run("new-service", "second", cwd=tmp_path / "mail").stdout
    assert "    name second beside the other services in SERVICES\n" in said


def test_a_dry_run_says_the_same_and_does_nothing(tmp_path: Path) -> None:
    said = new_project(tmp_path, "mail", "--dry-run")
    assert list(tmp_path.iterdir()) == []
    done = [line for line in new_project(tmp_path, "mail").splitlines() if line.startswith("  WRITE")]
    assert [line for line in said.splitlines() if line.startswith("  WRITE")] == done
    before = tree(tmp_path / "mail")
    assert run("new-service", "second", "--dry-run", cwd=tmp_path / "mail").stdout.count("  WRITE") > 10
    assert tree(tmp_path / "mail") == before
    assert git(tmp_path / "mail", "status", "--porcelain") == ""


@pytest.mark.parametrize("is_empty", [True, False], ids=["empty", "with files"])
def test_a_vendor_repository_that_is_there_is_used(tmp_path: Path, is_empty: bool) -> None:
    process.run(["git", "init", "--quiet", "--bare", tmp_path / "our vendor.git"])
    if not is_empty:
        process.run(["git", "clone", "--quiet", tmp_path / "our vendor.git", tmp_path / "clone"])
        (tmp_path / "clone/old-1.0.tar.gz").write_bytes(b"")
        for words in (["add", "--all"], ["commit", "--quiet", "--message", "x"], ["push", "--quiet", "origin", "HEAD"]):
            git(tmp_path / "clone", *words)
    new_project(tmp_path, "mail", "--vendor", "our vendor.git", "-V0")
    vendor = tmp_path / "mail/vendor"
    assert sorted(path.name for path in vendor.iterdir()) == [".git", "README.md" if is_empty else "old-1.0.tar.gz"]
    assert git(vendor, "config", "remote.origin.url") == str(tmp_path / "our vendor.git")
    # Nothing is pushed to a repository that is not ours.
    assert bool(git(tmp_path / "our vendor.git", "for-each-ref")) != is_empty
    assert git(tmp_path / "mail", "status", "--porcelain") == ""


@pytest.mark.parametrize("login", ["job:S3cretPw", "S3cretToken", "job:S3cret#Pw"])
def test_the_credentials_of_a_ci_jobs_clone_go_into_no_project(tmp_path: Path, login: str) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "remote.origin.url", f"https://{login}@host.test/toolkit.git")
    assert scaffold.toolkit_url(tmp_path) == "https://host.test/toolkit.git"


class TestRefused:
    """What cannot be made is not begun."""

    @pytest.fixture(autouse=True)
    def _nothing_is_left(self, tmp_path: Path) -> Iterator[None]:
        (tmp_path / "full").mkdir()
        (tmp_path / "full/file").touch()
        (tmp_path / "taken-vendor.git").mkdir()
        process.run(["git", "init", "--quiet", "--bare", tmp_path / "empty.git"])
        before = sorted(tmp_path.rglob("*"))
        yield
        assert sorted(tmp_path.rglob("*")) == before

    @pytest.mark.parametrize(
        ("words", "what", "hint"),
        [
            (["mail", "Mail"], "'Mail' is not a valid name for a service", "how about mail?"),
            (
                ["mail", "--namespace", "Y"],
                "NAMESPACE=Y: not the beginning of a package's name",
                "write lower-case letters and digits: NAMESPACE=acme",
            ),
            (
                ["full"],
                "full: exists already, and is not a project of this toolkit",
                "name a directory that does not exist yet",
            ),
            (
                ["full/file"],
                "full/file: exists already, and is not a project",
                "name a directory that does not exist yet",
            ),
            (["taken"], "taken-vendor.git: exists already", "to use it, say --vendor "),
            (
                ["mail", "--vendor", "nowhere"],
                "nowhere: no git repository can be read there",
                "see that `git ls-remote ",
            ),
            (["mail", "--vendor", "https://127.0.0.1:1/x"], "https://127.0.0.1:1/x: no git repository", "see that"),
            (["mail", "--vendor", "https://[x"], "https://[x: no git repository", "see that"),
            *(
                (
                    ["mail", option, f"https://{login}@127.0.0.1:1/x"],
                    f"{option} https://***@127.0.0.1:1/x: git would write this URL with its user or password",
                    "leave both out",
                )
                for option in ("--vendor", "--toolkit")
                for login in ("me:S3cretPw", "S3cretPw", "me:S3cretPw#1")
            ),
            (["mail", "--toolkit", "empty.git"], "empty.git: the repository there is empty", "name the toolkit's own"),
            (["mail", "--toolkit", "other"], "other: what is there is not this toolkit", "name the toolkit's own"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_it_says_what_is_wrong_and_what_to_do(
        self, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, words: list[str], what: str, hint: str
    ) -> None:
        other = tmp_path_factory.mktemp("other")
        process.run(["git", "init", "--quiet", other])
        git(other, "commit", "--quiet", "--allow-empty", "--message", "x")
        given = [str(other) if word == "other" else word for word in words]
        toolkit = [] if "--toolkit" in words else ["--toolkit", str(TOOLKIT)]
        done = run("new-project", *given, *toolkit, cwd=tmp_path)
        assert done.returncode == 1, done.stdout
        assert "S3cretPw" not in done.stdout + done.stderr
        assert what.removeprefix("other") in done.stderr
        assert done.stderr.splitlines()[-1].startswith(f" hint: {hint}")

    def test_somebody_whom_git_does_not_know(self, tmp_path: Path) -> None:
        done = run("new-project", "mail", "--toolkit", TOOLKIT, cwd=tmp_path, env={"GIT_CONFIG_COUNT": "0"})
        assert done.returncode == 1
        assert done.stderr.startswith("error: git does not know who you are")


class TestNewService:
    """`new-service` in the wrong place."""

    def test_no_repository(self, tmp_path: Path) -> None:
        assert "not a git repository" in run("new-service", "mail", cwd=tmp_path).stderr

    def test_no_toolkit_then_no_makefile(self, tmp_path: Path) -> None:
        git(tmp_path, "init", "--quiet")
        assert "common: the toolkit is not there" in run("new-service", "mail", cwd=tmp_path).stderr
        (tmp_path / "common/scripts/toolkit").mkdir(parents=True)
        (tmp_path / "common/project.mk").touch()
        assert "Makefile: there is none" in run("new-service", "mail", cwd=tmp_path).stderr

    def test_below_the_top(self, made: tuple[Path, str]) -> None:
        done = run("new-service", "mail", cwd=made[0] / "debian")
        assert done.stderr.endswith(f" hint: run it in {made[0]}\n")

    def test_the_toolkit_itself(self) -> None:
        assert "the toolkit itself" in run("new-service", "mail", cwd=TOOLKIT).stderr

    def test_a_project_in_a_project(self, made: tuple[Path, str]) -> None:
        done = run("new-project", "inner", "--toolkit", TOOLKIT, cwd=made[0])
        assert f"inside the project {made[0]}" in done.stderr
