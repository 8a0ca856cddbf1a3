"""A library cannot make a package depend on packages of others by what it calls itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.debian import deb_build, library_dependencies


def deb(directory: Path, name: str, shlibs: str) -> Path:
    control = directory / name / "DEBIAN"
    control.mkdir(parents=True)
    fields = f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: A <a@b.example>\nDescription: x\n"
    (control / "control").write_text(fields)
    if shlibs:
        (control / "shlibs").write_text(shlibs)
    path = directory / f"{name}_1.0_all.deb"
    subprocess.run(["dpkg-deb", "--build", directory / name, path], check=True, capture_output=True)
    return path


@pytest.mark.parametrize("shlibs", ["", "# none\n\n", "libx 1 one (>= 1.0)\nudeb: libx 1 one\n", "libx 1 one | two\n"])
def test_packages_of_the_same_project_are_fine(tmp_path: Path, shlibs: str) -> None:
    library_dependencies.check([deb(tmp_path, "one", shlibs), deb(tmp_path, "two", "")])


@pytest.mark.parametrize("line", ["libx 1 telnetd, one (>= 1.0)", "libx 1 telnetd one", "udeb: libx 1 one | telnetd"])
def test_others_are_an_attack_and_the_old_packages_stay(tmp_path: Path, line: str) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "old").touch()
    with pytest.raises(UserError, match=r"one_1\.0_all\.deb looks like an attack: .*`telnetd") as caught:
        deb_build.publish([deb(tmp_path, "one", f"{line}\n")], tmp_path / "dist")
    assert line in caught.value.what and "do not use" in caught.value.hint
    assert [path.name for path in (tmp_path / "dist").iterdir()] == ["old"]
