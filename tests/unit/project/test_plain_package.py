"""Which packages a build makes the same wheel of, whatever their modules say."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.project import plain_package

SETUPTOOLS = '[build-system]\nrequires = ["setuptools>=61", "wheel"]\nbuild-backend = "setuptools.build_meta"\n'
PROJECT = '[project]\nname = "one"\nversion = "1"\n'
HATCH = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
SETUP = "from setuptools import find_packages, setup\n"


def write(directory: Path, contents: dict[str, str]) -> Path:
    for name, text in contents.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return directory


@pytest.mark.parametrize(
    "contents",
    [
        {"setup.py": f'"""One."""\n{SETUP}N = "one"\nsetup(name=N, packages=find_packages(include=["a*"]))\n'},
        {"setup.py": "import setuptools\nsetuptools.setup(name='one', entry_points={'x': ['y = z']})\n"},
        {"setup.py": f"{SETUP}setup()\n", "setup.cfg": "[metadata]\nname = one\nlong_description = file: README\n"},
        {"pyproject.toml": SETUPTOOLS + PROJECT},
        {
            "pyproject.toml": f'{SETUPTOOLS}[project]\nname="o"\ndynamic=["version"]\n'
            '[tool.setuptools.dynamic]\nversion = {file = "VERSION"}\n'
        },
        {"pyproject.toml": HATCH + PROJECT},
    ],
)
def test_declarations_alone_are_plain(tmp_path: Path, contents: dict[str, str]) -> None:
    assert plain_package.is_plain(write(tmp_path, contents))


@pytest.mark.parametrize(
    "contents",
    [
        {"setup.py": f"{SETUP}from one import __version__\nsetup(name='one', version=__version__)\n"},
        {"setup.py": f"{SETUP}setup(name='one', version=open('VERSION').read())\n"},
        {"setup.py": f"{SETUP}setup(name='one', cffi_modules=['build.py:ffi'])\n"},
        {"setup.py": f"{SETUP}setup(name='one', ext_modules=[Extension('a', ['a.c'])])\n"},
        {"setup.py": f"{SETUP}setup(**{{'name': 'one'}})\n"},
        {"setup.py": f"{SETUP}print(setup(name='one'))\n"},
        {"setup.py": "from setuptools import\n"},
        {"setup.py": f"{SETUP}setup()\n", "setup.cfg": "[metadata]\nversion = attr: one.__version__\n"},
        {
            "pyproject.toml": f'{SETUPTOOLS}[project]\nname="o"\ndynamic=["version"]\n'
            '[tool.setuptools.dynamic]\nversion = {attr = "one.VERSION"}\n'
        },
        {"pyproject.toml": SETUPTOOLS.replace('"wheel"', '"setuptools-scm"') + PROJECT},
        {"pyproject.toml": f"{SETUPTOOLS}{PROJECT}[tool.setuptools]\next-modules = []\n"},
        {"pyproject.toml": f"{HATCH}{PROJECT}[tool.hatch.build.hooks.custom]\n"},
        {"pyproject.toml": f"{HATCH}{PROJECT}", "hatch.toml": "[build.hooks.custom]\n"},
        {"pyproject.toml": f'{HATCH}[project]\nname = "one"\ndynamic = ["version"]\n'},
        {"pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n' + PROJECT},
        {"pyproject.toml": '[build-system]\nrequires = ["mesonpy"]\nbuild-backend = "mesonpy"\n' + PROJECT},
        {"pyproject.toml": "not toml"},
    ],
)
def test_what_may_run_compile_or_read_modules_is_not(tmp_path: Path, contents: dict[str, str]) -> None:
    assert not plain_package.is_plain(write(tmp_path, contents))


@pytest.mark.parametrize(
    ("name", "is_seen"),
    [("one/__init__.py", False), ("bin/run", False), ("setup.py", True), ("README", True), ("one/new.py", True)],
)
def test_the_content_of_modules_and_scripts_is_not_seen(tmp_path: Path, name: str, *, is_seen: bool) -> None:
    write(tmp_path, {"setup.py": "", "README": "", "one/__init__.py": "", "bin/run": ""})
    before = plain_package.fingerprint(tmp_path)
    write(tmp_path, {name: "edited"})
    assert (plain_package.fingerprint(tmp_path) != before) is is_seen
