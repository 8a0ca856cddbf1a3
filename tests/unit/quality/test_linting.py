"""Which linters a package wants, and what becomes of what they say. What stands for one does as a file tells it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from tests.unit.vendored_files import vendored, write_lock
from tests.wheel_files import make_wheel
from toolkit.build import interpreters
from toolkit.build.building_options import BuildOptions
from toolkit.core.errors import UserError
from toolkit.install.service_environment import ServiceEnvironment
from toolkit.quality import linters, linting
from toolkit.quality.linting import Linting

LINTER = (
    "import os, pathlib, sys\nprint(sys.argv[1:], os.environ['MYPYPATH'])\nexec(pathlib.Path('told.txt').read_text())\n"
)


@pytest.fixture
def project(workspace: Workspace) -> Workspace:
    workspace.service("api", "api").package("lib", "lib")
    return workspace.write({"api/.python-version": "3.11\n", "api/api.py": "", "api/told.txt": ""})


def wanted(project: Workspace) -> list[tuple[str, str]]:
    found = project.discover()
    return [(item.linter.name, item.origin) for item in linters.choose(found, found.services[0])]


def lint(project: Workspace, *names: str) -> dict[str, str]:
    found, directory = project.discover(), project.root.parent / "wheels"
    service = found.services[0]
    python = interpreters.probe(Path(sys.executable))
    assert python
    tools = [make_wheel(directory, name, {f"{name}/__init__.py": "", f"{name}/__main__.py": LINTER}) for name in names]
    plan = ServiceEnvironment(
        service=service,
        wheels=[make_wheel(directory, "api", {"api.py": ""})],
        interpreter=python,
        prefix=Path("/usr/lib/yc/api"),
    )
    return linting.run(
        Linting(
            project=found,
            plan=plan,
            linters=linters.choose(found, service),
            tools=tools,
            scratch=project.root / "build",
        ),
        BuildOptions(jobs=2, store=project.root / "store"),
    )


def test_nothing_is_wanted_unless_it_is_named_or_configured(project: Workspace) -> None:
    project.write({"api/pyproject.toml": "[build-system]\nrequires = []\n", "setup.cfg": "[metadata]\n"})
    assert wanted(project) == []


@pytest.mark.parametrize(
    ("file", "text", "linter"),
    [
        ("api/pyproject.toml", "[tool.ruff]\n", "ruff"),
        ("pyproject.toml", "[tool.mypy]\n", "mypy"),
        ("api/.flake8", "", "flake8"),
        ("setup.cfg", "[pylint]\n", "pylint"),
        ("api/tox.ini", "[flake8]\n", "flake8"),
    ],
)
def test_a_configured_linter_is_wanted(project: Workspace, file: str, text: str, linter: str) -> None:
    project.write({file: text})
    assert wanted(project) == [(linter, f"{file} configures")]


@pytest.mark.parametrize("file", ["api/dev-requirements.txt", "api/test-requirements.txt", "dev-requirements.txt"])
def test_a_linter_that_is_asked_for_is_wanted(project: Workspace, file: str) -> None:
    project.write({file: "# tools\nruff>=0.5\n"})
    assert wanted(project) == [("ruff", f"{file}:2 asks for")]


@pytest.mark.parametrize("file", ["pyproject.toml", "setup.cfg"])
def test_a_file_that_cannot_be_read_is_named(project: Workspace, file: str) -> None:
    project.write({f"api/{file}": "no [[ such thing"})
    with pytest.raises(UserError, match=file):
        wanted(project)


def test_a_linter_that_is_not_vendored_is_an_error_not_left_out(project: Workspace) -> None:
    project.write({"api/mypy.ini": "[mypy]\n"})
    with pytest.raises(UserError) as caught:
        lint(project, "ruff")
    assert str(caught.value) == (
        "error: api/mypy.ini configures mypy, which vendor/ has not\n"
        " hint: add mypy to api/dev-requirements.txt and run `make vendor`"
    )


def test_each_linter_reads_the_sources_and_knows_the_local_packages(project: Workspace) -> None:
    project.write({"api/dev-requirements.txt": "ruff\nmypy\n", "api/told.txt": "sys.exit(1)", "api/vendor/x.py": ""})
    said = lint(project, "ruff", "mypy")
    assert "'--', 'api.py', 'setup.py', 'bin/yc-api']" in said["ruff"]
    assert said["mypy"].startswith("['api.py', 'setup.py'] ")
    assert said["mypy"].endswith(" /build/sources/api:/build/sources/lib\n")
    assert not list((project.root / "build").glob("*workplace-*"))


def test_a_linter_has_copies_of_the_sources_and_of_what_configures_it(project: Workspace) -> None:
    told = (
        "print(sorted(map(str, pathlib.Path('..').rglob('*')))); pathlib.Path('api.py').write_text('evil'); sys.exit(1)"
    )
    project.write({"api/.flake8": "", "setup.cfg": "", "plugin.py": "", ".env": "PASSWORD=x", "api/told.txt": told})
    project.write({"vendor/x.py": "", ".git/config": ""})
    said = lint(project, "flake8")["flake8"]
    assert all(f"'../{name}'" in said for name in ("api/.flake8", "setup.cfg", "plugin.py", "lib/setup.py"))
    assert not any(f"'../{name}" in said for name in (".env", ".git", "vendor", "build"))
    assert (project.root / "api/api.py").read_text() == ""


def test_one_that_finds_no_fault_is_told_in_a_line(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    project.write({"api/dev-requirements.txt": "ruff\n"})
    assert lint(project, "ruff") == {}
    assert capsys.readouterr().out == "  LINT    api: ruff finds no fault\n"


def test_what_a_linter_keeps_is_read_only_where_the_same_wheels_ran(project: Workspace) -> None:
    told = """
kept = pathlib.Path(os.environ['MYPY_CACHE_DIR'])
print('KEPT', kept.exists())
kept.mkdir(exist_ok=True)
sys.exit(1)
"""
    project.write({"api/dev-requirements.txt": "mypy\n", "api/told.txt": told})
    assert "KEPT False" in lint(project, "mypy")["mypy"]
    # The project's own code is no other's.
    project.write({"api/api.py": "changed = True\n"})
    assert "KEPT True" in lint(project, "mypy")["mypy"]
    # As another version of a plug-in would.
    assert "KEPT False" in lint(project, "mypy", "ruff")["mypy"]
    assert "KEPT False" in lint(project, "mypy")["mypy"]
    kept_in = project.root / "build" / "lint"
    assert len(list((kept_in / "api").iterdir())) == 1
    # A linter could leave a program there that takes its user's rights.
    assert kept_in.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("text", "said"), [("x = (\n", "api.py:1: '(' was never closed\n"), ("\0", "api.py:1: "), ("import os\n", "")]
)
def test_without_a_linter_the_syntax_is_checked(project: Workspace, text: str, said: str) -> None:
    project.write({"api/api.py": text})
    used = interpreters.probe(Path(sys.executable))
    assert used
    output = linting.check_syntax(project.discover().services[0], used)
    assert output.replace(str(project.root / "api/"), "").lstrip("/").startswith(said)
    assert bool(output) is bool(said)
    assert not list(project.root.rglob("__pycache__"))


def test_a_linter_that_cannot_work_is_no_fault_of_the_code(project: Workspace) -> None:
    project.write({"api/dev-requirements.txt": "ruff\n", "api/told.txt": "sys.exit(2)"})
    with pytest.raises(UserError, match=r"api: ruff could not do its work \(status 2\)"):
        lint(project, "ruff")


@pytest.mark.parametrize(("status", "is_broken"), [(4, False), (30, False), (32, True), (1, True)])
def test_pylint_tells_by_bits_whether_it_could_work(project: Workspace, status: int, is_broken: bool) -> None:
    project.write({"api/dev-requirements.txt": "pylint\n", "api/told.txt": f"sys.exit({status})"})
    if is_broken:
        with pytest.raises(UserError, match="could not do its work"):
            lint(project, "pylint")
    else:
        assert "pylint" in lint(project, "pylint")


def test_a_linter_without_files_is_not_let_loose_on_all(
    project: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write({"api/dev-requirements.txt": "mypy\n", "api/told.txt": "sys.exit(2)"})
    monkeypatch.setattr(linting, "sources", lambda package, linter: [])
    assert lint(project, "mypy") == {}
    assert capsys.readouterr().out == "  LINT    api: there is no file for mypy\n"


def test_a_package_inside_another_is_linted_for_itself_alone(project: Workspace) -> None:
    project.write(
        {
            "api/core/__init__.py": "",
            "api/more/__init__.py": "",
            "api/more/extra/pyproject.toml": '[project]\nname = "extra"\n',
            "api/more/extra/extra.py": "",
        }
    )
    found = project.discover()
    api, extra, _ = found.packages
    assert [*map(str, linting.sources(api, linters.LINTERS[0]))] == [
        "api.py",
        "setup.py",
        "core",
        "more/__init__.py",
        "bin/yc-api",
    ]
    assert [*map(str, linting.sources(extra, linters.LINTERS[0]))] == ["extra.py"]


def test_the_syntax_is_checked_of_a_package_without_a_linter(workspace: Workspace) -> None:
    pytest.importorskip("tomli_w")
    workspace.service("api", "api").write({"api/sound.py": "", "api/broken.py": "def (:\n"})
    here = interpreters.probe(Path(sys.executable))
    assert here
    write_lock(workspace, "api", vendored(workspace, "web"), pythons=(here.version,))
    options = BuildOptions(jobs=1, store=workspace.root / "store", python=sys.executable)
    project = workspace.discover()
    faults = linting.find_faults(project, workspace.settings(), options, project.locked)
    assert "broken.py" in faults["api"]["the syntax check"]
    assert "sound.py" not in faults["api"]["the syntax check"]
