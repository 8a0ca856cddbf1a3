"""The example's package on a machine with systemd: it starts, answers, and keeps its state over versions."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.booted import Booted, boot
from tests.e2e.machine import Root, run

UNIT = "yc-example-service.service"
URL = "http://127.0.0.1:8080"
pytestmark = pytest.mark.skipif(
    " cgroup" not in Path("/proc/mounts").read_text(), reason="the kernel has no control groups mounted"
)


@pytest.fixture(scope="module")
def packages(example: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the example's package, and one of the next version with the same in it."""
    [first] = (example / "dist").glob("yc-example-service_0.1.0_*.deb")
    directory = tmp_path_factory.mktemp("next")
    run(["dpkg-deb", "--raw-extract", first, directory / "tree"])
    control = directory / "tree/DEBIAN/control"
    control.write_text(re.sub(r"^Version: 0\.1\.0$", "Version: 0.2.0", control.read_text(), flags=re.MULTILINE))
    second = directory / first.name.replace("0.1.0", "0.2.0")
    run(["dpkg-deb", "--build", directory / "tree", second])
    return first, second


@pytest.fixture(scope="module")
def machine(
    root_archive: Path, packages: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Booted]:
    """Return a booted system with the first of the packages installed; both are in /var/tmp."""
    directory = tmp_path_factory.mktemp("booted") / "root"
    directory.mkdir()
    run(["tar", "--extract", "--numeric-owner", "--file", root_archive, "--directory", directory])
    root = Root(directory)
    root.run("apt-get", "--quiet", "update")
    root.run("apt-get", "--quiet", "--yes", "--no-install-recommends", "install", "systemd-sysv", "dbus")
    root.install(packages[0])
    for package in packages:
        shutil.copy(package, directory / "var/tmp")
    with boot(directory) as booted:
        yield booted
    shutil.rmtree(directory)


def test_systemd_starts_it_and_it_answers(machine: Booted) -> None:
    assert machine.property(UNIT, "ActiveState") == "active"
    assert machine.property(UNIT, "NRestarts") == "0"
    assert machine.property(UNIT, "StatusText")
    assert machine.ask(f"{URL}/")["service"] == "example-service"


def test_it_runs_as_a_user_of_its_own_that_may_do_little(machine: Booted) -> None:
    process = machine.property(UNIT, "MainPID")
    status = dict(line.split(":\t", 1) for line in machine.run("cat", f"/proc/{process}/status").splitlines())
    assert int(status["Uid"].split()[0]) >= 61184  # what systemd.exec(5) gives to dynamic users
    assert status["CapEff"] == "0" * 16
    assert status["NoNewPrivs"] == "1"


def test_it_keeps_its_state_over_an_upgrade_and_the_way_back(machine: Booted, packages: tuple[Path, Path]) -> None:
    number = machine.ask(f"{URL}/notes", {"text": "kept"})["id"]
    first, second = packages
    before = machine.property(UNIT, "MainPID")
    for package, version in ((second, "0.2.0"), (first, "0.1.0")):
        machine.run("dpkg", "--install", f"/var/tmp/{package.name}")
        assert machine.run("dpkg-query", "--show", "--showformat", "${Version}", "yc-example-service") == version
        assert machine.property(UNIT, "ActiveState") == "active"
        assert machine.property(UNIT, "MainPID") != before
        assert machine.ask(f"{URL}/notes/{number}")["text"] == "kept"
        before = machine.property(UNIT, "MainPID")


def test_nothing_of_it_runs_when_it_is_removed(machine: Booted) -> None:
    machine.run("dpkg", "--purge", "yc-example-service")
    assert machine.property(UNIT, "ActiveState") == "inactive"
    units = machine.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "--state=active,failed")
    assert "yc-" not in units
