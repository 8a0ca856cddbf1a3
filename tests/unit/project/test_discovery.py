"""Which directories are packages, what they are called, and what cannot stand together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.conftest import Workspace


def found(workspace: Workspace, **more: str) -> dict[str, str]:
    """Return the distribution name by directory."""
    project = workspace.discover(**more)
    return {project.shown(package.path): package.name for package in project.packages}


def test_setup_py_and_pyproject_with_a_build_system_or_project_make_a_package(workspace: Workspace) -> None:
    workspace.package("one", "one").write(
        {
            "two/pyproject.toml": '[build-system]\nrequires = ["hatchling"]\n',
            "three/pyproject.toml": '[project]\nname = "Three.Name"\n',
            "four/pyproject.toml": "[tool.ruff]\nline-length = 100\n",
        }
    )
    assert found(workspace) == {"one": "one", "two": "two", "three": "three-name"}


@pytest.mark.parametrize(
    "directory",
    [
        "vendor/x",
        "dist/x",
        "build/x",
        "debian/x",
        ".hidden/x",
        "one/vendor/x",
        "node_modules/x",
        "__pycache__/x",
        "one.egg-info",
    ],
)
def test_directories_of_results_and_of_others_are_not_searched(workspace: Workspace, directory: str) -> None:
    workspace.package("one", "one").package(directory, "other")
    assert found(workspace) == {"one": "one"}


def test_a_virtual_environment_is_not_searched_whatever_its_name(workspace: Workspace) -> None:
    workspace.package("one", "one").package("python/lib/thing", "thing").write({"python/pyvenv.cfg": "home = /usr\n"})
    assert found(workspace) == {"one": "one"}


def test_packages_inside_a_package_and_the_root_itself_count(workspace: Workspace) -> None:
    workspace.package(".", "root").package("plugins/extra", "extra")
    assert found(workspace) == {".": "root", "plugins/extra": "extra"}


def test_links_are_not_followed(workspace: Workspace) -> None:
    workspace.package("one", "one")
    (workspace.root / "one" / "up").symlink_to(workspace.root)
    assert found(workspace) == {"one": "one"}


def test_of_the_toolkit_only_its_own_package_counts(workspace: Workspace) -> None:
    toolkit = {"common/project.mk": "", "common/scripts/toolkit/core/console.py": ""}
    workspace.write(toolkit).package("common", "yc_common").package("common/tests/projects/simple", "simple")
    assert found(workspace) == {"common": "yc-common"}


def test_a_package_with_bin_is_a_service_named_after_its_directory(workspace: Workspace) -> None:
    workspace.service("example_service", "yc_example_service").package("common", "yc_common")
    project = workspace.discover()
    assert [service.service_name for service in project.services] == ["example-service"]
    assert [library.name for library in project.libraries] == ["yc-common"]
    assert [project.lock_name(package) for package in project.locked] == ["example-service"]


def test_a_service_in_the_project_s_own_directory_is_named_by_its_distribution(workspace: Workspace) -> None:
    """The checkout may be called anything; in a package build it is called after the source package."""
    assert workspace.service(".", "yc_thing").discover().services[0].service_name == "yc-thing"


def test_without_services_the_libraries_are_locked_but_not_the_toolkit_s(workspace: Workspace) -> None:
    toolkit = {"common/project.mk": "", "common/scripts/toolkit/core/console.py": ""}
    project = workspace.write(toolkit).package("common", "yc_common").package("lib", "My_Lib").discover()
    assert [project.lock_name(package) for package in project.locked] == ["my-lib"]


def test_the_toolkit_alone_locks_its_own_library(workspace: Workspace) -> None:
    project = (
        workspace.write({"project.mk": "", "scripts/toolkit/core/console.py": ""}).package(".", "yc_common").discover()
    )
    assert [project.lock_name(package) for package in project.locked] == ["yc-common"]


def test_find_takes_any_spelling(workspace: Workspace) -> None:
    project = workspace.package("lib", "My.Lib_x").discover()
    package = project.find("my_LIB-x")
    assert package is not None
    assert package.name == "my-lib-x"
    assert project.find("other") is None


@pytest.mark.parametrize(
    ("files", "name", "version"),
    [
        ({"setup.py": "import setuptools as s\nNAME = 'a-b'\ns.setup(name=NAME, version='2')\n"}, "a-b", "2"),
        (
            {
                "setup.py": "from setuptools import setup\nsetup()\n",
                "setup.cfg": "[metadata]\nname = from_cfg\nversion = 3\n",
            },
            "from-cfg",
            "3",
        ),
        ({"setup.py": "", "setup.cfg": "[metadata]\nname = x\nversion = attr: x.__version__\n"}, "x", ""),
        (
            {"pyproject.toml": "[project]\nname='p'\nversion='4'\n", "setup.py": "setup(name='s', version='5')"},
            "p",
            "4",
        ),
        ({"pyproject.toml": "[project]\nname='p'\ndynamic=['version']\n"}, "p", ""),
        (
            {"setup.py": "setup(name='my-lib', version=read())", "my_lib/__init__.py": "__version__ = '7'\n"},
            "my-lib",
            "7",
        ),
        (
            {"setup.py": "setup(name='my-lib', version=read())", "my_lib/__init__.py": "__version__ = f()\n"},
            "my-lib",
            "",
        ),
        ({"setup.py": "setup(name='my-lib', version=read())", "my_lib/__init__.py": "__version__ = ("}, "my-lib", ""),
        ({"pyproject.toml": "[build-system]\n[tool.poetry]\nname='poem'\nversion='6'\n"}, "poem", "6"),
    ],
)
def test_name_and_version_are_read_where_they_are_written(
    workspace: Workspace, files: dict[str, str], name: str, version: str
) -> None:
    (package,) = workspace.write({f"lib/{file}": text for file, text in files.items()}).discover().packages
    assert (package.name, package.version) == (name, version)


def test_setup_py_is_not_run(workspace: Workspace, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    text = f"open({str(mark)!r}, 'w')\nfrom setuptools import setup\nsetup(name='lib')\n"
    assert found(workspace.write({"lib/setup.py": text})) == {"lib": "lib"}
    assert not mark.exists()


@pytest.mark.parametrize("text", ["setup(name=compute())", "setup(**x)", "print 'python 2'", ""])
def test_a_name_that_only_running_would_tell_is_the_directory_s_and_said(
    workspace: Workspace, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (package,) = workspace.write({"my_lib/setup.py": text}).discover().packages
    assert package.name == "my-lib"
    assert "my_lib/setup.py: the distribution's name is not written literally" in capsys.readouterr().err


def test_packages_overrides_discovery(workspace: Workspace) -> None:
    workspace.package("one", "one").package("two", "two").package("build/three", "three")
    assert found(workspace, packages="one build/three") == {"build/three": "three", "one": "one"}


def test_services_says_which_packages_are_services(workspace: Workspace) -> None:
    workspace.service("one", "one").service("two", "two").package("three", "three")
    project = workspace.discover(services="two three/")
    assert [service.name for service in project.services] == ["three", "two"]
    assert [library.name for library in project.libraries] == ["one"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("none", "PACKAGES=none: no such directory"),
        ("plain", "PACKAGES=plain: no setup.py or pyproject.toml (with [build-system] or [project]) in it"),
        ("../elsewhere", "PACKAGES=../elsewhere: not inside the project"),
    ],
)
def test_packages_must_name_packages_of_the_project(workspace: Workspace, value: str, reason: str) -> None:
    workspace.write({"plain/": ""})
    with pytest.raises(UserError) as caught:
        workspace.discover(packages=value)
    assert caught.value.what.startswith(reason)
    assert caught.value.hint


def test_no_package_at_all_is_an_error(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="no package here"):
        workspace.discover()


def test_two_packages_of_one_name_are_refused(workspace: Workspace) -> None:
    workspace.package("a", "Same_name").package("b", "same.name")
    with pytest.raises(UserError, match="a/ and b/: two packages of the name same-name") as caught:
        workspace.discover()
    assert "PACKAGES=" in caught.value.hint


def test_two_services_of_one_name_are_refused(workspace: Workspace) -> None:
    workspace.service("a/the_service", "one").service("b/the-service", "two")
    with pytest.raises(UserError, match="a/the_service/ and b/the-service/: two services of the name the-service"):
        workspace.discover()


def test_two_services_with_one_script_are_refused(workspace: Workspace) -> None:
    workspace.service("a", "one").service("b", "two").write({"b/bin/yc-one": ""})
    with pytest.raises(UserError, match="a/ and b/: two services with the script yc-one"):
        workspace.discover()


@pytest.mark.parametrize(
    "declaration",
    [
        {"b/pyproject.toml": "[project]\nname='two'\n[project.scripts]\nyc-one = 'two:main'\n"},
        {"b/setup.py": "setup(name='two', entry_points={'console_scripts': ['yc-one = two:main']})"},
        {"b/setup.cfg": "[options.entry_points]\nconsole_scripts =\n  yc-one = two:main\n"},
    ],
)
def test_a_declared_console_script_counts_as_a_script(workspace: Workspace, declaration: dict[str, str]) -> None:
    workspace.service("a", "one").service("b", "two").write(declaration)
    with pytest.raises(UserError, match="two services with the script yc-one"):
        workspace.discover()


def test_hidden_files_and_directories_of_bin_are_no_scripts(workspace: Workspace) -> None:
    workspace.service("a", "one").service("b", "two")
    for service in "ab":
        workspace.write({f"{service}/bin/.gitignore": "", f"{service}/bin/helpers/x": ""})
    assert [service.scripts for service in workspace.discover().services] == [("yc-one",), ("yc-two",)]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", "[project"),
        ("pyproject.toml", "[project]\nname = 'a"),
        ("setup.cfg", "name = x\n[metadata]\n"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(workspace: Workspace, file: str, text: str) -> None:
    with pytest.raises(UserError, match=f"lib/{file}: "):
        workspace.write({"lib/setup.py": "", f"lib/{file}": text}).discover()


GITMODULES = '[submodule "x"]\n\tpath = {path}\n\turl = ssh://git@host/x.git\n'


@pytest.mark.parametrize("path", ["common", "vendor", "libs/deep"])
def test_an_uninitialised_submodule_is_named_with_its_mend(workspace: Workspace, path: str) -> None:
    workspace.package("one", "one").write({".gitmodules": GITMODULES.format(path=path), f"{path}/": ""})
    with pytest.raises(UserError, match=f"{path}/: a submodule that is not initialised") as caught:
        workspace.discover()
    assert "git submodule update --init --recursive" in caught.value.hint


def test_a_submodule_of_a_submodule_is_looked_at_too(workspace: Workspace) -> None:
    workspace.package("libs", "libs").write(
        {
            ".gitmodules": GITMODULES.format(path="libs"),
            "libs/.gitmodules": GITMODULES.format(path="inner"),
            "libs/inner/": "",
        }
    )
    with pytest.raises(UserError, match="libs/inner/: a submodule"):
        workspace.discover()


@pytest.mark.parametrize("path", ["vendor", "stand"])
def test_submodules_that_are_never_searched_may_be_empty(workspace: Workspace, path: str) -> None:
    """A library's own vendored files, and what the toolkit carries for development machines, are not needed."""
    workspace.package("common", "yc_common").write(
        {
            ".gitmodules": GITMODULES.format(path="common"),
            "common/project.mk": "",
            "common/scripts/toolkit/core/console.py": "",
            "common/.gitmodules": GITMODULES.format(path=path),
            f"common/{path}/": "",
        }
    )
    assert found(workspace) == {"common": "yc-common"}


def test_a_removed_submodule_is_an_error_in_a_checkout_only(workspace: Workspace) -> None:
    workspace.package("one", "one").write({".gitmodules": GITMODULES.format(path="common")})
    assert found(workspace) == {"one": "one"}
    workspace.write({".git/": ""})
    with pytest.raises(UserError, match="common/: a submodule"):
        workspace.discover()


@pytest.mark.parametrize("name", ["../evil", "a/b", "a b", "-x", "a\\x1b", "é"])
def test_what_is_no_name_of_a_distribution_is_refused(workspace: Workspace, name: str) -> None:
    workspace.write({"one/pyproject.toml": f'[project]\nname = "{name}"\n'.replace("\\x", "\\u00")})
    with pytest.raises(UserError, match=r"one/pyproject\.toml: `.*` is no name of a distribution") as caught:
        workspace.discover()
    assert caught.value.what.isprintable()
