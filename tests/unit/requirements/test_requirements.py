"""requirements.txt, read as pip reads it, and the libraries of the project it leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.core.errors import UserError
from toolkit.model.lock import Distribution, VendoredFile
from toolkit.requirements import declared_requirements, fingerprints, lock_inputs, requirement_edits, requirements
from toolkit.requirements.requirement_edits import Asked

if TYPE_CHECKING:
    from tests.unit.conftest import Workspace


def read(workspace: Workspace, filename: str = "requirements.txt") -> requirements.RequirementTree:
    """Read the tree of the one service."""
    project = workspace.discover()
    return requirements.read_tree(project, project.services[0], ("linux",), filename)


def texts(workspace: Workspace, text: str) -> list[str]:
    """Return the requirements of a service with this requirements.txt."""
    return [line.text for line in read(workspace.service("svc", "svc", text)).requirements]


def refused(workspace: Workspace, text: str) -> UserError:
    with pytest.raises(UserError) as caught:
        read(workspace.service("svc", "svc", text))
    assert "\n" not in caught.value.what
    assert caught.value.hint
    assert "\n" not in caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("# only a comment\n\n   \n", []),
        ("flask\nrequests>=2,<3\n", ["flask", "requests>=2,<3"]),
        ("flask  # why\nrequests\t# why not\n", ["flask", "requests"]),
        ("flask[async,dotenv] >= 2 ; python_version > '3.8'", ["flask[async,dotenv] >= 2 ; python_version > '3.8'"]),
        ("fla\\\nsk>=\\\n2\nb", ["flask>=2", "b"]),
        ("a \\\n# a comment ends it\nb", ["a", "b"]),
        ("# a comment is not continued \\\nb", ["b"]),
        ("a # but one after text is, and takes the next line with it \\\nb\nc", ["a", "c"]),
        ("last\\", ["last"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("\ufeffa", ["a"]),
    ],
)
def test_lines_are_read_as_pip_reads_them(workspace: Workspace, text: str, expected: list[str]) -> None:
    assert texts(workspace, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("foo @ https://h/any.zip#sha256=00", "foo @ https://h/any.zip#sha256=00"),
        ("foo[x]@https://h/any.tar.xz ; os_name == 'posix'", "foo[x]@https://h/any.tar.xz ; os_name == 'posix'"),
        ("foo @ file:///srv/foo.tar.gz", "foo @ file:///srv/foo.tar.gz"),
        ("file:///srv/foo-2.tar.gz", "foo @ file:///srv/foo-2.tar.gz"),
        ("https://h/archive/v1.tar.gz#egg=foo", "foo @ https://h/archive/v1.tar.gz#egg=foo"),
        ("https://h/Foo_bar-1.0.tar.bz2", "Foo_bar @ https://h/Foo_bar-1.0.tar.bz2"),
        ("https://h/foo-bar-1.0rc1.zip", "foo-bar @ https://h/foo-bar-1.0rc1.zip"),
        ("https://h/foo-1.0.tgz", "foo @ https://h/foo-1.0.tgz"),
        ("https://h/foo-1.0.zip ; os_name == 'nt'", "foo @ https://h/foo-1.0.zip ; os_name == 'nt'"),
    ],
)
def test_direct_archive_urls(workspace: Workspace, text: str, expected: str) -> None:
    assert texts(workspace, text) == [expected]


def test_a_line_knows_its_name_and_place(workspace: Workspace) -> None:
    (line,) = read(workspace.service("svc", "svc", "\n# x\nFoo.Bar_x[e]>=1\n")).requirements
    assert (line.name, line.origin) == ("foo-bar-x", "svc/requirements.txt:3")


def test_variables_are_expanded_as_pip_does(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t0")
    monkeypatch.delenv("ABSENT", raising=False)
    assert texts(workspace, "a @ https://${TOKEN}@h/a.zip\nb @ https://${ABSENT}@h/${lower}/b.zip") == [
        "a @ https://t0@h/a.zip",
        "b @ https://${ABSENT}@h/${lower}/b.zip",
    ]


def test_hashes_stay_with_their_requirement(workspace: Workspace) -> None:
    text = "foo==1 \\\n  --hash=sha256:AB12 \\\n  --hash sha256:cd34\nbar\n"
    foo, bar = read(workspace.service("svc", "svc", text)).requirements
    assert (foo.text, foo.hashes) == ("foo==1", ("sha256:ab12", "sha256:cd34"))
    assert bar.hashes == ()


def test_a_locked_file_must_have_one_of_the_hashes(workspace: Workspace) -> None:
    def lock(digest: str) -> list[Distribution]:
        file = VendoredFile(name="foo-1.tar.gz", size=1, sha256=digest)
        return [Distribution(name="foo", version="1", kind="sdist", files=(file,))]

    tree = read(workspace.service("svc", "svc", "foo --hash=sha256:ab --hash=sha256:cd\nbar\n"))
    requirements.check_hashes(tree.requirements, lock("cd"))
    with pytest.raises(UserError, match=r"svc/requirements.txt:1: foo-1.tar.gz has none of the hashes") as caught:
        requirements.check_hashes(tree.requirements, lock("ef"))
    assert "--hash=sha256:ef" in caught.value.hint


def test_included_files_are_relative_to_the_file_that_includes_them(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "-r reqs/base.txt\n--requirement=reqs/more.txt\n-creqs/pins.txt\n").write(
        {
            "svc/reqs/base.txt": "-r ../../shared.txt\nbase\n",
            "svc/reqs/more.txt": "more\n",
            "svc/reqs/pins.txt": "-c deeper/pins.txt\nbase==1\n",
            "svc/reqs/deeper/pins.txt": "shared<3\n",
            "shared.txt": "shared\n",
        }
    )
    tree = read(workspace)
    assert [line.text for line in tree.requirements] == ["shared", "base", "more"]
    assert [(line.text, line.origin) for line in tree.constraints] == [
        ("shared<3", "svc/reqs/deeper/pins.txt:1"),
        ("base==1", "svc/reqs/pins.txt:2"),
    ]
    names = {path.relative_to(workspace.root).as_posix() for path in tree.files}
    assert names == {
        "svc/requirements.txt",
        "shared.txt",
        "svc/reqs/base.txt",
        "svc/reqs/more.txt",
        "svc/reqs/pins.txt",
        "svc/reqs/deeper/pins.txt",
        "svc/linux-requirements.txt",
    }


def test_a_file_included_twice_counts_once(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "-r a.txt\n-r b.txt\n").write({"svc/a.txt": "-r b.txt\n", "svc/b.txt": "x\n"})
    assert [line.text for line in read(workspace).requirements] == ["x"]


def test_files_that_include_each_other_are_refused_with_the_chain(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "-r a.txt\n").write({"svc/a.txt": "x\n-r b.txt\n", "svc/b.txt": "-r a.txt\n"})
    with pytest.raises(UserError) as caught:
        read(workspace)
    assert caught.value.what == ("svc/b.txt:1: files that include each other: svc/a.txt -> svc/b.txt -> svc/a.txt")


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("a\nfoo=1\n", "svc/requirements.txt:2: not a requirement: `foo=1`", "name[extra]>=1.2"),
        ("foo bar", ":1: not a requirement: `foo bar`", "name"),
        ("foo# no space before it", ":1: not a requirement: `foo# no space before it`", "name"),
        ("foo>=1.0.*", ":1: not a requirement", "name"),
        ("foo; python_version >> '3'", ":1: not a requirement", "name"),
        ("a\nb\nfoo \\\n ==1 \\\n oops", ":3: not a requirement", "name"),
        ("git+https://h/x.git#egg=x", ":1: a version control URL", "submodule"),
        ("x @ git+ssh://git@h/x.git@main", ":1: a version control URL", "submodule"),
        ("git@h:team/x.git", ":1: a version control URL", "submodule"),
        ("-e .", ":1: -e is not allowed here", "name the package alone"),
        ("-e git+https://h/x.git#egg=x", ":1: -e is not allowed here", "name the package alone"),
        ("--editable=../lib", ":1: --editable is not allowed here", "name the package alone"),
        ("-i https://h/simple", ":1: -i is not allowed here", "INDEX_URL="),
        ("-ihttps://h/simple", ":1: -i is not allowed here", "INDEX_URL="),
        ("--extra-index-url https://h/simple", ":1: --extra-index-url is not allowed", "EXTRA_INDEX_URL="),
        ("--find-links=wheels", ":1: --find-links is not allowed", "pip.conf"),
        ("--no-index", ":1: --no-index is not allowed", "pip.conf"),
        ("--trusted-host h", ":1: --trusted-host is not allowed", "pip.conf"),
        ("--no-binary :all:", ":1: --no-binary is not allowed", "everything is taken as source"),
        ("--only-binary=x", ":1: --only-binary is not allowed", "vendor.txt"),
        ("--pre", ":1: --pre is not allowed", "rc1"),
        ("--require-hashes", ":1: --require-hashes is not allowed", "lock"),
        ("--frobnicate", ":1: unknown option: `--frobnicate`", "-r FILE"),
        ("-r", ":1: -r needs the name of a file", "-r"),
        ("-r 'x", ":1: No closing quotation", "name"),
        ("-r none.txt", ":1: there is no svc/none.txt", "relative to this file"),
        ("-r ../../out.txt", ":1: ../../out.txt is not inside the project", "copy"),
        ("-r https://h/requirements.txt", ":1: https://h/requirements.txt is not inside the project", "copy"),
        ("foo --global-option=x", ":1: --global-option is not allowed", "remove"),
        ("foo --pre", ":1: --pre is not allowed", "rc1"),
        ("foo --hash=oops", ":1: not a hash: `oops`", "sha256"),
        ("./lib", ":1: a path that is no package of this project: `./lib`", "name"),
        ("lib/thing-1.tar.gz", ":1: a path that is no package", "name"),
        ("/srv/lib", ":1: a path that is no package", "name"),
        ("foo @ ftp://h/foo.zip", ":1: cannot fetch `ftp://h/foo.zip`", "https://"),
        ("foo @ https://h/foo.exe", ":1: not an archive: `https://h/foo.exe`", ".tar.gz"),
        ("foo @ https://h/foo-1-py3-none-any.whl", ":1: a wheel, where a source archive is wanted", "vendor.txt"),
        ("https://h/foo-1-py3-none-any.whl", ":1: a wheel, where a source archive is wanted", "vendor.txt"),
        ("https://h/download.zip", ":1: cannot tell which distribution this is", "name @"),
        ("foo @ https://h/foo.zip#subdirectory=x", ":1: a subdirectory of an archive", "archive"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place_and_a_hint(
    workspace: Workspace, text: str, what: str, hint: str
) -> None:
    error = refused(workspace, text)
    assert error.what.startswith("svc/requirements.txt:")
    assert what in error.what
    assert hint in error.hint


def test_a_file_that_is_not_utf8_is_refused_with_its_line(workspace: Workspace) -> None:
    workspace.service("svc", "svc")
    (workspace.root / "svc" / "requirements.txt").write_bytes(b"a\n# caf\xe9\n")
    with pytest.raises(UserError, match=r"svc/requirements.txt:2: not UTF-8"):
        read(workspace)


def test_a_constraint_has_no_extras(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "-c c.txt\n").write({"svc/c.txt": "a[b]<2\n"})
    with pytest.raises(UserError, match=r"svc/c.txt:1: a constraint cannot have extras"):
        read(workspace)


def test_a_service_without_requirements_is_an_error_and_a_library_is_not(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "lib").package("lib", "lib")
    assert [package.name for package in read(workspace).local] == ["lib", "svc"]
    (workspace.root / "svc" / "requirements.txt").unlink()
    with pytest.raises(UserError, match=r"svc/requirements.txt: a service has none"):
        read(workspace)


def test_libraries_bring_their_requirements_and_come_before_who_uses_them(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "first\nflask\n").package("a", "first", requirements__txt="Second_lib\na-dep\n")
    workspace.package("b", "second.lib", requirements__txt="b-dep\n").package("c", "unused", requirements__txt="no\n")
    tree = read(workspace)
    assert [line.text for line in tree.requirements] == ["b-dep", "a-dep", "flask"]
    assert [package.name for package in tree.local] == ["second-lib", "first", "svc"]


def test_a_library_s_missing_requirements_are_noticed(workspace: Workspace) -> None:
    tree = read(workspace.service("svc", "svc", "lib").package("lib", "lib"))
    assert workspace.root / "lib" / "requirements.txt" in tree.files


def test_libraries_may_need_each_other(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "one\n").package("one", "one", requirements__txt="two\nx\n")
    workspace.package("two", "two", requirements__txt="one\ny\n")
    tree = read(workspace)
    assert [package.name for package in tree.local] == ["two", "one", "svc"]
    assert [line.text for line in tree.requirements] == ["y", "x"]


def test_extras_of_a_library_are_files_beside_its_requirements(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "lib[http,db]\nlib[http]\n").package("lib", "lib", requirements__txt="base\n")
    workspace.write({"lib/requirements-http.txt": "httpx\nlib[db]\n", "lib/requirements-db.txt": "psycopg\n"})
    tree = read(workspace)
    assert sorted(line.text for line in tree.requirements) == ["base", "httpx", "psycopg"]
    assert [package.name for package in tree.local] == ["lib", "svc"]


def test_an_unknown_extra_of_a_library_is_refused(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "\nlib[nope]\n").package("lib", "lib")
    with pytest.raises(UserError, match=r"requirements.txt:2: lib has no extra `nope`: .* lib/requirements-nope.txt"):
        read(workspace)


@pytest.mark.parametrize(("path", "place"), [("../lib", "svc"), ("./../lib[http]", "svc"), ("./lib", "project")])
def test_a_path_to_a_package_of_the_project_means_that_package(workspace: Workspace, path: str, place: str) -> None:
    workspace.service("svc", "svc", path).package("lib", "the_lib").write({"lib/requirements-http.txt": "httpx\n"})
    tree = read(workspace)
    assert [package.name for package in tree.local] == ["the-lib", "svc"]
    assert [line.text for line in tree.requirements] == (["httpx"] if "http" in path else [])


def test_a_local_requirement_must_fit_the_library_s_version(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "lib>=2\n").package("lib", "lib", version="2.1.dev3")
    assert read(workspace).requirements == ()
    workspace.package("lib", "lib", version="1.5")
    with pytest.raises(UserError, match=r"svc/requirements.txt:1: `lib>=2`, but lib/ is version 1.5"):
        read(workspace)


@pytest.mark.parametrize(
    "text",
    [
        "from setuptools import setup\nsetup(name='lib')\n",
        "from setuptools import setup\nsetup(name='lib', version='not a version')\n",
    ],
)
def test_a_version_that_is_not_known_fits(workspace: Workspace, text: str) -> None:
    workspace.service("svc", "svc", "lib>=2\n").write({"lib/setup.py": text})
    assert [package.name for package in read(workspace).local] == ["lib", "svc"]


def test_a_constraint_on_a_library_is_checked_but_does_not_use_it(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "-c c.txt\n").package("lib", "lib", version="1.5").write({"svc/c.txt": "lib<2\n"})
    tree = read(workspace)
    assert (tree.constraints, [package.name for package in tree.local]) == ((), ["svc"])
    workspace.write({"svc/c.txt": "lib<1\n"})
    with pytest.raises(UserError, match=r"svc/c.txt:1: `lib<1`, but lib/ is version 1.5"):
        read(workspace)


def test_a_url_cannot_replace_a_library(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "lib @ https://h/lib-1.zip\n").package("lib", "lib")
    with pytest.raises(UserError, match=r"svc/requirements.txt:1: a URL for lib, which is a package of this project"):
        read(workspace)


def test_test_requirements_are_a_tree_of_their_own(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "flask\n").package("lib", "lib", requirements__txt="dep\n")
    assert read(workspace, "test-requirements.txt").requirements == ()
    workspace.write({"svc/test-requirements.txt": "pytest\nlib\n-r requirements.txt\n"})
    tree = read(workspace, "test-requirements.txt")
    assert [line.text for line in tree.requirements] == ["pytest", "dep", "flask"]
    assert [package.name for package in tree.local] == ["lib", "svc"]


def test_a_package_may_name_itself(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "svc[more]\nflask\n").write({"svc/requirements-more.txt": "gunicorn\n"})
    tree = read(workspace)
    assert [line.text for line in tree.requirements] == ["gunicorn", "flask"]
    assert [package.name for package in tree.local] == ["svc"]


def on(workspace: Workspace, *platforms: str) -> list[str]:
    project = workspace.discover()
    tree = requirements.read_tree(project, project.services[0], platforms)
    return [line.text for line in tree.requirements]


def test_requirements_of_one_platform_have_its_marker_where_there_are_several(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "flask\n").write(
        {
            "svc/linux-requirements.txt": "-r more.txt\npyroute2>=1; python_version >= '3.9' or extra == 'x'\n",
            "svc/darwin-requirements.txt": "pyobjc\n",
            "svc/more.txt": "uring[fast] ; platform_machine == 'x86_64'\n",
        }
    )
    assert on(workspace, "linux") == [
        "flask",
        "uring[fast] ; platform_machine == 'x86_64'",
        "pyroute2>=1; python_version >= '3.9' or extra == 'x'",
    ]
    linux = 'sys_platform == "linux"'
    assert on(workspace, "linux", "darwin") == [
        "flask",
        f'uring[fast]; {linux} and platform_machine == "x86_64"',
        f'pyroute2>=1; {linux} and (python_version >= "3.9" or extra == "x")',
        'pyobjc; sys_platform == "darwin"',
    ]


def test_a_library_that_one_platform_needs_counts_on_all(workspace: Workspace) -> None:
    workspace.service("svc", "svc").write({"svc/darwin-requirements.txt": "lib\n"})
    workspace.package("lib", "lib", requirements__txt="dep\n", linux_requirements__txt="uring\n")
    assert on(workspace, "linux") == []
    assert on(workspace, "linux", "darwin") == ["dep", 'uring; sys_platform == "linux"']


def development(workspace: Workspace, number: int = 0) -> list[str]:
    project = workspace.discover()
    return [
        line.text for line in requirements.read_development(project, project.locked[number], ("linux",)).requirements
    ]


def test_the_first_service_has_what_no_service_is_responsible_for(workspace: Workspace) -> None:
    workspace.service("one", "one", "flask\n").service("two", "two").package("lib", "lib", requirements__txt="dep\n")
    workspace.write(
        {
            "one/dev-requirements.txt": "ruff\n",
            "two/dev-requirements.txt": "mypy\n",
            "dev-requirements.txt": "ansible\n",
            "lib/test-requirements.txt": "pytest\n",
            "lib/dev-requirements.txt": "tox\n",
        }
    )
    assert development(workspace) == ["ruff", "ansible", "dep", "pytest", "tox"]
    assert development(workspace, 1) == ["mypy"]


def test_the_toolkits_own_library_is_not_the_projects_to_develop(workspace: Workspace) -> None:
    workspace.service("svc", "svc").package("common", "yc_common", requirements__txt="msgspec\n")
    workspace.write({"common/scripts/toolkit/": "", "common/project.mk": "", "common/test-requirements.txt": "ruff\n"})
    assert development(workspace) == []


DECLARED = {
    "pyproject.toml": """[project]
name = "svc"
dependencies = [
    "idna>=3",
]
""",
    "setup.py": """from setuptools import setup
NEEDED = [

    "idna>=3",
]
setup(name="svc", install_requires=NEEDED)
""",
    "setup.cfg": """[metadata]
name = svc
[options]
install_requires = idna>=3
""",
}


def declaring(workspace: Workspace, file: str, **more: str) -> Workspace:
    files = {"setup.py": "from setuptools import setup\nsetup()\n", "bin/x": "", file: DECLARED[file], **more}
    return workspace.write({f"svc/{name}": text for name, text in files.items()})


@pytest.mark.parametrize("file", DECLARED)
def test_what_is_declared_is_read_where_there_is_no_requirements_txt(workspace: Workspace, file: str) -> None:
    (line,) = read(declaring(workspace, file)).requirements
    assert (line.text, line.name, line.origin) == ("idna>=3", "idna", f"svc/{file}:4")


@pytest.mark.parametrize("file", DECLARED)
def test_what_is_declared_beside_a_requirements_txt_has_to_be_met_by_it(workspace: Workspace, file: str) -> None:
    project = declaring(workspace, file, **{"requirements.txt": "requests\n"}).discover()
    inputs = lock_inputs.read(project, project.services[0], ("linux",))
    assert [line.text for line in inputs.lines] == ["requests"]
    assert [line.text for line in inputs.constraints] == ["idna>=3"]
    lock_inputs.refuse_unmet(inputs, ["requests", "idna"], [])
    with pytest.raises(UserError, match=rf"svc/{file}:4: `idna>=3` is declared, but"):
        lock_inputs.refuse_unmet(inputs, ["requests"], ["idna"])


@pytest.mark.parametrize("file", DECLARED)
def test_a_change_of_what_is_declared_is_noticed(workspace: Workspace, file: str) -> None:
    path = declaring(workspace, file).root / "svc" / file
    before = fingerprints.fingerprint([path], workspace.root)
    path.write_text(path.read_text().replace("idna>=3", "idna>=4"))
    assert fingerprints.changes(before, workspace.root) == {f"svc/{file}": "changed"}


def test_an_empty_requirements_txt_beside_what_is_declared_is_noticed(workspace: Workspace) -> None:
    path = declaring(workspace, "pyproject.toml").root / "svc" / "pyproject.toml"
    before = fingerprints.fingerprint([path], workspace.root)
    workspace.write({"svc/requirements.txt": ""})
    assert fingerprints.changes(before, workspace.root) == {"svc/pyproject.toml": "changed"}


def test_what_is_declared_of_the_project_s_own_packages_is_local(workspace: Workspace) -> None:
    declaring(workspace, "pyproject.toml").package("idna", "idna", version="3.0")
    tree = read(workspace)
    assert tree.requirements == ()
    assert [package.name for package in tree.local] == ["idna", "svc"]


def test_a_declared_requirement_of_a_local_package_is_compared_with_its_version(workspace: Workspace) -> None:
    declaring(workspace, "pyproject.toml", **{"requirements.txt": "idna\n"}).package("idna", "idna", version="2.0")
    with pytest.raises(UserError, match=r"svc/pyproject\.toml:4: `idna>=3`, but idna/ is version 2\.0"):
        read(workspace)


def test_a_project_table_without_dependencies_declares_that_there_are_none(workspace: Workspace) -> None:
    workspace.write({"svc/pyproject.toml": "[project]\nname='svc'\nversion='1'\n", "svc/bin/x": ""})
    assert read(workspace).requirements == ()


def test_extras_and_groups_of_a_pyproject_are_read_where_there_is_no_file(workspace: Workspace) -> None:
    workspace.service("svc", "svc", "lib[fast]").write(
        {
            "lib/pyproject.toml": "[project]\nname='lib'\n[project.optional-dependencies]\nFast = ['quick>=1']\n",
            "svc/pyproject.toml": "[dependency-groups]\n"
            "base = ['pytest']\n"
            "test = ['hypothesis', {include-group = 'base'}]\n"
            "dev = ['ipython']\n",
        }
    )
    project = workspace.discover()
    inputs = lock_inputs.read(project, project.services[0], ("linux",))
    assert [line.origin for line in inputs.tree.requirements] == ["lib/pyproject.toml:4"]
    assert [line.text for line in inputs.tests.requirements] == ["hypothesis", "pytest"]
    assert [line.text for line in inputs.development.requirements] == ["ipython"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[project]\nname='svc'\ndependencies='idna'\n", "svc/pyproject.toml: dependencies is no list"),
        ("[project]\nname='svc'\ndependencies=[1]\n", "svc/pyproject.toml: dependencies holds something"),
        ("[project]\nname='svc'\ndependencies=['-e .']\n", "svc/pyproject.toml:3: -e is not allowed here"),
        ("[dependency-groups]\ntest=[{include-group='test'}]\n", "svc/pyproject.toml: groups that include each other"),
        ("[dependency-groups]\ntest=[{include-group='x'}]\n", "svc/pyproject.toml: the group test includes"),
    ],
)
def test_declarations_that_are_none_are_refused_with_their_place(workspace: Workspace, text: str, reason: str) -> None:
    project = workspace.service("svc", "svc").write({"svc/pyproject.toml": text}).discover()
    with pytest.raises(UserError) as caught:
        lock_inputs.read(project, project.services[0], ("linux",))
    assert caught.value.what.startswith(reason)
    assert caught.value.hint


def extra_of(workspace: Workspace, files: dict[str, str]) -> list[str]:
    """Return what a service requires that asks for the extra `more` of a library with these files."""
    workspace.service("svc", "svc", "lib[more]\n").package("lib", "lib")
    workspace.write({f"lib/{name}": text for name, text in files.items()})
    return [line.text for line in read(workspace).requirements]


@pytest.mark.parametrize(
    "files",
    [
        {"setup.py": "from setuptools import setup\nsetup(name='lib', extras_require={'More': ['idna>=3', 'six']})\n"},
        {"setup.py": "from setuptools import setup\nE = {'more': ('idna>=3', 'six')}\nsetup(extras_require=E)\n"},
        {"setup.cfg": "[metadata]\nname = lib\n[options.extras_require]\nmore =\n    idna>=3\n    six\n"},
        {"setup.cfg": "[options.extras_require]\nmore = idna>=3; six\n"},
    ],
)
def test_extras_of_setup_py_and_setup_cfg_are_read(workspace: Workspace, files: dict[str, str]) -> None:
    assert extra_of(workspace, {"setup.py": "import setuptools\nsetuptools.setup(name='lib')\n", **files}) == [
        "idna>=3",
        "six",
    ]


IN_FILES = {
    "pyproject.toml": """[project]
name = "svc"
dynamic = ["dependencies", "optional-dependencies"]
[tool.setuptools.dynamic]
dependencies = {file = ["needs/run.in"]}
optional-dependencies.More = {file = "needs/more.txt"}
""",
    "setup.cfg": """[metadata]
name = svc
[options]
install_requires = file: needs/run.in
[options.extras_require]
more = file: needs/more.txt
""",
}


@pytest.mark.parametrize("file", IN_FILES)
def test_what_setuptools_takes_from_files_is_declared(workspace: Workspace, file: str) -> None:
    setup = "from setuptools import setup\nsetup()\n"
    workspace.write({"svc/setup.py": setup, "svc/bin/x": "", f"svc/{file}": IN_FILES[file]})
    path, needs = workspace.root / "svc" / file, workspace.root / "svc" / "needs" / "run.in"
    with pytest.raises(UserError, match=f"svc/{file}: its requirements are in needs/run.in, and no such file"):
        read(workspace)
    workspace.write({"svc/needs/run.in": "# what it needs\nidna>=3\n", "svc/needs/more.txt": "six\n"})
    (line,) = read(workspace).requirements
    assert (line.text, line.origin) == ("idna>=3", "svc/needs/run.in:2")
    assert [item.text for item in declared_requirements.extra(path.parent, "more") or ()] == ["six"]
    edits = requirement_edits.plan(workspace.discover(), Asked(add="attrs"), ("linux",))
    assert edits.told == ("add svc/needs/run.in:2: attrs",)
    before = fingerprints.fingerprint([path], workspace.root)
    needs.write_text("idna>=4\n")
    assert fingerprints.changes(before, workspace.root) == {f"svc/{file}": "changed"}


def test_nothing_is_added_to_what_pyproject_leaves_to_another_file(workspace: Workspace) -> None:
    workspace.write({"svc/setup.py": "from setuptools import setup\nsetup()\n", "svc/bin/x": ""})
    workspace.write(
        {"svc/pyproject.toml": IN_FILES["pyproject.toml"], "svc/needs/run.in": "", "svc/needs/more.txt": ""}
    )
    with pytest.raises(UserError, match=r"^error: svc/pyproject.toml: its dependencies stand elsewhere"):
        requirement_edits.plan(workspace.discover(), Asked(add="attrs"), ("linux",))


def test_what_setuptools_takes_from_requirements_txt_is_read_once(workspace: Workspace) -> None:
    dynamic = '[project]\nname = "svc"\ndynamic = ["dependencies"]\n[tool.setuptools.dynamic]\n'
    workspace.service("svc", "svc", "idna>=3\n")
    workspace.write({"svc/pyproject.toml": f'{dynamic}dependencies = {{file = ["requirements.txt"]}}\n'})
    assert [line.text for line in read(workspace).requirements] == ["idna>=3"]


@pytest.mark.parametrize("named", ["../other.txt", "/etc/passwd", "needs"])
def test_requirements_are_taken_from_no_other_place(workspace: Workspace, named: str) -> None:
    workspace.service("svc", "svc").write({"other.txt": "six\n", "svc/needs/x": ""})
    workspace.write({"svc/setup.cfg": f"[options]\ninstall_requires = file: {named}\n"})
    with pytest.raises(UserError, match="no such file is in its directory"):
        read(workspace)


def test_an_extra_of_setup_py_may_be_for_some_interpreters(workspace: Workspace) -> None:
    extras = "{'more:python_version<\"4\"': ['idna ; os_name == \"posix\"'], ':os_name==\"posix\"': ['six']}"
    setup = f"from setuptools import setup\nsetup(name='lib', install_requires=['attrs'], extras_require={extras})\n"
    assert extra_of(workspace, {"setup.py": setup}) == [
        "attrs",
        'six ; (os_name=="posix")',
        'idna ; (os_name == "posix") and (python_version<"4")',
    ]


def test_an_extra_that_is_computed_declares_nothing(workspace: Workspace) -> None:
    setup = "from setuptools import setup\nsetup(name='lib', extras_require={'more': read('more.txt')})\n"
    workspace.write({"lib/requirements-more.txt": "idna\n"})
    assert extra_of(workspace, {"setup.py": setup}) == ["idna"]
    path = workspace.root / "lib/setup.py"
    assert fingerprints.fingerprint([path], workspace.root) == {"lib/setup.py": ""}


def test_an_extra_that_changes_is_noticed(workspace: Workspace) -> None:
    setup = "from setuptools import setup\nsetup(name='lib', extras_require={'more': ['idna']})\n"
    extra_of(workspace, {"setup.py": setup})
    before = fingerprints.fingerprint([workspace.root / "lib/setup.py"], workspace.root)
    workspace.write({"lib/setup.py": setup.replace("idna", "idna<3")})
    assert fingerprints.fingerprint([workspace.root / "lib/setup.py"], workspace.root) != before


POETRY = """\
[tool.poetry]
name = "svc"
version = "1.0"

[tool.poetry.dependencies]
python = "^3.11"
idna = "^3.4"
six = "*"
attrs = {version = "~23.1", extras = ["cov"]}
click = {version = ">=8,<9", markers = "os_name == 'posix'"}
lib = {path = "../lib", develop = true}
redis = {version = "5.0", optional = true}

[tool.poetry.extras]
queue = ["redis"]

[tool.poetry.group.dev.dependencies]
ruff = "*"

[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"""


@pytest.fixture
def of_poetry(workspace: Workspace) -> Workspace:
    """Return a service as poetry writes it, without a requirements.txt."""
    return workspace.package("lib", "lib").write({"svc/pyproject.toml": POETRY, "svc/bin/svc": ""})


def test_poetry_s_tables_are_read(of_poetry: Workspace) -> None:
    tree = read(of_poetry)
    assert [line.text for line in tree.requirements] == [
        "idna>=3.4,<4",
        "six",
        "attrs[cov]>=23.1,<23.2",
        "click>=8,<9 ; (os_name == 'posix')",
    ]
    assert [package.name for package in tree.local] == ["lib", "svc"]
    assert [line.origin for line in tree.requirements][:2] == ["svc/pyproject.toml:7", "svc/pyproject.toml:8"]
    development = requirements.read_development(of_poetry.discover(), of_poetry.discover().services[0], ("linux",))
    assert [line.text for line in development.requirements] == ["ruff"]


def test_an_extra_of_poetry_is_asked_for_like_any_other(of_poetry: Workspace) -> None:
    of_poetry.service("other", "other", "svc[queue]\n")
    project = of_poetry.discover()
    (other,) = (package for package in project.services if package.name == "other")
    assert "redis==5.0" in [line.text for line in requirements.read_tree(project, other, ("linux",)).requirements]


def test_poetry_s_table_gives_way_to_that_of_the_standard(of_poetry: Workspace) -> None:
    of_poetry.write({"svc/pyproject.toml": f'{POETRY}\n[project]\nname = "svc"\ndependencies = ["certifi"]\n'})
    assert [line.text for line in read(of_poetry).requirements] == ["certifi"]


@pytest.mark.parametrize("line", ['idna = "^2 || ^3"', 'idna = "latest"', "idna = 3"])
def test_what_poetry_alone_understands_is_refused(of_poetry: Workspace, line: str) -> None:
    of_poetry.write({"svc/pyproject.toml": POETRY.replace('idna = "^3.4"', line)})
    with pytest.raises(UserError, match=r"svc/pyproject\.toml: idna"):
        read(of_poetry)


@pytest.mark.parametrize("directory", ["svc/tests", "examples", "svc/tests/data", "docs"])
def test_a_name_that_only_a_sample_has_is_not_looked_for_on_an_index(workspace: Workspace, directory: str) -> None:
    workspace.package(f"{directory}/shared", "Acme_Shared")
    found = refused(workspace, "six\nacme-shared>=1\n")
    assert found.what.startswith(
        f"svc/requirements.txt:2: `acme-shared>=1` would come from the index: {directory}/shared"
    )
    assert "PACKAGES=" in found.hint
    project = workspace.discover(packages="svc", services="svc")
    tree = requirements.read_tree(project, project.services[0], ("linux",))
    assert [line.name for line in tree.requirements] == ["six", "acme-shared"]


@pytest.mark.parametrize("asked", [Asked(add="flask"), Asked(remove="idna"), Asked(remove="ruff", development=True)])
def test_poetry_s_tables_are_edited_by_hand(of_poetry: Workspace, asked: Asked) -> None:
    with pytest.raises(UserError, match=r"(?s)svc/pyproject\.toml.*by hand"):
        requirement_edits.plan(of_poetry.discover(), asked, ("linux",))
