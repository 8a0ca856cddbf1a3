"""The packaging of libraries, where a project has none, or not all, of its own."""

from __future__ import annotations

import subprocess

import pytest

from tests.unit.conftest import Workspace
from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.debian import chroot, deb_build, library, pydist, source_tree
from toolkit.project.debian_control import Control

PYPROJECT = """\
[build-system]
requires = ["flit_core >=3.2,<4", "Setuptools-SCM[toml]>=8"]
build-backend = "flit_core.buildapi"

[project]
name = "python-lib.two"
version = "1.0"
description = "Second library."
license = "MIT"
"""
UNKNOWN = """\
I: dh_python3 pydist:302: Cannot find package that provides odd_one. Please add package that provides it to \
Build-Depends or add "odd_one python3-odd-one" line to debian/py3dist-overrides or add proper dependency to Depends \
by hand and ignore this info.
"""


@pytest.fixture
def project(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Return a project with one library, which nobody has committed yet."""
    monkeypatch.setenv("DEBEMAIL", "me@example.com")
    monkeypatch.setenv("DEBFULLNAME", "Some Developer")
    return workspace.package("lib_one", "lib_one")


def packaging(workspace: Workspace, packages: str = "") -> Control:
    return library.read(workspace.discover(packages=packages), workspace.settings())


def field(control: Control, package: str, name: str) -> str:
    return control.binaries[package].get(name)


def test_a_library_is_packaged_for_the_system_s_interpreter(project: Workspace) -> None:
    control = packaging(project)
    assert (control.name, control.version, control.format) == ("lib-one", "1.0", "3.0 (native)")
    assert control.source.get("Maintainer") == "Some Developer <me@example.com>"
    assert {"dh-python", "pybuild-plugin-pyproject", "python3-all", "python3-setuptools"} <= control.build_depends
    assert field(control, "python3-lib-one", "Architecture") == "all"
    rules = control.path.with_name("rules")
    assert "\tPYBUILD_NAME=lib-one" in rules.read_text()
    assert "--sourcedirectory=lib_one\n" in rules.read_text()
    assert rules.stat().st_mode & 0o111


def test_a_library_in_the_project_s_own_directory_is_built_from_a_copy_without_debian(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Setuptools would take debian/ for one of its packages."""
    workspace.package(".", "alone").write({"setup.py": "from setuptools import setup\nsetup(name='a', version='1')\n"})
    monkeypatch.setenv("DEBEMAIL", "me@example.com")
    control = library.read(workspace.discover(), workspace.settings())
    # One letter is too short for a source package.
    assert control.name == "python3-a"
    rules = control.path.with_name("rules").read_text()
    assert "--sourcedirectory=debian/.debhelper/source\n" in rules
    assert "override_dh_auto_clean: debian/.debhelper/source\n" in rules
    assert "\tfind . -mindepth 1 -maxdepth 1 ! -name debian " in rules


def test_a_library_s_own_settings_reach_its_build(project: Workspace) -> None:
    project.package("second", "second").write(
        {"build-settings.toml": '[lib-one.env]\nZQX_SYSTEM_LIB = "a $b"\nCFLAGS = "-DA"\n'}
    )
    rules = packaging(project).path.with_name("rules").read_text()
    assert "\tDEB_CFLAGS_APPEND=-DA ZQX_SYSTEM_LIB='a $$b' PYBUILD_NAME=lib-one" in rules
    assert "\tPYBUILD_NAME=second" in rules


def test_libraries_share_one_source_package(project: Workspace) -> None:
    project.write({"lib_two/pyproject.toml": PYPROJECT, "lib_two/LICENSE": "Do as you like.\n\nReally."})
    control = packaging(project)
    assert control.name == "project"
    assert list(control.binaries) == ["python3-lib-one", "python3-lib-two"]
    assert field(control, "python3-lib-two", "Description").startswith("Second library\n")
    assert {"flit", "python3-setuptools-scm", "python3-setuptools"} <= control.build_depends
    copyright_file = control.path.with_name("copyright").read_text()
    assert "License: MIT\n Do as you like.\n .\n Really.\n" in copyright_file


def test_what_is_compiled_has_an_architecture(project: Workspace) -> None:
    project.write({"lib_one/examples/other.c": "", "lib_one/lib_one/__init__.py": "", "lib_one/lib_one/tests/a.c": ""})
    assert field(packaging(project), "python3-lib-one", "Architecture") == "all"
    project.write({"lib_one/lib_one/inner/fast.c": ""})
    control = packaging(project)
    assert field(control, "python3-lib-one", "Architecture") == "any"
    assert "${shlibs:Depends}" in field(control, "python3-lib-one", "Depends")
    assert "python3-all-dev" in control.build_depends


def test_libraries_of_different_versions_are_refused(project: Workspace) -> None:
    project.package("lib_two", "lib_two", "2.0")
    with pytest.raises(UserError, match=r"different versions: lib-one 1\.0, lib-two 2\.0"):
        packaging(project)
    assert packaging(project, "lib_two").version == "2.0"


def test_a_version_that_only_running_would_tell_is_refused(project: Workspace) -> None:
    project.write({"lib_one/setup.py": 'from setuptools import setup\nsetup(name="lib_one", version=compute())\n'})
    with pytest.raises(UserError, match=r"lib_one/setup\.py: the version is not written literally"):
        packaging(project)


def test_an_unpacked_sdist_knows_its_version(project: Workspace) -> None:
    project.write(
        {
            "lib_one/setup.py": 'from setuptools import setup\nsetup(name="lib_one", version=compute())\n',
            "lib_one/PKG-INFO": "Metadata-Version: 2.1\nName: lib_one\nVersion: 3.1\n\nText: x\n",
        }
    )
    assert packaging(project).version == "3.1"


def test_a_version_that_is_none_is_refused(project: Workspace) -> None:
    project.package("lib_one", "lib_one", "one")
    with pytest.raises(UserError, match=r"lib_one/setup\.py: one is not a version"):
        packaging(project)


@pytest.mark.parametrize(
    ("python", "debian_s"),
    [
        ("1.0", "1.0"),
        ("1.0rc1", "1.0~rc1"),
        ("2.0.dev3", "2.0~dev3"),
        ("1.0a2.dev1", "1.0~a2~dev1"),
        ("1.0-1", "1.0.post1"),
        ("1!2.0", "1:2.0"),
        ("1.0b3.post2", "1.0~b3.post2"),
        ("1.0+Local.1b2", "1.0+local.1b2"),
    ],
)
def test_versions_sort_in_debian_as_in_python(python: str, debian_s: str) -> None:
    assert library.debian_version(python) == debian_s


def test_a_packaging_of_its_own_is_left_alone(project: Workspace) -> None:
    project.write(
        {
            "debian/control": "Source: own\n\nPackage: python3-own\nArchitecture: all\nDescription: x\n",
            "debian/changelog": "own (3.0) unstable; urgency=medium\n",
            "debian/rules": "%:\n\tdh $@ --with python3 --buildsystem=pybuild\n",
            "debian/source/format": "3.0 (native)",
        }
    )
    control = packaging(project)
    assert (control.name, control.path) == ("own", project.root / "debian/control")
    assert not library.is_generated(project.settings(), control)


def test_rules_that_would_build_by_the_makefile_are_refused(project: Workspace) -> None:
    project.write(
        {
            "debian/control": "Source: own\n\nPackage: python3-own\nArchitecture: all\nDescription: x\n",
            "debian/changelog": "own (3.0) unstable; urgency=medium\n",
            "debian/source/format": "3.0 (native)",
        }
    )
    # make reads any bytes.
    (project.root / "debian/rules").write_bytes(b"#!/usr/bin/make -f\n%:\n\tdh $@\n# J\xf6rg\n")
    with pytest.raises(UserError, match=r"debian/rules:3: debhelper would build by the Makefile"):
        packaging(project)


def test_files_of_its_own_take_the_place_of_generated_ones(project: Workspace) -> None:
    project.write(
        {
            "debian/changelog": "lib-one (1.0-fix) unstable; urgency=medium\n",
            "debian/py3dist-overrides": "odd_one\n",
            "debian/source/format": "3.0 (quilt)\n",
        }
    )
    control = packaging(project)
    assert (control.version, control.format) == ("1.0-fix", "3.0 (quilt)")
    assert control.path.with_name("py3dist-overrides").read_text() == "odd_one\n"
    project.write({"debian/changelog": "lib-one (2.0-1) unstable; urgency=medium\n"})
    assert packaging(project).version == "2.0-1"


def test_who_and_when_are_those_of_the_last_commit(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEBEMAIL")
    with pytest.raises(UserError, match="not a git repository, so there is no maintainer"):
        packaging(project)
    git = ["git", "-C", str(project.root), "-c", "user.name=A B", "-c", "user.email=a@b.example"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    with pytest.raises(UserError, match="no commit yet"):
        packaging(project)
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-11-02T10:00:00+00:00")
    for words in (["add", "--all"], ["commit", "--quiet", "--message", "x"]):
        subprocess.run([*git, *words], check=True)
    control = packaging(project)
    assert control.source.get("Maintainer") == "A B <a@b.example>"
    assert " -- A B <a@b.example>  Mon, 2 Nov 2026 10:00:00 +0000" in control.path.with_name("changelog").read_text()


def test_the_source_package_has_no_toolkit_and_needs_no_lock(project: Workspace) -> None:
    project.write({"common/project.mk": "", "common/scripts/toolkit/": "", "vendor/x.tar.gz": ""})
    control = packaging(project)
    target = project.root.parent / "exported"
    source_tree.export(project.discover(), project.settings(), control, target)
    assert (target / "lib_one/setup.py").is_file()
    assert (target / "debian/rules").stat().st_mode & 0o111
    assert not (target / "common").exists()
    assert not (target / "vendor").exists()


def test_a_dependency_that_debian_does_not_have_ends_the_build() -> None:
    failed = process.CommandError(["dpkg-buildpackage"], 2, f"{UNKNOWN}{UNKNOWN}make: *** [debian/rules:3] Error 1\n")
    error = deb_build.explain(failed, None)
    assert error.what.startswith("Debian has no package of odd_one")
    assert error.hint.count("odd_one python3-odd-one") == 1


def test_a_chroot_for_a_library_has_what_builds_it(project: Workspace) -> None:
    depends = chroot.recipe(packaging(project), "trixie", "http://mirror.example/debian").depends["Build-Depends"]
    assert "dh-python" in depends


def test_names_are_those_of_debian_s_list(monkeypatch: pytest.MonkeyPatch, workspace: Workspace) -> None:
    workspace.write({"list": "# comment\nPyYAML python3-yaml\nruamel.yaml python3-ruamel.yaml\n"})
    monkeypatch.setattr(pydist, "LIST", workspace.root / "list")
    assert pydist.package_of("pyyaml>=6; python_version > '3'") == "python3-yaml"
    assert pydist.package_of("ruamel.yaml") == "python3-ruamel.yaml"
    assert pydist.package_of("Never-Heard.of [extra] == 1") == "python3-never-heard.of"
