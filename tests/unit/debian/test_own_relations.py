"""Packages of one source take each other's versions, whatever was added to these for a suite."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.debian import own_relations

DEBHELPER = Path(__file__).resolve().parents[3] / "scripts/debhelper"
SUFFIXED = "1.0~bookworm1"
CONTROL = """\
Source: app
Maintainer: A <a@b.example>

Package: app
Architecture: any
Description: x

Package: app-data
Architecture: all
Depends: app (>= ${source:Version}), app (<< ${source:Version}.1~), other (>= ${source:Upstream-Version})
Description: ${source:Version} is told
"""
CHANGELOG = f"""\
app ({SUFFIXED}) bookworm; urgency=medium, binary-only=yes

  * Built for bookworm.

 -- A <a@b.example>  Mon, 02 Nov 2026 10:00:00 +0000

app (1.0) unstable; urgency=medium

  * First.

 -- A <a@b.example>  Mon, 02 Nov 2026 10:00:00 +0000
"""


def deb(directory: Path, name: str, version: str = SUFFIXED, **fields: str) -> Path:
    control = directory / name / "DEBIAN"
    control.mkdir(parents=True)
    known = {"Package": name, "Version": version, "Architecture": "all", "Maintainer": "A <a@b.example>"}
    text = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in {**known, **fields}.items())
    (control / "control").write_text(f"{text}Description: x\n")
    path = directory / f"{name}.deb"
    subprocess.run(["dpkg-deb", "--build", directory / name, path], check=True, capture_output=True)
    return path


@pytest.mark.parametrize(
    "relation",
    [
        "app",
        f"app (= {SUFFIXED})",
        f"app:any (>= {SUFFIXED}), app (<< {SUFFIXED}.1~)",
        "app (>= 1.0) | app (>= 0.9)",
        "app (>= 1.0) | other",
        "app (>= 1.0) | other (>= 5)",
        "other (>= 5)",
        "application (>= 2)",
    ],
)
def test_what_can_be_installed_together_is_fine(tmp_path: Path, relation: str) -> None:
    own_relations.check([deb(tmp_path, "app"), deb(tmp_path, "app-data", Depends=relation)])


@pytest.mark.parametrize("relation", ["app (>= 1.0)", "app:any (= 1.0)", "app (>= 1.0) | app (<< 0.9)"])
@pytest.mark.parametrize("field", ["Depends", "Pre_Depends"])
def test_what_wants_another_version_is_told(tmp_path: Path, relation: str, field: str) -> None:
    own_relations.check([deb(tmp_path / "alone", "app-data", **{field: relation})])
    with pytest.raises(UserError) as caught:
        own_relations.check([deb(tmp_path, "app"), deb(tmp_path, "app-data", **{field: f"libc6, {relation}"})])
    assert caught.value.what == (f"app-data {SUFFIXED} depends on `{relation}`, but that is version {SUFFIXED}")
    assert "${source:Version}" in caught.value.hint


def test_the_version_of_the_source_is_that_of_the_packages(tmp_path: Path) -> None:
    tree = tmp_path / "app-1.0"
    (tree / "debian/app-data/DEBIAN").mkdir(parents=True)
    (tree / "debian/control").write_text(CONTROL)
    (tree / "debian/changelog").write_text(CHANGELOG)
    command = ["dpkg-gencontrol", "-papp-data", "-ldebian/changelog", "-Pdebian/app-data"]
    path = {**os.environ, "PATH": f"{DEBHELPER}:{os.environ['PATH']}"}
    subprocess.run(command, cwd=tree, env=path, check=True, capture_output=True)
    fields = (tree / "debian/app-data/DEBIAN/control").read_text()
    assert f"\nDepends: app (>= {SUFFIXED}), app (<< {SUFFIXED}.1~), other (>= 1.0)\n" in fields
    assert "\nSource: app (1.0)\n" in fields
    assert (tree / "debian/control").read_text() == CONTROL
    # dh_gencontrol names another control file where packages are to have one.
    (tree / "other").write_text(CONTROL.replace("app (>=", "app (>>"))
    subprocess.run([*command, "-cother"], cwd=tree, env=path, check=True, capture_output=True)
    assert f"\nDepends: app (>> {SUFFIXED})" in (tree / "debian/app-data/DEBIAN/control").read_text()


def test_what_dpkg_refuses_is_refused_as_ever(tmp_path: Path) -> None:
    (tmp_path / "debian").mkdir()
    done = subprocess.run(
        [DEBHELPER / "dpkg-gencontrol", "-pnone"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "debian/c" in done.stderr
