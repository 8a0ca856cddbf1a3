"""What keeps the services of a stand, with a tmux of its own: windows that start, stay when they crash, and restart."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

import stand_managers
import stand_services
from stand_managers import Service, ServiceError, State, Windows

# Real processes in a real tmux, which take their time to start and to end.
pytestmark = pytest.mark.slow

LISTENER = """\
import os, signal, socket, time
signal.signal(signal.SIGHUP, signal.SIG_IGN)
listening = socket.create_server(("127.0.0.1", {port}))
print("up", os.getcwd(), os.environ["PYTHONDONTWRITEBYTECODE"], flush=True)
while True:
    connection, _ = listening.accept()
    connection.recv(100)
    connection.sendall(b"HTTP/1.0 204 No Content\\r\\n\\r\\n")
    connection.close()
"""


@pytest.fixture
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Windows]:
    """Return the manager of a tmux server that is there for this test alone."""
    (tmp_path / "tmux").mkdir()
    for name in ("TMUX", "TMUX_PANE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMUX_TMPDIR", str(tmp_path / "tmux"))
    yield Windows()
    panes = ["tmux", "list-panes", "-a", "-F", "#{pane_pid}"]
    shown = subprocess.run(panes, check=False, capture_output=True, text=True)
    # Some of them take no notice when their terminal goes.
    for pid in map(int, shown.stdout.split()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    subprocess.run(["tmux", "kill-server"], check=False, capture_output=True)


@pytest.fixture
def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str, str], Service]:
    """Return what makes a service of a Python program."""

    def write(name: str, program: str) -> Service:
        script = tmp_path / name / "environment" / "bin" / name
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(f"#!/usr/bin/python3\n{program}")
        script.chmod(0o755)
        return Service(
            name=name,
            directory=str(tmp_path / name),
            environment=str(tmp_path / name / "environment"),
            script=name,
            unit="",
            check="",
            made_of="",
        )

    return write


def start(windows: Windows, *services: Service) -> list[str]:
    windows.prepare(services, "/")
    return [service.name for service in services if windows.start(service)]


def test_starts_a_service_in_its_directory_and_says_where_it_listens(
    windows: Windows, make: Callable[[str, str], Service], free_port: int
) -> None:
    service = make("web", LISTENER.format(port=free_port))
    assert start(windows, service) == ["web"]
    stand_services.wait(windows, [service], 20)
    assert f"up {service.directory} 1" in windows.log(service)
    found = stand_services.describe(service, windows.state(service))
    assert found == {"name": "web", "running": True, "ended": "", "listens": {f"127.0.0.1:{free_port}": "HTTP 204"}}
    assert stand_services.text(found) == f"web: running, listens on 127.0.0.1:{free_port} (HTTP 204)"


def test_starts_nothing_twice_and_again_what_has_changed(
    windows: Windows, make: Callable[[str, str], Service], free_port: int
) -> None:
    service = make("web", LISTENER.format(port=free_port))
    start(windows, service)
    stand_services.wait(windows, [service], 20)
    before = windows.state(service)
    assert start(windows, service) == []
    assert windows.state(service) == before
    changed = replace(service, made_of="another lock")
    assert start(windows, changed) == ["web"]
    stand_services.wait(windows, [changed], 20)
    assert windows.state(changed).pid not in (0, before.pid)


def test_restarts_a_service_that_heeds_no_hangup_when_its_port_is_free(
    windows: Windows, make: Callable[[str, str], Service], free_port: int
) -> None:
    service = make("web", LISTENER.format(port=free_port))
    start(windows, service)
    stand_services.wait(windows, [service], 20)
    before = windows.state(service).pid
    windows.restart(service)
    stand_services.wait(windows, [service], 20)
    assert windows.state(service).pid not in (0, before)
    assert not Path(f"/proc/{before}/exe").exists()


def test_a_crashed_service_leaves_its_window_with_the_last_lines(
    windows: Windows, make: Callable[[str, str], Service]
) -> None:
    service = make("web", "import sys\nsys.exit('no database at 10.0.0.1')\n")
    start(windows, service)
    with pytest.raises(ServiceError, match=r"(?s)no database at 10.0.0.1.*the service web (ended with|has ended)"):
        stand_services.wait(windows, [service], 20)
    assert "no database at 10.0.0.1" in windows.log(service)
    assert start(windows, service) == ["web"], "what does not run is started again"


def test_a_service_that_listens_nowhere_is_up_when_it_has_lived_for_a_while(
    windows: Windows, make: Callable[[str, str], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make("worker", "import time\ntime.sleep(100)\n")
    start(windows, service)
    monkeypatch.setattr(stand_services, "SETTLED", 0.05)
    stand_services.wait(windows, [service], 20)
    assert windows.state(service).age > 0.05


def test_a_service_with_a_check_is_up_when_that_succeeds(
    windows: Windows, make: Callable[[str, str], Service], tmp_path: Path
) -> None:
    worker = make("worker", f"import pathlib, time\npathlib.Path('{tmp_path}/ready').touch()\ntime.sleep(100)\n")
    service = replace(worker, check=f"test -e {tmp_path}/ready")
    start(windows, service)
    stand_services.wait(windows, [service], 20)
    with pytest.raises(ServiceError, match="is not up after 0 s"):
        stand_services.wait(windows, [replace(service, check="false")], 0)


def test_a_service_that_is_no_longer_there_loses_its_window_and_others_keep_theirs(
    windows: Windows, make: Callable[[str, str], Service]
) -> None:
    one, two = (make(name, "import time\ntime.sleep(100)\n") for name in ("one", "two"))
    start(windows, one, two)
    pid = windows.state(two).pid
    assert windows.prepare([one], "/") == ["two"]
    assert windows.state(one).pid and not windows.state(two).pid
    assert not Path(f"/proc/{pid}/exe").exists()
    shown = subprocess.run(
        ["tmux", "list-windows", "-t", "services", "-F", "#{window_name}"], check=True, capture_output=True, text=True
    )
    assert shown.stdout.split() == ["shell", "one"]


def test_a_process_that_does_not_end_is_killed(
    windows: Windows, make: Callable[[str, str], Service], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = make(
        "stuck",
        "import pathlib, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path('{tmp_path}/deaf').touch()\ntime.sleep(100)\n",
    )
    service = replace(service, check=f"test -e {tmp_path}/deaf")
    start(windows, service)
    stand_services.wait(windows, [service], 20)
    before = windows.state(service).pid
    monkeypatch.setattr(stand_managers, "STOPPING", 0.1)
    windows.restart(service)
    assert not Path(f"/proc/{before}/exe").exists()


def test_reads_what_ansible_wrote_down(tmp_path: Path) -> None:
    item = {"name": "web", "directory": ".", "script": "yc-web", "unit": "", "lock": "1"}
    written = {
        "mode": "tmux",
        "user": "vagrant",
        "project": "/vagrant",
        "environments": "/e",
        "checks": {"web": "true"},
        "left_out": ["other"],
        "services": [item, {**item, "name": "other"}],
    }
    (tmp_path / "services.json").write_text(json.dumps(written))
    user, project, [service] = stand_services.read(tmp_path / "services.json")
    assert (user, project) == ("vagrant", "/vagrant")
    assert (service.directory, service.environment, service.check) == ("/vagrant", "/e/web", "true")
    (tmp_path / "services.json").write_text(json.dumps({**written, "mode": "deb"}))
    assert stand_services.read(tmp_path / "services.json")[0] == "root"


def test_a_name_that_there_is_not_is_refused(make: Callable[[str, str], Service]) -> None:
    with pytest.raises(ServiceError, match="wbe: no such service; there is: web"):
        stand_services.chosen([make("web", "")], ["wbe"])


def test_the_age_of_a_process_is_that_of_its_life() -> None:
    with subprocess.Popen(["sleep", "100"]) as child:
        try:
            first, begin = State(pid=child.pid).age, time.monotonic()
            while time.monotonic() - begin < 0.05:
                os.sched_yield()
            assert 0 <= first < State(pid=child.pid).age
        finally:
            child.kill()
