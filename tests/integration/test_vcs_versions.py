"""Versions from git, where no build sees a repository: of debian/changelog, or of an archive's URL."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from tests.integration.test_vendor_txt import without_header
from tests.integration.workshop import Workshop
from toolkit.core import files

VARIABLE = "$SETUPTOOLS_SCM_PRETEND_VERSION"
SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "tiny_backend"\nbackend-path = ["."]\n'
CHANGELOG = "some-project ({}) unstable; urgency=low\n\n  * New.\n\n -- A <a@b.c>  Mon, 02 Nov 2026 10:00:00 +0000\n"


def scm(name: str) -> str:
    return f'{SYSTEM}[project]\nname = "{name}"\ndynamic = ["version"]\n[tool.setuptools_scm]\n'


def service(shop: Workshop, version: str = VARIABLE) -> None:
    shop.service("app", version=version, dynamic=["tool"]).write({"app/pyproject.toml": scm("app")})


def archive(version: str = VARIABLE) -> bytes:
    """Return a forge's archive of a repository: what is in git, and no more."""
    content = sdists.make_sdist("thing", version, files={"pyproject.toml": scm("thing"), "PKG-INFO": ""})
    return gzip.compress(lzma.decompress(without_header(content)))


def built(shop: Workshop, name: str, tmp_path: Path) -> list[str]:
    done = shop.run("install", "--destdir", str(tmp_path / "installed"))
    assert done.status == 0, done.err
    found = [path.name for path in (tmp_path / "installed").rglob(f"{name}-*.dist-info")]
    files.remove(tmp_path / "installed")
    return found


def test_a_service_gets_the_version_of_its_changelog(shop: Workshop, index: LocalIndex, tmp_path: Path) -> None:
    sdists.publish(index, "tool", "1.0")
    service(shop)
    shop.write({"debian/changelog": CHANGELOG.format("1:2.0~rc1-1")})
    # The hook is asked, and sees it too.
    assert shop.vendor().status == 0
    assert shop.build_keys() == ["tool==1.0"]
    assert built(shop, "app", tmp_path) == ["app-2.0rc1.dist-info"]
    shop.write({"debian/changelog": CHANGELOG.format("2.1")})
    assert built(shop, "app", tmp_path) == ["app-2.1.dist-info"]
    # Nothing is vendored anew for it.
    assert "up to date" in shop.vendor().out


def test_a_build_that_makes_another_version(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "tool", "1.0")
    service(shop, "0.0.0")
    shop.write({"debian/changelog": CHANGELOG.format("1.0")})
    assert shop.vendor().status == 0
    what, _ = shop.build().error
    assert what == "app: its build made version `0.0.0`, not 1.0 of debian/changelog:1"


def test_a_service_without_changelog_and_tag(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "tool", "1.0")
    service(shop, "1.0")
    assert shop.vendor().status == 0
    what, hint = shop.build().error
    assert what == "app/: setuptools-scm takes its version from git, and there is neither a debian/changelog nor a tag"
    assert "git tag" in hint


@pytest.mark.parametrize("file", ["app/requirements.txt", "app/vendor.txt"])
@pytest.mark.parametrize(("name", "suffix"), [("v1.2.tar.gz", ""), ("main.tar.gz", "#version=1.2")])
def test_an_archive_of_a_tag(
    shop: Workshop, index: LocalIndex, tmp_path: Path, file: str, name: str, suffix: str
) -> None:
    url = index.add(name, archive(), name="elsewhere")
    line = f"{url}{suffix}" if file.endswith("vendor.txt") else f"thing @ {url}{suffix}"
    shop.service("app", "thing").write({file: f"{line}\n"})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert shop.keys() == ["thing==1.2"]
    assert ("the version is that of its URL" in done.out + done.err) == (not suffix)
    assert built(shop, "thing", tmp_path) == ["thing-1.2.dist-info"]


def test_an_archive_of_which_nothing_tells_the_version(shop: Workshop, index: LocalIndex) -> None:
    url = index.add("main.tar.gz", archive(), name="elsewhere")
    shop.service("app", f"thing @ {url}")
    what, hint = shop.vendor().error
    assert (
        what
        == "app/requirements.txt:1: main.tar.gz takes its version from git (setuptools-scm), which an archive has not"
    )
    assert "#version=1.2" in hint


def test_a_version_that_is_not_the_archives(shop: Workshop, index: LocalIndex) -> None:
    url = index.add("thing-1.0.tar.gz", sdists.make_sdist("thing", "1.0"), name="elsewhere")
    shop.service("app", f"thing @ {url}#version=1.2")
    what, _ = shop.vendor().error
    assert what == "app/requirements.txt:1: thing-1.0.tar.gz is thing 1.0, not 1.2"
