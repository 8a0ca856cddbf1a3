"""Programs that are not there, and the Debian packages that bring them."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.core import debian_packages, process
from toolkit.core.errors import UserError


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only directory with programs, which has fakeroot alone."""
    (tmp_path / "fakeroot").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_every_program_comes_with_a_package_that_setup_can_install() -> None:
    groups = ["build", "develop", "library", "sbuild", "check", "test", "stand", "box", "vagrant", "emulation", "guest"]
    assert set(debian_packages.PROGRAMS.values()) <= debian_packages.read(groups).keys()


def test_all_that_is_missing_is_named_at_once_and_each_package_once(programs: Path) -> None:
    with pytest.raises(UserError) as caught:
        debian_packages.require("the build needs", "gcc", "dh", "fakeroot", "dpkg-buildpackage", missing=["libx-dev"])
    assert caught.value.what == "this machine lacks what the build needs: build-essential debhelper libx-dev"
    assert caught.value.hint == "apt-get install build-essential debhelper libx-dev"


def test_nothing_is_said_where_all_is_there(programs: Path) -> None:
    debian_packages.require("the build needs", "fakeroot")


def test_a_program_that_cannot_be_started_names_its_package(programs: Path) -> None:
    with pytest.raises(UserError) as caught:
        process.run(["lintian"])
    assert (caught.value.what, caught.value.hint) == ("lintian: no such program", "apt-get install lintian")
