"""Which directories are packages, what they are called, and what cannot stand together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.core import git
from toolkit.core.errors import UserError
from toolkit.project import package_search

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


@pytest.fixture
def repository(workspace: Workspace) -> Workspace:
    """A git repository with a package that git has, and a rule that ignores tmp/."""
    workspace.package("one", "one").write({".gitignore": "tmp/\n"})
    git.run(workspace.root, "init", "--quiet")
    git.run(workspace.root, "add", ".")
    return workspace


@pytest.mark.parametrize("file", ["setup.py", "pyproject.toml"])
def test_what_git_ignores_holds_no_packages(repository: Workspace, file: str) -> None:
    repository.write({f"tmp/idna-3.20/{file}": "[project", f"one/tmp/x/{file}": "[project"})
    assert found(repository) == {"one": "one"}


def test_an_ignored_clone_is_not_searched_though_it_has_files_of_its_own(repository: Workspace) -> None:
    repository.package("tmp/clone", "clone")
    git.run(repository.root / "tmp" / "clone", "init", "--quiet")
    git.run(repository.root / "tmp" / "clone", "add", ".")
    assert found(repository) == {"one": "one"}


def test_a_package_that_git_does_not_have_yet_counts(repository: Workspace) -> None:
    assert found(repository.package("new", "new")) == {"new": "new", "one": "one"}


def test_repositories_in_the_project_are_searched_by_their_own_rules(repository: Workspace) -> None:
    repository.package("libs/mine", "mine").package("libs/scratch", "scratch").write({"libs/.gitignore": "scratch"})
    git.run(repository.root / "libs", "init", "--quiet")
    assert found(repository) == {"libs/mine": "mine", "one": "one"}


def test_a_tree_that_is_ignored_as_a_whole_is_searched_as_one_without_git(repository: Workspace) -> None:
    """Such as a source package that is unpacked in a directory of results."""
    repository.package("tmp/export/two", "two")
    packages = package_search.search(repository.root / "tmp" / "export")
    assert list(packages) == [repository.root / "tmp" / "export" / "two"]


@pytest.mark.parametrize("directory", ["tests", "one/tests/data", "docs/examples", "one/fixtures"])
def test_samples_are_no_packages_and_may_be_broken(workspace: Workspace, directory: str) -> None:
    workspace.package("one", "one").package(f"{directory}/foo", "foo")
    workspace.write({f"{directory}/foo/bin/x": "", f"{directory}/bad/pyproject.toml": "[project"})
    workspace.write({"tests/pyproject.toml": "[project"})
    assert found(workspace) == {"one": "one"}


@pytest.mark.parametrize("file", ["pyproject.toml", "setup.py"])
@pytest.mark.parametrize("directory", ["two", "tests/two"])
def test_what_is_called_like_a_file_of_a_package_and_is_none_makes_no_package(
    workspace: Workspace, directory: str, file: str
) -> None:
    workspace.package("one", "one").write({f"{directory}/in/{file}/x": "", f"{directory}/loop/x": ""})
    (workspace.root / directory / "loop" / file).symlink_to(file)
    assert found(workspace) == {"one": "one"}
    assert workspace.discover().sample("two") is None


@pytest.mark.parametrize("file", ["pyproject.toml", "setup.cfg"])
def test_a_broken_file_is_named_by_its_path_in_the_project(workspace: Workspace, file: str) -> None:
    with pytest.raises(UserError) as caught:
        workspace.write({"bad/setup.py": "", f"bad/{file}": "[project"}).discover()
    assert caught.value.what.startswith(f"bad/{file}: ")


def test_of_two_checkouts_of_one_toolkit_the_outer_wins_and_it_is_said_once(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in ("common", "a/common"):
        workspace.package(path, "yc_common").write({f"{path}/project.mk": "", f"{path}/scripts/toolkit/x.py": ""})
    workspace.package("lib", "lib")
    assert found(workspace) == found(workspace) == {"common": "yc-common", "lib": "lib"}
    assert capsys.readouterr().out == "a/common/: the same toolkit as common/, which is taken\n"


def test_two_different_toolkits_are_refused(workspace: Workspace) -> None:
    for path in ("common", "a/common"):
        workspace.package(path, "yc_common").write({f"{path}/project.mk": "", f"{path}/scripts/toolkit/x.py": ""})
    with pytest.raises(UserError, match="a/common/ and common/: two packages of the name yc-common"):
        workspace.write({"common/yc_common/new.py": ""}).discover()


def test_links_are_not_followed(workspace: Workspace) -> None:
    workspace.package("one", "one")
    (workspace.root / "one" / "up").symlink_to(workspace.root)
    assert found(workspace) == {"one": "one"}


def test_of_the_toolkit_only_its_own_package_counts(workspace: Workspace) -> None:
    toolkit = {"common/project.mk": "", "common/scripts/toolkit/core/console.py": ""}
    workspace.write(toolkit).package("common", "yc_common").package("common/tests/projects/simple", "simple")
    assert found(workspace.package("lib", "lib")) == {"common": "yc-common", "lib": "lib"}


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


@pytest.mark.parametrize(
    ("contents", "found"),
    [
        ({"x/": ""}, ""),
        ({"requirements.txt": "", "app.py": ""}, ": requirements.txt is beside no setup.py or pyproject.toml"),
        ({"site/manage.py": "", "docs/x": ""}, ": site/manage.py is beside no setup.py or pyproject.toml"),
        ({"pyproject.toml": "[tool.ruff]\n"}, ": pyproject.toml has neither [build-system] nor [project]"),
        ({"setup.cfg": "[metadata]\nname = x\n"}, ": setup.cfg is beside no setup.py or pyproject.toml"),
        ({"a\x1b[2K/app.py": ""}, r": a\x1b[2K/app.py is beside no setup.py or pyproject.toml"),
        ({"vendor/requirements.txt": ""}, ""),
        ({"lib/pyproject.toml/": ""}, ""),
    ],
)
def test_without_a_package_what_there_is_of_a_program_is_named(
    workspace: Workspace, contents: dict[str, str], found: str
) -> None:
    """The toolkit in common/ is nobody's own, whatever it is that a project lacks."""
    toolkit = {"common/project.mk": "", "common/scripts/toolkit/core/console.py": "", "common/requirements.txt": ""}
    for each in (workspace.write(contents), workspace.write(toolkit).package("common", "yc_common")):
        with pytest.raises(UserError) as caught:
            each.discover()
        assert caught.value.what == f"{workspace.root}: no package here{found}"
        assert "/adopt` makes one of what is there" in caught.value.hint


def test_the_toolkit_is_not_made_the_subject_of_a_project_by_being_named(workspace: Workspace) -> None:
    toolkit = {"common/project.mk": "", "common/scripts/toolkit/core/console.py": ""}
    workspace.write(toolkit).package("common", "yc_common")
    with pytest.raises(UserError, match="no package here"):
        workspace.discover(packages="common")


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
    workspace.package("lib", "lib").package("common", "yc_common").write(
        {
            ".gitmodules": GITMODULES.format(path="common"),
            "common/project.mk": "",
            "common/scripts/toolkit/core/console.py": "",
            "common/.gitmodules": GITMODULES.format(path=path),
            f"common/{path}/": "",
        }
    )
    assert found(workspace) == {"common": "yc-common", "lib": "lib"}


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


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a\x1b[31m"])
def test_a_directory_with_a_control_character_in_its_name_is_refused(workspace: Workspace, name: str) -> None:
    workspace.service(name, "svc")
    with pytest.raises(UserError, match="with a control character in its name") as caught:
        workspace.discover()
    assert caught.value.what.isprintable()
