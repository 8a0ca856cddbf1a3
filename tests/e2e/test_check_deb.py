"""`make check-deb`: the example passes, and packages with faults are told which."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.machine import run
from tests.integration.debian_project import CHANGELOG, DebianProject, make_project

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

REFUSES = 'test "$1" != remove || { echo I shall stay; exit 1; }\n'


def check(project: DebianProject, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "check-deb", *words]
    return subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> DebianProject:
    """Return a project with two packages, built; lintian has nothing to say of them."""
    project = make_project(tmp_path_factory.mktemp("check-deb"))
    project.write("debian/copyright", "Copyright 2026 Some Developer. All rights reserved.\n")
    project.write("debian/yc-api-service.lintian-overrides", OVERRIDES)
    project.write("debian/worker.lintian-overrides", OVERRIDES.replace("yc-api-service", "worker"))
    project.write("debian/source/lintian-overrides", SOURCE_OVERRIDES)
    return project


def build(project: DebianProject, environment: dict[str, str]) -> None:
    project.commit()
    run(["make", "deb"], cwd=project.root, env={**environment, "DEB_BUILD_OPTIONS": "nocheck"})


def test_the_example_passes(example: Path, environment: dict[str, str]) -> None:
    said = run(["make", "check-deb"], cwd=example, env=environment)
    assert "  LINTIAN no error, no warning" in said
    assert re.search(r"^  SYSTEM  \w+: installed, installed again, removed, purged", said, re.MULTILINE)
    assert "  TEST    example-service: pass\n" in said


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
    assert "STEP worker upgrade" in log


def test_a_package_that_cannot_be_removed_is_named(project: DebianProject, environment: dict[str, str]) -> None:
    (project.root / "debian/worker.postinst").unlink(missing_ok=True)
    project.write("debian/worker.prerm", f"#!/bin/sh\nset -e\n#DEBHELPER#\n{REFUSES}")
    build(project, environment)
    done = check(project, environment)
    assert done.returncode == 2
    assert "I shall stay" in done.stderr
    assert "error: worker: remove failed" in done.stderr
