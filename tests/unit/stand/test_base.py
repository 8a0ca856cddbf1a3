"""The kinds of stands: what each refuses before anything has been started, and how one is tested."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.project.settings import Settings
from toolkit.stand import base, container, container_stand
from toolkit.stand.base import Access, StandOptions, Status
from toolkit.stand.container import Container
from toolkit.stand.container_stand import ContainerStand
from toolkit.stand.remote import RemoteStand
from toolkit.verbs import command_line

CONTAINER = Container(
    name="demo", tarball="/t", project="/a:b", uid=1000, port=2222, authorized_key="k", host_key="h", store="/s"
)


@pytest.fixture
def stand(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ContainerStand:
    """Return a container of a project, with nothing on this machine yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(container, "ROOT", tmp_path / "containers")
    return ContainerStand(settings=workspace.settings(), options=StandOptions())


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port that something listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


def test_two_projects_of_one_name_have_two_stands(tmp_path: Path) -> None:
    names = {
        ContainerStand(settings=Workspace(tmp_path / place / "Über_demo 2").settings(), options=StandOptions()).name
        for place in ("one", "two")
    }
    assert len(names) == 2
    assert all(name.startswith("ber-demo-2-") for name in names)


def test_the_name_of_a_stand_fits_into_a_label_of_a_host_name(tmp_path: Path) -> None:
    settings = Workspace(tmp_path / f"{'a' * 39}-{'b' * 100}").settings()
    assert re.fullmatch(r"a{39}-[0-9a-f]{8}", ContainerStand(settings=settings, options=StandOptions()).name)


def test_a_port_in_use_is_refused(stand: ContainerStand, taken: int) -> None:
    asked = ContainerStand(settings=stand.settings, options=StandOptions(port=taken))
    with pytest.raises(UserError, match=f"STAND_PORT={taken}: in use"):
        asked._port()


def test_the_port_of_last_time_is_taken_again_unless_something_has_it(stand: ContainerStand, taken: int) -> None:
    stand.directory.mkdir(parents=True)
    first = stand._port()
    assert stand._port() == first
    (stand.directory / "port").write_text(str(taken))
    assert stand._port() != taken


def test_a_machine_without_nspawn_is_told_what_to_install(
    stand: ContainerStand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="needs: systemd-container openssh-client") as caught:
        stand.up()
    assert "apt-get install systemd-container openssh-client" in caught.value.hint


def test_without_root_and_sudo_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(process, "run_at_terminal", lambda words: pytest.fail("it was started"))
    with pytest.raises(UserError, match="containers need root, and there is no sudo"):
        container_stand._as_root("boot", "x")


def test_a_project_that_has_the_toolkit_elsewhere_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    settings = Settings(project=workspace.root, toolkit=tmp_path / "elsewhere")
    with pytest.raises(UserError, match="not inside the project"):
        ContainerStand(settings=settings, options=StandOptions()).up()


def test_another_suite_than_that_of_the_stand_is_refused(stand: ContainerStand) -> None:
    (container.ROOT / stand.name / "root").mkdir(parents=True)
    stand.directory.mkdir(parents=True)
    (stand.directory / "suite").write_text("bookworm")
    with pytest.raises(UserError, match="the stand of this project is bookworm, not trixie"):
        stand._tarball("trixie")


def test_a_stand_that_does_not_run_cannot_be_entered_and_ending_it_is_no_error(stand: ContainerStand) -> None:
    with pytest.raises(UserError, match="does not run"):
        stand.access()
    stand.destroy()


def test_a_container_is_read_as_it_was_written(tmp_path: Path) -> None:
    container.write(CONTAINER, tmp_path / "container")
    assert container.read(tmp_path / "container") == CONTAINER
    words = container.command(CONTAINER, has_systemd=False)
    assert r"--bind=/a\:b:/vagrant" in words and "--keep-unit" in words
    assert "--keep-unit" not in container.command(CONTAINER, has_systemd=True)


def test_a_process_of_another_time_is_not_the_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "ROOT", tmp_path)
    (tmp_path / "demo").mkdir()
    assert not container.is_running("demo")
    noted = tmp_path / "demo" / "process.json"
    noted.write_text(f'{{"pid": 1, "started": "{container._started(1)}"}}')
    assert container.is_running("demo")
    noted.write_text('{"pid": 1, "started": "1 second before"}')
    assert not container.is_running("demo")


def test_what_is_mounted_is_never_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "demo/root/vagrant").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text(f"36 35 98:0 / {tmp_path}/demo/root/vagrant rw - ext4 /dev/sda rw\n")
    monkeypatch.setattr(container, "_PROC", tmp_path / "proc")
    with pytest.raises(UserError, match="still mounted"):
        container._remove(tmp_path / "demo")
    assert (tmp_path / "demo/root/vagrant").is_dir()


@pytest.mark.parametrize("host", ["", "-oProxyCommand=touch /tmp/x"])
def test_a_remote_stand_needs_a_host(workspace: Workspace, host: str) -> None:
    with pytest.raises(UserError, match="on which host"):
        RemoteStand(settings=workspace.settings(), options=StandOptions(host=host)).access()


def test_a_host_that_does_not_let_in_is_told_with_what_ssh_said(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ssh").write_text("#!/bin/sh\necho 'ssh: Could not resolve hostname nowhere' >&2\nexit 255\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(UserError, match="HOST=me@nowhere: cannot be reached by ssh") as caught:
        RemoteStand(settings=workspace.settings(), options=StandOptions(host="me@nowhere")).access()
    assert "Could not resolve hostname" in caught.value.details


def test_a_host_of_others_is_left_as_it_is(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--project", str(workspace.root), "STAND=remote", "HOST=me@there"]
    command_line.main(["stand-destroy", *words])
    assert "me@there: left as it is" in capsys.readouterr().out


def test_a_container_that_runs_is_not_tested_beside_itself(
    workspace: Workspace, stand: ContainerStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "is_running", lambda name: name == stand.name)
    with pytest.raises(UserError, match="the stand of this project runs"):
        command_line.main(["stand-test", "--project", str(workspace.root)])


class Fake:
    """A stand whose provisionings make the given changes, and whose services have the given states."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, found: list[Status], *changes: str) -> None:
        self.ended = False
        self._changes = iter([("made",), changes])
        monkeypatch.setattr(base, "statuses", lambda access: found)

    def up(self) -> tuple[str, ...]:
        return next(self._changes)

    def access(self) -> Access:
        return Access(host="fake", user="me")

    def destroy(self) -> None:
        self.ended = True


WEB = Status(name="web", running=True, ended="", listens={"127.0.0.1:80": "HTTP 404", "127.0.0.1:81": ""})


def test_a_stand_passes_whose_services_answer_and_that_does_not_change_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stand = Fake(monkeypatch, [WEB, Status(name="worker", running=True, ended="", listens={})])
    base.test(stand)
    assert stand.ended


@pytest.mark.parametrize(
    ("status", "changes", "message"),
    [
        (Status(name="web", running=False, ended="ended with status 1", listens={}), (), "web: ended with status 1"),
        (Status(name="web", running=True, ended="", listens={"[::1]:80": "HTTP 503"}), (), "web: running.*HTTP 503"),
        (WEB, ("base: Set the time zone",), "these changed: base: Set the time zone"),
    ],
)
def test_a_stand_that_fails_is_ended_as_well(
    monkeypatch: pytest.MonkeyPatch, status: Status, changes: tuple[str, ...], message: str
) -> None:
    stand = Fake(monkeypatch, [status], *changes)
    with pytest.raises(UserError, match=message):
        base.test(stand)
    assert stand.ended
