"""Which file a module that tests have not found belongs to."""

from __future__ import annotations

import pytest

from tests.unit.conftest import Workspace
from toolkit.quality import missing_module
from toolkit.requirements import requirement_files
from toolkit.requirements.requirements import DEVELOPMENT_FILE, TESTS_FILE

PROJECT = '[project]\nname = "shop"\nversion = "1"\n'


@pytest.mark.parametrize("directory", [".", "shop"])
@pytest.mark.parametrize(
    ("files", "file"),
    [
        ({"shop/app.py": "import web.routing\n"}, "requirements.txt"),
        ({"shop/app.py": "def f():\n    from web import x\n", "tests/test_a.py": "import web\n"}, "requirements.txt"),
        ({"tests/test_a.py": "import web\n"}, "test-requirements.txt"),
        ({"tests/test_a.py": "import web\n", "requirements.txt": ""}, "test-requirements.txt"),
        ({"conftest.py": "import web\n"}, "test-requirements.txt"),
        ({"tests/test_a.py": "import shop\n", "shop/app.py": "from .web import x\n"}, "requirements.txt"),
        ({"tests/test_a.py": "import (\n"}, "requirements.txt"),
    ],
)
def test_who_imports_it_decides(workspace: Workspace, directory: str, files: dict[str, str], file: str) -> None:
    """What shipped code needs, or a distribution that it needs, is never what only tests get."""
    prefix = "" if directory == "." else f"{directory}/"
    workspace.package(directory, "shop").write({f"{prefix}{name}": text for name, text in files.items()})
    [package] = workspace.discover().packages
    assert missing_module.file_of(package, "web") == f"{prefix}{file}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{PROJECT}dependencies = []\n", ["the dependencies in pyproject.toml", "test-requirements.txt"]),
        (
            f'{PROJECT}[dependency-groups]\ntests = ["pytest"]\ndev = []\n',
            ["the dependencies in pyproject.toml", "the group `tests` in pyproject.toml"],
        ),
        (
            '[build-system]\nrequires = []\n[tool.poetry]\nname = "shop"\n[tool.poetry.dependencies]\npython = "*"\n',
            ["the dependencies in pyproject.toml", "test-requirements.txt"],
        ),
    ],
)
def test_where_a_table_takes_the_place_of_a_file_it_is_named(
    workspace: Workspace, text: str, expected: list[str]
) -> None:
    workspace.write({"pyproject.toml": text})
    [package] = workspace.discover().packages
    assert [requirement_files.shown(package), requirement_files.shown(package, TESTS_FILE)] == expected
    workspace.write({"requirements.txt": "", "test-requirements.txt": "", "dev-requirements.txt": ""})
    names = ("requirements.txt", TESTS_FILE, DEVELOPMENT_FILE)
    assert [requirement_files.shown(package, name) for name in names] == list(names)


def test_a_setup_py_that_requires_something_is_named(workspace: Workspace) -> None:
    workspace.write({"api/setup.py": "from setuptools import setup\nsetup(name='a', install_requires=['web'])\n"})
    [package] = workspace.discover().packages
    assert requirement_files.shown(package) == "the dependencies in api/setup.py"
