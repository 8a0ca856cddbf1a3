"""Libraries as ordinary packages: built by make deb, installed with apt in a clean system, imported there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.machine import TOOLKIT, Root, run

SETUP = """\
from setuptools import Extension, setup

setup(name="tell-more", version="1.2rc1", description="Tells more", packages=["tell_more"],
      ext_modules=[Extension("tell_more.fast", ["tell_more/fast.c"])], install_requires=["PyYAML >= 5", "odd_one"])
"""
EXTENSION = """\
#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *unused) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, 0}, {0, 0, 0, 0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "fast", 0, -1, methods};
PyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&module); }
"""
FILES = {
    "tell_more/setup.py": SETUP,
    "tell_more/tell_more/__init__.py": "import yaml\nfrom tell_more.fast import answer\n",
    "tell_more/tell_more/fast.c": EXTENSION,
    ".gitignore": "/build/\n/dist/\n",
}


def field(package: Path, name: str) -> str:
    return run(["dpkg-deb", "--field", package, name]).strip()


def commit(directory: Path) -> None:
    git = ["git", "-C", str(directory), "-c", "user.name=A", "-c", "user.email=a@b.example"]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "x"]):
        subprocess.run([*git, *words], check=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a library that is half C."""
    directory = tmp_path / "project"
    for name, text in FILES.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    (directory / "Makefile").symlink_to(TOOLKIT / "project.mk")
    commit(directory)
    return directory


@pytest.mark.parametrize("settings", ["", '\n[tool.setuptools]\npackages = ["plain_words"]\n'])
def test_a_library_of_a_flat_layout_is_found_beside_debian(
    settings: str, environment: dict[str, str], tmp_path: Path
) -> None:
    project = tmp_path / "plain"
    (project / "plain_words").mkdir(parents=True)
    (project / "plain_words/__init__.py").touch()
    declared = f'[project]\nname = "plain-words"\nversion = "1.0"\n{settings}'
    (project / "pyproject.toml").write_text(declared)
    (project / ".gitignore").write_text("/build/\n/dist/\n")
    (project / "Makefile").symlink_to(TOOLKIT / "project.mk")
    commit(project)
    run(["make", "deb"], cwd=project, env=environment)
    listed = run(["dpkg-deb", "--contents", next(project.glob("dist/python3-plain-words_1.0_all.deb"))])
    modules = {
        line.split("dist-packages/")[1].split("/")[0] for line in listed.splitlines() if "dist-packages/" in line
    }
    assert modules - {""} == {"plain_words", "plain_words-1.0.dist-info"}
    assert not any("debhelper" in line for line in listed.splitlines())


def test_a_library_is_installed_by_apt_and_imported(project: Path, environment: dict[str, str], root: Root) -> None:
    done = subprocess.run(["make", "deb"], cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Debian has no package of odd_one" in done.stderr
    assert not (project / "dist").exists()
    (project / "debian").mkdir()
    (project / "debian/py3dist-overrides").write_text("odd_one\n")
    commit(project)
    run(["make", "deb"], cwd=project, env=environment)
    [package] = (project / "dist").glob("python3-tell-more_*.deb")
    assert field(package, "Version") == "1.2~rc1"
    assert "python3-yaml (>= 5)" in field(package, "Depends")
    # The extension fits one version of the interpreter.
    assert re.search(r"python3 \(<< 3\.\d+\)", field(package, "Depends"))
    root.install(package)
    assert root.run("python3", "-c", "import tell_more; print(tell_more.answer())") == "42\n"


def test_the_toolkit_s_own_library_depends_on_what_it_says(tmp_path: Path, environment: dict[str, str]) -> None:
    clone = tmp_path / "clone"
    run(["git", "clone", "--quiet", TOOLKIT, clone])
    said = run(["make", "deb"], cwd=clone, env=environment)
    [package] = (clone / "dist").glob("python3-yc-common_*_all.deb")
    assert "python3-msgspec (>= 0.20)" in field(package, "Depends")
    assert "python3-yaml (>= 6.0.1)" in field(package, "Depends")
    names = run(["dpkg-deb", "--contents", package])
    assert "/usr/lib/python3/dist-packages/yc_common/__init__.py" in names
    # No release of Debian has that yet.
    assert "warning: python3-yc-common depends on packages that" in said
