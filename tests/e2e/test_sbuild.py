"""`make sbuild`: a small project, built in a clean chroot of this machine's release."""

from __future__ import annotations

import json
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.machine import run, run_installed
from tests.integration.debian_project import CHANGELOG, CONTROL, TEST, DebianProject, make_project
from tests.integration.test_vcs_versions import VARIABLE, scm
from toolkit.core import files
from toolkit.sandbox import landlock

SUITE = platform.freedesktop_os_release()["VERSION_CODENAME"]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
VERSION = f"1.0~{SUITE}1"
#: Tests of the service that see a loopback and no other network.
NETWORK = """
    def test_has_no_network_but_loopback(self):
        import socket
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()
        with self.assertRaisesRegex(OSError, "unreachable"):
            socket.create_connection(("192.0.2.1", 9), timeout=5)
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Return a directory that the users of a chroot may pass through, for chroots to be unpacked in."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def variables(environment: dict[str, str], place: Path) -> dict[str, str]:
    return {**environment, "TMPDIR": str(place)}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, variables: dict[str, str]) -> DebianProject:
    """Return a project that was built, in a chroot that was made for it, with the output beside it as `log`."""
    project = make_project(tmp_path_factory.mktemp("sbuild"))
    project.write("api_service/tests/test_answer.py", TEST + NETWORK)
    # Without this line dpkg of bookworm wants fakeroot, which no Build-Depends name.
    control = CONTROL.replace("Rules-Requires-Root: no\n", "")
    before, _, worker = control.rpartition("Depends: ")
    project.write("debian/control", f"{before}Depends: yc-api-service (>= ${{source:Version}}), {worker}")
    # One takes its version from git, which no chroot has.
    project.write("worker/pyproject.toml", scm("worker"))
    settings = json.loads((project.root / "worker/tiny.json").read_text())
    project.write("worker/tiny.json", json.dumps({**settings, "version": VARIABLE}))
    project.commit()
    (project.root.parent / "log").write_text(run(["make", "sbuild"], cwd=project.root, env=variables))
    return project


def field(package: Path, name: str) -> str:
    return run(["dpkg-deb", "--field", package, name]).strip()


def test_packages_of_a_suite_have_its_version_and_interpreter(built: DebianProject) -> None:
    directory = built.dist / SUITE
    [service] = directory.glob("yc-api-service_*.deb")
    [worker] = directory.glob("worker_*_all.deb")
    assert [field(package, "Version") for package in (service, worker)] == [VERSION, VERSION]
    assert f"python3 (>= {PYTHON}~)" in field(service, "Depends")
    names = {path.name for path in directory.iterdir()}
    assert {"some-project_1.0.dsc", "some-project_1.0.tar.gz"} <= names
    assert [name for name in names if name.startswith(f"some-project_{VERSION}_") and name.endswith(".changes")]


def test_files_of_packages_belong_to_root(built: DebianProject) -> None:
    for package in (built.dist / SUITE).glob("*.deb"):
        assert {line.split()[1] for line in run(["dpkg-deb", "--contents", package]).splitlines()} == {"root/root"}


def test_packages_that_depend_on_each_other_are_installed_together(built: DebianProject) -> None:
    packages = sorted((built.dist / SUITE).glob("*.deb"))
    [worker] = (package for package in packages if package.name.startswith("worker_"))
    assert field(worker, "Depends").startswith(f"yc-api-service (>= {VERSION}), ")
    assert "42" in run_installed(packages, SUITE, "yc-api")


def test_a_version_from_git_is_that_of_the_changelog_before_the_suite_was_added(built: DebianProject) -> None:
    [worker] = (built.dist / SUITE).glob("worker_*_all.deb")
    names = run(["dpkg-deb", "--contents", worker])
    assert re.findall(r"/worker-([^/]*)\.dist-info/$", names, re.MULTILINE) == ["1.0"]


def test_says_what_it_does_and_keeps_the_whole_output(built: DebianProject) -> None:
    said = (built.root.parent / "log").read_text()
    assert re.search(rf"^  CHROOT  {SUITE} \w+, from ", said, re.MULTILINE)
    assert re.search(r"^  BUILD +native 2\.0$", said, re.MULTILINE)
    assert re.search(r"^  TEST +api-service: Ran 4 tests", said, re.MULTILINE)
    assert "kept from the network" not in said
    # A chroot has no namespaces; before Linux 6.12 it has to do by itself.
    walls = "no files, processes or network of this machine, by Landlock" if landlock.is_there() else "build chroot"
    assert re.search(rf"^  SANDBOX .*{walls}", said, re.MULTILINE)
    assert (
        f"dpkg-buildpackage: info: source version {VERSION}"
        in (built.root / f"build/logs/sbuild-{SUITE}.log").read_text()
    )


def test_nothing_is_left_where_chroots_are_unpacked(built: DebianProject, place: Path) -> None:
    assert list(place.iterdir()) == []
    assert list((built.root / "build/sbuild").iterdir()) == []


def test_what_ships_is_built_again_to_the_same_bytes_from_the_source_that_was_published(
    built: DebianProject, variables: dict[str, str], place: Path
) -> None:
    before = {path.name: files.sha256(path) for path in (built.dist / SUITE).iterdir()}
    kept = (built.root / "shared/shared.py").read_text()
    built.write("shared/shared.py", "VALUE = 2\n")
    said = run(["make", "reproducible", f"SUITES={SUITE}"], cwd=built.root, env=variables)
    built.write("shared/shared.py", kept)
    same = dict(re.findall(rf"^  SAME +{SUITE}/(\S+)  sha256 (\w+)$", said, re.MULTILINE))
    assert same == {name: sha256 for name, sha256 in before.items() if name.endswith(".deb")}
    assert {path.name: files.sha256(path) for path in (built.dist / SUITE).iterdir()} == before
    assert "CHROOT" not in said
    assert "other versions" not in said
    assert [*place.iterdir(), *(built.root / "build/reproducible").iterdir()] == []


def test_a_package_that_was_changed_since_its_build_is_told_before_anything_is_built(
    built: DebianProject, variables: dict[str, str]
) -> None:
    [worker] = (built.dist / SUITE).glob("worker_*_all.deb")
    content = worker.read_bytes()
    worker.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    command = ["make", "reproducible", f"SUITES={SUITE}"]
    done = subprocess.run(command, cwd=built.root, env=variables, capture_output=True, text=True, check=False)
    worker.write_bytes(content)
    assert done.returncode == 2
    assert f"{worker}: not the file that some-project_{VERSION}_" in done.stderr
    assert "REBUILD" not in done.stdout


def test_another_source_of_the_same_version_is_refused(built: DebianProject, variables: dict[str, str]) -> None:
    before = {path.name: files.sha256(path) for path in (built.dist / SUITE).iterdir()}
    built.write("shared/shared.py", "VALUE = 2\n")
    command = ["make", "sbuild"]
    done = subprocess.run(command, cwd=built.root, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "some-project_1.0.dsc: this version is there already, made from another source" in done.stderr
    assert {path.name: files.sha256(path) for path in (built.dist / SUITE).iterdir()} == before


def test_a_run_that_was_killed_does_not_stop_the_next_one(
    built: DebianProject, variables: dict[str, str], place: Path
) -> None:
    built.write("debian/changelog", CHANGELOG.replace("(1.0)", "(1.1)"))
    command = [sys.executable, "common/scripts/verb.py", "sbuild"]
    with subprocess.Popen(command, cwd=built.root, env=variables, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert any("BUILT" in line for line in running.stdout)
        running.send_signal(signal.SIGKILL)
    said = run(["make", "sbuild", "VERSION_SUFFIX="], cwd=built.root, env=variables)
    assert "CHROOT" not in said
    [worker] = (built.dist / SUITE).glob("worker_*.deb")
    assert field(worker, "Version") == "1.1"
    deadline = time.monotonic() + 20
    while list(place.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert list(place.iterdir()) == []
    assert str(place) not in Path("/proc/mounts").read_text()
