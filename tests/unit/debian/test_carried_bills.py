"""The bill of materials that a package carries, taken out of it."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.debian import carried_bills
from toolkit.project import discovery
from toolkit.project.settings import Settings

BILL = b'{"bomFormat": "CycloneDX"}\n'
PLACE = "usr/share/doc/yc-app/sbom.cdx.json.gz"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    project = tmp_path / "project"
    (project / "app" / "bin").mkdir(parents=True)
    (project / "app" / "setup.py").write_text("from setuptools import setup\nsetup(name='app')\n")
    (project / "debian" / "source").mkdir(parents=True)
    (project / "debian" / "control").write_text(
        "Source: app\nMaintainer: A <a@b.example>\n\nPackage: yc-app\nArchitecture: all\nDescription: x\n"
    )
    (project / "debian" / "changelog").write_text(
        "app (1.0) unstable; urgency=medium\n\n  * x\n\n -- A <a@b.example>  Mon, 02 Nov 2026 10:00:00 +0000\n"
    )
    (project / "debian" / "source" / "format").write_text("3.0 (native)\n")
    rules = project / "debian" / "rules"
    rules.write_text("#!/usr/bin/make -f\n%:\n\tdh $@\n")
    rules.chmod(0o755)
    (project / "dist" / "trixie").mkdir(parents=True)
    return Settings(project=project)


def pack(directory: Path) -> Path:
    """Return a package of what is in `directory`."""
    (directory / "DEBIAN").mkdir(parents=True)
    (directory / "DEBIAN" / "control").write_text(
        "Package: yc-app\nVersion: 1.0~trixie1\nArchitecture: all\nMaintainer: A <a@b.example>\nDescription: x\n"
    )
    path = directory.parent / "yc-app_1.0~trixie1_all.deb"
    subprocess.run(["dpkg-deb", "--build", directory, path], check=True, capture_output=True)
    return path


def take_out(settings: Settings, *debs: Path) -> list[tuple[Path, str]]:
    return [*carried_bills.take_out(discovery.discover(settings), settings, debs, settings.dist / "trixie")]


def test_the_bill_is_what_the_package_carries(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "tree" / PLACE).parent.mkdir(parents=True)
    (tmp_path / "tree" / PLACE).write_bytes(gzip.compress(BILL))
    path = settings.dist / "trixie" / "app.cdx.json"
    assert take_out(settings, pack(tmp_path / "tree")) == [(path, "yc-app_1.0~trixie1_all.deb")]
    assert path.read_bytes() == BILL
    assert [*settings.build.iterdir()] == []


def test_a_package_that_is_not_there_is_told(settings: Settings) -> None:
    with pytest.raises(UserError, match="there is no package yc-app of app") as caught:
        take_out(settings)
    assert caught.value.hint == "build it: `make sbuild SUITES=trixie`"


def test_a_package_without_a_bill_is_told(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"all.deb: there is no /{PLACE} in it"):
        take_out(settings, pack(tmp_path / "tree"))


@pytest.mark.parametrize(
    "content",
    [b"", BILL, gzip.compress(BILL)[:-1], gzip.compress(BILL)[:20]],
    ids=["empty", "not compressed", "short of a byte", "short"],
)
def test_a_bill_that_is_damaged_is_told(settings: Settings, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tree" / PLACE).parent.mkdir(parents=True)
    (tmp_path / "tree" / PLACE).write_bytes(content)
    with pytest.raises(UserError, match="cannot be read"):
        take_out(settings, pack(tmp_path / "tree"))


@pytest.mark.parametrize("link", [PLACE, "usr/share/doc/yc-app", "usr/share"])
def test_no_link_leads_out_of_a_package(settings: Settings, tmp_path: Path, link: str) -> None:
    secret = tmp_path / "elsewhere" / Path(PLACE).relative_to(link)
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_bytes(gzip.compress(b"a secret"))
    (tmp_path / "tree" / link).parent.mkdir(parents=True)
    (tmp_path / "tree" / link).symlink_to(secret if link == PLACE else tmp_path / "elsewhere")
    with pytest.raises(UserError, match="cannot be read"):
        take_out(settings, pack(tmp_path / "tree"))
    assert [*(settings.dist / "trixie").iterdir()] == []


def test_libraries_carry_none(settings: Settings) -> None:
    (settings.project / "app" / "bin").rmdir()
    with pytest.raises(UserError, match="packages of libraries carry no bill"):
        take_out(settings)
