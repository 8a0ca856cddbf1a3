"""The example's package on a machine with systemd: it starts, answers, and keeps its state over versions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.booted import Booted, boot
from tests.e2e.machine import Root, run

UNIT = "yc-example-service.service"
URL = "http://127.0.0.1:8080"
ENTRY = """\
example-service (0.2.0) unstable; urgency=medium

  * Second release.

 -- Example Developer <developer@example.com>  Tue, 24 Nov 2026 10:00:00 +0000

"""
pytestmark = pytest.mark.skipif(
    " cgroup" not in Path("/proc/mounts").read_text(), reason="the kernel has no control groups mounted"
)


@pytest.fixture(scope="module")
def packages(example: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the example's package, and that of its next version."""
    project = tmp_path_factory.mktemp("next") / "project"
    shutil.copytree(example, project, symlinks=True)
    for made in ("build", "dist"):
        shutil.rmtree(project / made, ignore_errors=True)
    changelog = project / "debian/changelog"
    changelog.write_text(ENTRY + changelog.read_text())
    run(["make", "deb"], cwd=project, env={**environment, "DEB_BUILD_OPTIONS": "nocheck"})
    [first] = (example / "dist").glob("yc-example-service_0.1.0_*.deb")
    [second] = (project / "dist").glob("yc-example-service_0.2.0_*.deb")
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
