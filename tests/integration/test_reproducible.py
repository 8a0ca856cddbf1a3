"""`make reproducible`: two builds of a real package, which are the same or are told apart, file by file."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.integration.debian_project import DebianProject, make_project

pytestmark = pytest.mark.skipif(not shutil.which("dh"), reason="Debian packages are missing")
#: What a build may find out about where it takes place, each in a file of the package. The mask of files is not among
#: them: dpkg-buildpackage sets its own.
TELLTALES = {
    "path": "pwd",
    "zone": "date +%Z",
    "locale": "printenv LC_ALL",
    "cores": "nproc",
    "user": "id -u",
    "host": "uname -n",
    "order": "ls -U one",
    "date": "date +%Y%m",
    "kernel": "uname -r",
    "kernel-version": "uname -v",
    "kernel-in-proc": "cat /proc/version /proc/sys/kernel/osrelease",
    "processors": "getconf _NPROCESSORS_ONLN",
    "processors-in-all": "getconf _NPROCESSORS_CONF",
    "flags": "grep -E '^(flags|Features)' /proc/cpuinfo",
    "file-system": "stat --file-system --format=%T .",
}
#: The same of a wheel's build, which the sandbox confines: a backend that writes each into a module of that name.
FOUND_BY_BACKEND = {
    "kernel": "platform.release()",
    "kernel_version": "platform.version()",
    "kernel_in_proc": "open('/proc/version').read()",
    "processors": "os.cpu_count()",
    "processors_in_proc": "open('/proc/cpuinfo').read().count('processor')",
    "flags": "[line for line in open('/proc/cpuinfo') if line.startswith(('flags', 'Features'))]",
    "date": "time.strftime('%Y%m')",
    "slept": "time.sleep(0.01) or time.strftime('%Y')",
}
RULES = "#!/usr/bin/make -f\n%:\n\tdh $@\noverride_dh_install:\n\tdh_install\n"
SAME_ORDER = ["one/a", "one/b", "one/c", "one/d", "one/e"]


@pytest.fixture
def project(tmp_path: Path) -> DebianProject:
    return make_project(tmp_path)


def test_packages_that_are_the_same_wherever_they_are_built(project: DebianProject) -> None:
    said = project.built("reproducible", DEB_BUILD_OPTIONS="nocheck")
    assert "  SAME    worker_1.0_all.deb  sha256 " in said
    assert "  SAME    yc-api-service_1.0_" in said
    assert list((project.root / "build/reproducible").iterdir()) == []
    assert not project.dist.exists()


def test_everything_that_a_package_took_from_where_it_was_built_is_named(project: DebianProject) -> None:
    target = "debian/worker/usr/share/worker"
    writes = "".join(f"\t{command} > {target}/{name}\n" for name, command in TELLTALES.items())
    project.write("debian/rules", RULES + writes)
    for name in SAME_ORDER:
        project.write(name, "")
    backend = (project.root / "worker/tiny_backend.py").read_text()
    modules = {**FOUND_BY_BACKEND, "machine": "platform.machine()"}
    lines = "".join(f'SETTINGS["modules"]["{name}"] = repr({code})\n' for name, code in modules.items())
    project.write("worker/tiny_backend.py", f"{backend}\nimport platform, time\n{lines}")
    project.commit()
    done = project.make("reproducible", DEB_BUILD_OPTIONS="nocheck")
    assert done.returncode == 2
    assert "error: worker_1.0_all.deb: not the same in both builds" in done.stdout
    assert re.search(r"worker_1\.0_all\.deb: data: /usr/\S+ differs in content", done.stdout)
    report = (project.dist / "reproducible/worker_1.0_all.deb.txt").read_text()
    # What is said to be different is: another file system is not where the first build is in memory, too.
    same = set() if "file system" in done.stdout else {"file-system"}
    assert {*re.findall(r"── \./usr/share/worker/([\w-]+)$", report, re.MULTILINE)} == {*TELLTALES} - same
    found = {*re.findall(r"── \./usr/lib/\S+/site-packages/(\w+)\.py$", report, re.MULTILINE)}
    assert found == {*FOUND_BY_BACKEND}
    assert not (project.dist / "reproducible").joinpath("yc-api-service_1.0_amd64.deb.txt").exists()


def test_the_second_build_may_fail_alone(project: DebianProject) -> None:
    project.write("debian/rules", RULES + "\ttest $$(uname -n) != other-machine\n")
    project.commit()
    done = project.make("reproducible", DEB_BUILD_OPTIONS="nocheck")
    assert done.returncode == 2
    assert "error: dpkg-buildpackage failed with status 2" in done.stdout
    assert list((project.root / "build/reproducible").iterdir()) == []
