"""`adopt`: a project as people publish them is one command away from `make vendor deb`, and what that makes starts."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import public_projects
from tests.e2e.machine import TOOLKIT, Root, run

PERSON = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Some Developer"), ("EMAIL", "developer@example.com"))
}


@pytest.mark.parametrize(
    ("name", "version", "tests", "said"),
    [
        ("shop-page", "0.1.0", "1 passed", "<p>Hello from Flask</p>"),
        ("stock-api", "2.1.0~rc1", "1 passed, 1 warning", "Hello from Starlette"),
        ("site", "0.1.0", "there is no tests/ in it", "<p>Hello from Django</p>\n"),
        ("word-count", "0.3.0", "there is no tests/ in it", ""),
    ],
)
def test_one_command_makes_a_project_whose_package_starts(
    name: str, version: str, tests: str, said: str, environment: dict[str, str], root: Root, tmp_path: Path
) -> None:
    project = tmp_path / name
    public_projects.write(project, public_projects.PROJECTS[name])
    known = {**environment, **PERSON}
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Theirs"]):
        run(["git", *words], cwd=project, env=known)
    run([TOOLKIT / "scripts/adopt", "--toolkit", TOOLKIT], cwd=project, env=known)
    lock = ["FROM=poetry.lock"] if name == "word-count" else []
    made = run(["make", "vendor", "deb", *lock], cwd=project, env=known)
    assert f"  TEST    {name}: {tests}" in made
    assert run(["git", "diff", "--name-only"], cwd=project, env=known) == ""
    assert run(["git", "ls-files", "--others", "--exclude-standard"], cwd=project, env=known) == ""
    [package] = project.glob(f"dist/yc-{name}_{version}_*.deb")
    root.install(package)
    if not said:
        assert "+ click 8.1.7\n" in made
        assert root.run("yc-word-count", "three small words") == "3\n"
        return
    # uvicorn lets the signal end it.
    [answer] = root.ask([f"/usr/bin/yc-{name}"], "http://127.0.0.1:8000/", [{}], (0, -signal.SIGTERM))
    assert (answer.status, answer.body.decode()) == (200, said)
    run_test(root, project / "debian/tests" / name)


def run_test(root: Root, test: Path) -> Sequence[str]:
    """Run a test of debian/tests in a root."""
    target = root.path / "var/tmp/test"
    target.write_bytes(test.read_bytes())
    target.chmod(0o755)
    return root.run("/var/tmp/test").splitlines()
