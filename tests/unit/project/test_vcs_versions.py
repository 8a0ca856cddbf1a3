"""Versions that builds would take from git, given to them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from toolkit.core.errors import UserError
from toolkit.project import vcs_versions
from toolkit.project.vcs_versions import GivenVersion

SCM = '[project]\nname = "my-lib"\ndynamic = ["version"]\n[tool.setuptools_scm]\n'
CHANGELOG = "x-project ({}) unstable; urgency=low\n\n  * New.\n\n -- A <a@b.example>  Mon, 02 Nov 2026 10:00:00 +0000\n"
DYNAMIC = '[project]\nname = "my-lib"\ndynamic = ["version"]\n'


@pytest.mark.parametrize(
    ("tool", "contents"),
    [
        ("setuptools-scm", {"pyproject.toml": SCM}),
        ("setuptools-scm", {"pyproject.toml": f'[build-system]\nrequires = ["setuptools_scm[simple]"]\n{DYNAMIC}'}),
        ("setuptools-scm", {"setup.py": "from setuptools import setup\nsetup(use_scm_version={'root': '..'})\n"}),
        ("setuptools-scm", {"setup.py": "from setuptools_scm import get_version\nsetup(version=get_version())\n"}),
        ("hatch-vcs", {"pyproject.toml": '[tool.hatch.version]\nsource = "vcs"\n'}),
        ("hatch-vcs", {"hatch.toml": '[version]\nsource = "vcs"\n'}),
        ("pbr", {"setup.py": "import setuptools\nsetuptools.setup(setup_requires=['pbr'], pbr=True)\n"}),
        ("pbr", {"pyproject.toml": '[build-system]\nrequires = ["pbr"]\nbuild-backend = "pbr.build"\n'}),
        ("versioneer", {"setup.cfg": "[versioneer]\nVCS = git\n"}),
        ("versioneer", {"pyproject.toml": f'{DYNAMIC}[tool.versioneer]\nVCS = "git"\n'}),
        ("pdm-backend", {"pyproject.toml": '[tool.pdm.version]\nsource = "scm"\n'}),
        ("poetry-dynamic-versioning", {"pyproject.toml": "[tool.poetry-dynamic-versioning]\nenable = true\n"}),
        ("versioningit", {"pyproject.toml": "[tool.versioningit]\n"}),
        ("", {"pyproject.toml": SCM.replace('dynamic = ["version"]', 'version = "1.0"')}),
        ("", {"setup.py": "from setuptools import setup\nsetup(use_scm_version=False, pbr=False)\n"}),
        ("", {"setup.py": "not Python", "setup.cfg": "not ini"}),
        ("", {}),
    ],
)
def test_what_asks_git(workspace: Workspace, tool: str, contents: dict[str, str]) -> None:
    workspace.write(contents)
    assert vcs_versions.tool_of(workspace.root) == tool


def test_the_changelog_comes_before_a_tag(workspace: Workspace) -> None:
    workspace.write({"my_lib/pyproject.toml": SCM, "debian/changelog": CHANGELOG.format("1:2.0~rc1")})
    commit(workspace.root, "v1.0")
    directory = workspace.root / "my_lib"
    assert vcs_versions.given(directory, workspace.root) == GivenVersion(text="2.0rc1", origin="debian/changelog:1")
    assert workspace.discover().find("my-lib").version == "2.0rc1"  # type: ignore[union-attr]
    workspace.write({"debian/changelog": CHANGELOG.format("2.0~20260101")})
    with pytest.raises(UserError, match=r"^error: debian/changelog:1: 2\.0~20260101 is no version"):
        vcs_versions.given(directory, workspace.root)


def test_of_tags_the_newest_version_counts_and_commits_after_it(workspace: Workspace) -> None:
    workspace.write({"pyproject.toml": SCM})
    commit(workspace.root, "not-a-version", "v1.9", "release-1.10", "nightly/2")
    assert vcs_versions.find(workspace.root, workspace.root) == GivenVersion(text="2", origin="the tag nightly/2")
    commit(workspace.root)
    commit(workspace.root, "v3.0rc1")
    commit(workspace.root)
    commit(workspace.root)
    found = vcs_versions.require(workspace.root, workspace.root, "./")
    assert found == GivenVersion(text="3.0rc1.post2", origin="2 commits after the tag v3.0rc1")


def test_neither_changelog_nor_tag(workspace: Workspace) -> None:
    workspace.write({"pyproject.toml": SCM})
    for tags in ((), ("no-version",)):
        commit(workspace.root, *tags)
        assert vcs_versions.given(workspace.root, workspace.root) is None
        with pytest.raises(
            UserError, match=r"^error: lib/: setuptools-scm takes its version from git, and there is neither"
        ):
            vcs_versions.require(workspace.root, workspace.root, "lib/")
    workspace.write({"pyproject.toml": '[project]\nname = "my-lib"\nversion = "1.0"\n'})
    assert vcs_versions.require(workspace.root, workspace.root, "lib/") is None


def test_versioneer_reads_a_file(workspace: Workspace) -> None:
    workspace.write({"setup.cfg": "[versioneer]\nversionfile_source = lib/_version.py\n", "lib/_version.py": "old\n"})
    vcs_versions.write(workspace.root, "1.5")
    namespace: dict[str, object] = {}
    exec((workspace.root / "lib/_version.py").read_text(), namespace)
    assert namespace["get_versions"]()["version"] == "1.5"  # type: ignore[operator]


@pytest.mark.parametrize("name", ["../out/_version.py", "away/_version.py", "/tmp/_version.py"])
def test_nothing_is_written_out_of_a_source(workspace: Workspace, tmp_path: Path, name: str) -> None:
    (tmp_path / "out").mkdir()
    workspace.write({"setup.cfg": f"[versioneer]\nversionfile_source = {name}\n"})
    (workspace.root / "away").symlink_to(tmp_path / "out")
    with pytest.raises(UserError, match="leads out of the source"):
        vcs_versions.write(workspace.root, "1.5")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_version_that_stands_for_none(workspace: Workspace) -> None:
    workspace.write({"pyproject.toml": DYNAMIC})
    with pytest.raises(UserError, match=r"my-lib: its build made version 0\.0\.0, which stands for none"):
        vcs_versions.check(workspace.root, "0.0.0", None, "my-lib")
    with pytest.raises(UserError, match=r"made version .0\.0\.0., not 1\.0 of debian/changelog:1"):
        vcs_versions.check(workspace.root, "0.0.0", GivenVersion(text="1.0", origin="debian/changelog:1"), "my-lib")
    vcs_versions.check(workspace.root, "1", GivenVersion(text="1.0", origin=""), "my-lib")
    # Written, so it is meant; and a package may have no version at all.
    workspace.write({"pyproject.toml": f'{DYNAMIC}[tool.setuptools.dynamic]\nversion = {{ attr = "x.y" }}\n'})
    vcs_versions.check(workspace.root, "0.0.0", None, "my-lib")
    workspace.write({"pyproject.toml": ""})
    vcs_versions.check(workspace.root, "0.0.0", None, "my-lib")


def commit(root: Path, *tags: str) -> None:
    git = ("git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@b.example")
    if not (root / ".git").exists():
        subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    for tag in tags:
        subprocess.run([*git, "tag", tag], check=True)
