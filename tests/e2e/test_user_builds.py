"""An ordinary user builds and checks what ships, by dpkg's own defaults: root has no part in it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.machine import run
from tests.e2e.test_check_deb import flawless_project
from tests.integration.debian_project import DebianProject
from toolkit.debian import source_package

SUITE = platform.freedesktop_os_release()["VERSION_CODENAME"]
NAME, UID = "e2e-developer", 61234
#: The files of an account, which nobody sees but the command that runs as it: nothing is left on this machine.
ACCOUNT = {
    "passwd": f"{NAME}:x:{UID}:{UID}::/nonexistent:/bin/sh",
    "group": f"{NAME}:x:{UID}:",
    "subuid": f"{NAME}:100000:65536",
    "subgid": f"{NAME}:100000:65536",
}
AS_USER = """
for name in passwd group subuid subgid; do mount --bind "$0/$name" "/etc/$name"; done
exec setpriv --reuid="$1" --regid="$1" --init-groups -- make
"""
EXTRA = "usr/share/worker/found-here-alone"


@dataclass(frozen=True)
class Developer:
    """An ordinary user, with a directory for builds, and a project."""

    project: DebianProject
    home: Path
    temporary: Path

    def make(self, *words: str) -> str:
        """Return what make prints, which has to succeed."""
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "TMPDIR": str(self.temporary)}
        script = AS_USER.replace("-- make", '-- make "${@:2}"')
        command = ["unshare", "--mount", "bash", "-euc", script, str(self.home / "account"), NAME, *words]
        return run(command, cwd=self.project.root, env=environment)


@pytest.fixture(scope="module")
def developer(environment: dict[str, str]) -> Iterator[Developer]:
    """Return a user whose chroots are those of this session, with a project that says nothing of root."""
    if os.geteuid() != 0:
        pytest.skip("this is an ordinary user already, as whom the other tests build")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        place = Path(name)
        place.chmod(0o755)
        home, temporary = place / "home", place / "temporary"
        for directory in (home / "account", temporary):
            directory.mkdir(parents=True)
        for file, line in ACCOUNT.items():
            (home / "account" / file).write_text(f"{Path('/etc', file).read_text()}{line}\n")
        project = flawless_project(home)
        control = (project.root / "debian/control").read_text()
        project.write("debian/control", control.replace("Rules-Requires-Root: no\n", ""))
        project.commit()
        # One is there already where other tests have come first.
        run(["make", "chroot"], cwd=project.root, env={**environment, "TMPDIR": str(temporary)})
        chroots = Path(environment["XDG_CACHE_HOME"], "python-common/chroots")
        shutil.copytree(chroots, home / ".cache/python-common/chroots")
        run(["chown", "--recursive", "--no-dereference", f"{UID}:{UID}", home, temporary])
        yield Developer(project=project, home=home, temporary=temporary)


@pytest.fixture(scope="module")
def said(developer: Developer) -> str:
    """Return what `make sbuild` says after `make deb`; of that, one package has a file that the chroot's has not."""
    developer.make("deb")
    [package] = developer.project.dist.glob("worker_*.deb")
    with tempfile.TemporaryDirectory() as tree:
        subprocess.run(["dpkg-deb", "--raw-extract", package, f"{tree}/x"], check=True)
        Path(tree, "x", EXTRA).touch()
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", f"{tree}/x", package], check=True)
    return developer.make("sbuild", f"SUITES={SUITE}")


def test_packages_belong_to_root_and_what_holds_them_to_the_user(developer: Developer, said: str) -> None:
    assert "CHROOT" not in said
    directories = (developer.project.dist, developer.project.dist / SUITE)
    for path in (path for directory in directories for path in directory.glob("*.deb")):
        assert {line.split()[1] for line in run(["dpkg-deb", "--contents", path]).splitlines()} == {"root/root"}
    assert {path.stat().st_uid for path in (developer.project.dist / SUITE).iterdir()} == {UID}


def test_what_only_the_package_of_make_deb_has_is_told(developer: Developer, said: str) -> None:
    name = "some-project_1.0.dsc"
    here, clean = (source_package.checksums(developer.project.dist / each / name) for each in (".", SUITE))
    assert here == clean
    told = [line.strip() for line in said.splitlines() if re.search("`make (deb|sbuild)`", line)]
    assert told == [
        "warning: worker: `make deb` and `make sbuild` made different packages of the same source",
        f"only in that of `make deb`: /{EXTRA}",
    ]


def test_they_are_checked_and_nothing_is_left_where_chroots_were(developer: Developer, said: str) -> None:
    checked = developer.make("check-deb", f"SUITES={SUITE}")
    steps = ["LINTIAN no error, no warning", f"SYSTEM  {SUITE}: installed, "]
    assert [step for step in steps if f"  {step}" in checked] == steps, checked
    assert list(developer.temporary.iterdir()) == []
