"""The example in a stand that is a container: made, entered, broken, mended, with packages instead, and ended."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.machine import TOOLKIT, run
from toolkit.core import files
from toolkit.network import tools_environment

PREPARATION = "#!/bin/sh\nset -eu\nid --name --user >~/prepared\ndate >>~/times\n"


@dataclass(frozen=True)
class Stand:
    """A running stand of a project, and the log of what made it."""

    project: Path
    environment: dict[str, str]
    log: str

    def make(self, *words: str, check: bool = True) -> str:
        """Run make in the project and return what it printed."""
        done = subprocess.run(
            ["make", *words],
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=1200,
        )
        assert (done.returncode == 0) is check, done.stdout
        return done.stdout

    def run(self, script: str) -> str:
        """Run a script of the shell in the stand, as whoever logs in, and return what it printed."""
        found = re.search(r"or (ssh -F \S+ \S+)$", self.log, re.MULTILINE)
        assert found, self.log
        return run([*found[1].split(), script], env=self.environment)


@pytest.fixture(scope="module")
def stand(example: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """Return the stand of the example, made by a user who has a locale, a time zone and a script of their own."""
    if os.geteuid() != 0:
        pytest.skip("booting a container needs root: run it through sudo")
    script = tmp_path_factory.mktemp("user") / "prepare"
    script.write_text(PREPARATION)
    own = {
        **environment,
        "LC_TIME": "de_DE.UTF-8",
        "LANG": "xx_YY.UTF-8",
        "TZ": "Asia/Tokyo",
        "VAGRANT_USER_PREP_SCRIPT": str(script),
    }
    made = Stand(example, own, "")
    try:
        yield Stand(example, own, made.make("stand"))
    finally:
        made.make("stand-destroy")
        root = f"/var/lib/python-common/stands/{example.name}-"
        assert root not in Path("/proc/mounts").read_text() + run(["ps", "-e", "-o", "args"])
        assert not list(Path(root).parent.glob(f"{example.name}-*"))


@contextmanager
def edited(path: Path, old: str, new: str) -> Iterator[None]:
    """Change a file of the project for a while, as an editor does."""
    text = path.read_text()
    assert old in text
    files.write_atomic(path, text.replace(old, new))
    try:
        yield
    finally:
        files.write_atomic(path, text)


def answer() -> str:
    """Return what the service answers, asked from this machine."""
    with urllib.request.urlopen("http://127.0.0.1:8080/", timeout=10) as response:
        return str(response.read().decode())


def test_the_service_runs_and_is_reached_from_this_machine(stand: Stand) -> None:
    assert "example-service: running, listens on 127.0.0.1:8080 (HTTP 200)" in stand.log
    assert '"example-service"' in answer()


def test_who_logs_in_finds_what_they_have_at_home(stand: Stand) -> None:
    assert stand.run("LC_ALL=de_DE.UTF-8 date -d 2026-11-25 +%A").strip() == "Mittwoch"
    assert stand.run("date +%Z").strip() == "JST"
    unknown = stand.run("LC_ALL=xx_YY.UTF-8 bash -c '. ~/.bashrc.d/vagrant-user.sh; echo $LC_ALL' 2>/dev/null")
    assert unknown.strip() == "en_US.UTF-8"
    assert stand.run("cat ~/prepared; wc -l <~/times").split() == ["vagrant", "1"]
    stand.run("for program in git htop less tmux vim; do command -v $program; done")


def test_an_edit_is_seen_at_once_and_a_restart_in_place_brings_it_to_life(stand: Stand) -> None:
    before = stand.run("ls /vagrant/example_service | sort")
    with edited(
        stand.project / "example_service/yc_example_service/web.py",
        '"service": "example-service"',
        '"service": "edited"',
    ):
        assert '"edited"' in stand.run("cat /vagrant/example_service/yc_example_service/web.py")
        stand.run("stand-services restart example-service && stand-services wait")
        assert '"edited"' in answer()
    stand.run("stand-services restart example-service && stand-services wait")
    assert '"example-service"' in answer()
    assert stand.run("ls /vagrant/example_service | sort") == before, "the service has left something in the project"


def test_a_forwarded_agent_is_in_the_session_of_whoever_comes_later(stand: Stand, tmp_path: Path) -> None:
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "mine", "-f", tmp_path / "key"])
    shown = run(["ssh-agent", "-s"])
    agent = dict(re.findall(r"(SSH_\w+)=([^;]+)", shown))
    try:
        run(["ssh-add", tmp_path / "key"], env={**stand.environment, **agent})
        attached = Stand(stand.project, {**stand.environment, **agent}, stand.log)
        # The window was made while nobody with an agent was there.
        stand.run("tmux new-window -d -t services -n agent; tmux has-session -t services")
        text = attached.run(
            ". ~/.bashrc.d/vagrant-user.sh; tmux send-keys -t services:agent "
            "'ssh-add -l >~/keys 2>&1; tmux wait-for -S asked' Enter; tmux wait-for asked; cat ~/keys"
        )
        assert " mine (ED25519)" in text
    finally:
        run(["ssh-agent", "-k"], env={**stand.environment, **agent})


def test_a_service_that_does_not_come_up_is_shown_and_a_run_after_it_is_mended_mends_the_stand(stand: Stand) -> None:
    with edited(
        stand.project / "example_service/yc_example_service/main.py",
        "\n\n\n",
        '\n\nraise SystemExit("no database at 10.0.0.1")\n\n',
    ):
        stand.run("stand-services restart example-service")
        output = stand.make("stand", check=False)
        assert "no database at 10.0.0.1" in output and "the service example-service " in output
        assert "error: the stand is not ready: services: Wait until every service is up" in output
    output = stand.make("stand")
    assert "services: Start services that are not in it" in output
    assert "(HTTP 200)" in output


def test_a_second_run_changes_nothing(stand: Stand) -> None:
    assert re.search(r"ready \(\d+ s, 0 changes\)", stand.make("stand"))
    assert stand.run("wc -l <~/times").strip() == "1", "the user's script has run once"


def test_packages_take_the_place_of_windows_and_run_as_units(stand: Stand) -> None:
    output = stand.make("stand", "STAND_MODE=deb")
    assert "yc-example-service: Install" not in output and "(HTTP 200)" in output
    assert stand.run("systemctl is-active yc-example-service.service").strip() == "active"
    assert "example-service: running, listens on 127.0.0.1:8080 (HTTP 200)" in stand.run("stand-services status")
    assert stand.run("tmux list-windows -t services 2>&1 || true").startswith(("no server", "can't find", "error"))


def test_the_roles_are_what_ansible_lint_calls_fit_for_production(environment: dict[str, str]) -> None:
    python = tools_environment.make(Path(sys.executable), requirements=TOOLKIT / "tests" / "stand.txt")
    shown = run(
        [
            python.with_name("ansible-lint"),
            "--offline",
            "--profile",
            "production",
            "--config-file",
            os.devnull,
            "stand",
        ],
        cwd=TOOLKIT,
        env={**environment, "PATH": f"{python.parent}:{environment['PATH']}"},
    )
    assert "it passed" in shown
