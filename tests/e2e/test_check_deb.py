"""`make check-deb`: packages with faults are told which; that the example has none, test_example tells."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.machine import run
from tests.integration.debian_project import CHANGELOG, CONTROL, DebianProject, make_project

OVERRIDES = """\
# This project is there to be checked.
yc-api-service: package-installs-python-pycache-dir *
yc-api-service: unusual-interpreter *
yc-api-service: no-manual-page *
"""
SOURCE_OVERRIDES = """\
# make install writes it
some-project source: python3-depends-but-no-python3-helper *
"""

OPENS_A_LIBRARY = """\
from ctypes import CDLL
from ctypes.util import find_library

cookie = CDLL(find_library("magic")).magic_open(0)
"""
REFUSES = 'test "$1" != remove || { echo I shall stay; exit 1; }\n'


def check(project: DebianProject, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "check-deb", *words]
    return subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> DebianProject:
    return flawless_project(tmp_path_factory.mktemp("check-deb"))


def flawless_project(directory: Path) -> DebianProject:
    """Return a project with two packages of which lintian has nothing to say."""
    project = make_project(directory)
    # What depends on another package of the source lives and ends with that.
    before, _, worker = CONTROL.rpartition("Depends: ")
    project.write("debian/control", f"{before}Depends: yc-api-service (>= ${{source:Version}}), {worker}")
    project.write("debian/copyright", "Copyright 2026 Some Developer. All rights reserved.\n")
    project.write("debian/yc-api-service.lintian-overrides", OVERRIDES)
    project.write("debian/worker.lintian-overrides", OVERRIDES.replace("yc-api-service", "worker"))
    project.write("debian/source/lintian-overrides", SOURCE_OVERRIDES)
    return project


def build(project: DebianProject, environment: dict[str, str]) -> None:
    project.commit()
    run(["make", "deb"], cwd=project.root, env={**environment, "DEB_BUILD_OPTIONS": "nocheck"})


def test_what_lintian_says_ends_it(project: DebianProject, environment: dict[str, str]) -> None:
    (project.root / "debian/worker.lintian-overrides").unlink()
    build(project, environment)
    done = check(project, environment)
    assert done.returncode == 2
    assert "W: worker: no-manual-page [usr/bin/yc-work]" in done.stderr
    assert re.search(r"^error: lintian: \d+ errors and warnings$", done.stderr, re.MULTILINE)
    project.write("debian/worker.lintian-overrides", OVERRIDES.replace("yc-api-service", "worker"))


def test_what_a_package_leaves_behind_is_named(project: DebianProject, environment: dict[str, str]) -> None:
    """The older package leaves nothing; the newer one does when it is configured."""
    build(project, environment)
    older = project.root.parent / "released"
    (project.root / "dist").rename(older)
    project.write("debian/changelog", CHANGELOG.replace("(1.0)", "(1.1)"))
    script = "#!/bin/sh\nset -e\nmkdir -p /var/lib/worker\ntouch /var/lib/worker/state\n#DEBHELPER#\n"
    project.write("debian/worker.postinst", script)
    build(project, environment)
    done = check(project, environment, f"UPGRADE_FROM={older}")
    assert done.returncode == 2
    assert "error: worker: purged, but it left or changed /var/lib/worker, /var/lib/worker/state\n" in done.stderr
    assert "hint: undo it in the `purge` of debian/worker.postrm" in done.stderr
    log = next((project.root / "build/logs").glob("lifecycle-*.log")).read_text()
    steps = re.findall(r"^STEP (.*)", log, re.MULTILINE)
    assert [step for step in steps if step.startswith("worker ")] == [
        *(f"worker {step}" for step in ("clean", "depends", "depends-older", "install-older", "upgrade", "rollback")),
        *(f"worker {step}" for step in ("upgrade", "load", "remove", "purge")),
    ]
    assert steps.index("yc-api-service purge") < steps.index("worker depends")


def test_a_package_that_cannot_be_removed_is_named(project: DebianProject, environment: dict[str, str]) -> None:
    (project.root / "debian/worker.postinst").unlink(missing_ok=True)
    project.write("debian/worker.prerm", f"#!/bin/sh\nset -e\n#DEBHELPER#\n{REFUSES}")
    build(project, environment)
    done = check(project, environment)
    assert done.returncode == 2
    assert "I shall stay" in done.stderr
    assert "error: worker: remove failed" in done.stderr


def test_a_library_that_a_module_opens_has_to_be_in_depends(
    project: DebianProject, environment: dict[str, str]
) -> None:
    """debhelper has it where packages are built; a clean system has it by Depends alone."""
    (project.root / "debian/worker.prerm").unlink(missing_ok=True)
    settings = json.loads((project.root / "worker/tiny.json").read_text())
    settings["modules"]["worker"] = OPENS_A_LIBRARY
    project.write("worker/tiny.json", json.dumps(settings))
    build(project, environment)
    done = check(project, environment)
    assert done.returncode == 2
    assert "error: worker: the module worker (worker) cannot be imported: AttributeError: " in done.stderr
    hint = "it looks for libmagic.so: add libmagic1(t64)? to Depends of worker in debian/control; if nothing uses it, "
    found = re.search(f"^ hint: {hint}name worker in debian/worker.load-overrides, ", done.stderr, re.MULTILINE)
    assert found, done.stderr
    project.write("debian/worker.load-overrides", "worker  # as a test wants it\n")
    build(project, environment)
    done = check(project, environment)
    assert done.returncode == 0, done.stderr
    (project.root / "debian/worker.load-overrides").unlink()
    control = (project.root / "debian/control").read_text()
    before, _, worker = control.rpartition("Depends: ")
    project.write("debian/control", f"{before}Depends: libmagic1{found[1] or ''}, {worker}")
    build(project, environment)
    done = check(project, environment)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^  LOADED  worker: 2 modules, 0 libraries, with its Depends alone$", done.stdout, re.MULTILINE)


UNIT = """\
[Unit]
Description=what {name} does

[Service]
ExecStart={command}
{more}
[Install]
WantedBy=multi-user.target
"""
UNITS = {
    "": ("/usr/bin/yc-wrok", ""),
    "filtered.": ("/usr/bin/sleep infinity", "SystemCallFilter=@basic-io\n"),
    "brief.": ("/usr/bin/true", ""),
    "unready.": ("/usr/bin/sleep infinity", "Type=notify\nTimeoutStartSec=5\n"),
    "later.": ("/usr/bin/sleep infinity", "[Unit]\nConditionPathExists=/etc/worker.conf\n"),
    "asking.": ("/usr/bin/sleep infinity", "ExecCondition=/usr/bin/test -e /etc/worker.conf\n"),
    "lost.": ("/usr/bin/sleep infinity", "[Unit]\nRequires=gone.service\n"),
    "empty.": ("", ""),
    "stubborn.": ("/usr/bin/sleep infinity", "ExecReload=/usr/bin/false\n"),
    "keeper.": ("/usr/bin/sleep infinity", "DynamicUser=yes\nStateDirectory=yc/worker\n"),
}


@pytest.mark.skipif(
    os.geteuid() != 0 or " cgroup" not in Path("/proc/mounts").read_text(), reason="the kernel lets nothing boot here"
)
def test_units_are_started_as_they_are_installed(project: DebianProject, environment: dict[str, str]) -> None:
    """What is wrong with each is told; a service that has run leaves more than one that has not."""
    for name, (command, more) in UNITS.items():
        project.write(f"debian/worker.{name}service", UNIT.format(name=name, command=command, more=more))
    # A timer starts what is not enabled itself.
    project.write("debian/worker.job.service", "[Unit]\nDescription=a job\n\n[Service]\nExecStart=/usr/bin/true\n")
    timer = "[Unit]\nDescription=its time\n\n[Timer]\nOnCalendar=yearly\n\n[Install]\nWantedBy=timers.target\n"
    project.write("debian/worker.job.timer", timer)
    names = ["job", *(name.strip(".") for name in UNITS if name)]
    calls = "".join(f"\tdh_installsystemd -pworker --name={name}\n" for name in names)
    project.write(
        "debian/rules", f"#!/usr/bin/make -f\n%:\n\tdh $@\noverride_dh_installsystemd:\n\tdh_installsystemd\n{calls}"
    )
    project.write(
        "debian/worker.postinst", "#!/bin/sh\nset -e\nid yc-worker || useradd --system yc-worker\n#DEBHELPER#\n"
    )
    build(project, environment)
    done = check(project, environment, "BOOT=required")
    assert done.returncode == 2
    error = done.stderr.partition("error: ")[2]
    assert error.startswith("worker: installed, but a unit does not run: ")
    assert "brief.service: it has ended (success), " in error
    assert (
        "filtered.service: it has failed (signal SYS: a system call that SystemCallFilter does not let pass), " in error
    )
    assert "unready.service: it has failed (timeout)" in error
    assert "worker.service: it has failed (status 203: there is no program that ExecStart names, " in error
    assert "/usr/bin/yc-wrok: No such file or directory" in done.stderr
    assert "lost.service: it cannot be started: " in error
    assert "empty.service: it cannot be loaded: " in error
    log = next((project.root / "build/logs").glob("lifecycle-*.log")).read_text()
    assert "WRONG worker reload stubborn.service: " in log
    units = ("job.service", "job.timer", "keeper.service", "stubborn.service")
    assert re.search(rf"^  STARTED worker: {', '.join(units)}$", done.stdout, re.MULTILINE)
    for name in ("asking", "later"):
        assert f"worker: {name}.service did not run: its conditions are not met" in done.stdout
    overrides = "".join(
        f"{name or 'worker.'}service\n" for name in UNITS if name not in ("asking.", "later.", "keeper.")
    )
    project.write(
        "debian/worker.check-overrides", f"# As a test wants them.\n{overrides}user yc-worker\ngroup yc-worker\n"
    )
    done = check(project, environment, "BOOT=required")
    assert done.returncode == 2
    state = "/var/lib/private/yc, /var/lib/private/yc/worker, /var/lib/yc, /var/lib/yc/worker"
    assert f"error: worker: purged, but it left or changed {state}\n" in done.stderr
