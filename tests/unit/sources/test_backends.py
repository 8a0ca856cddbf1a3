"""What is known of a backend without running it, and where only its hook can tell."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.project.pyproject import BuildSystem
from toolkit.sources import backends

SETUP = {"setup.py": b"from setuptools import setup\nsetup(name='x')\n"}


def told(
    backend: str, *, in_tree: bool = False, members: dict[str, bytes] | None = None, sources: bytes = b"", **tables: Any
) -> tuple[str, ...] | None:
    found = members or {}
    everything = b"".join([sources, *found.values()])
    requires = tables.get("build-system", {}).get("requires", ())
    system = BuildSystem(requires=tuple(requires), backend=backend, backend_path=(".",) if in_tree else ())
    return backends.known_requires(system, pyproject=tables, members=found, mentions=lambda word: word in everything)


@pytest.mark.parametrize("backend", ["poetry.core.masonry.api", "pdm.backend", "hatchling.build"])
def test_backends_that_ask_for_nothing_by_themselves(backend: str) -> None:
    assert told(backend) == ()


def test_an_unknown_backend_is_asked() -> None:
    assert told("mesonpy") is None


def test_pdm_may_want_setuptools() -> None:
    assert told("pdm.backend", tool={"pdm": {"build": {"run-setuptools": True}}}) is None


@pytest.mark.parametrize(
    ("build", "answer"),
    [
        ({"hooks": {"vcs": {"version-file": "x.py"}}}, ()),
        ({"hooks": {"custom": {}}}, None),
        ({"targets": {"wheel": {"hooks": {"mypyc": {}}}}}, None),
        ({"targets": {"wheel": {"dependencies": ["x"]}}}, None),
        ({"require-runtime-dependencies": True}, None),
        (3, ()),
        ({"hooks": 3, "targets": {"wheel": [5]}}, ()),
    ],
)
def test_hatchling_asks_for_what_hooks_and_settings_name(build: dict[str, Any], answer: tuple[str, ...] | None) -> None:
    assert told("hatchling.build", tool={"hatch": {"build": build}}) == answer


@pytest.mark.parametrize(
    ("content", "answer"), [(b"[version]\npath = 'x'\n", ()), (b"[build.hooks.custom]\n", None), (b"not toml [", None)]
)
def test_hatchlings_own_file_counts(content: bytes, answer: tuple[str, ...] | None) -> None:
    assert told("hatchling.build", members={"hatch.toml": content}) == answer


def test_hatchling_builds_itself_with_its_own_dependencies() -> None:
    project = {"name": "hatchling", "dependencies": ["pluggy>=1"]}
    assert told("hatchling.ouroboros", in_tree=True, project=project) == ("pluggy>=1",)


@pytest.mark.parametrize(
    ("project", "answer"),
    [
        ({"version": "1", "description": "x", "dependencies": ["six"]}, ()),
        ({"dynamic": ["version"]}, ()),
        ({"dynamic": ["version"], "dependencies": ["six"]}, None),
        ({"dynamic": ["description"], "optional-dependencies": {"fast": ["six"]}}, None),
        ({}, None),
    ],
)
def test_flit_asks_for_what_it_may_have_to_import(project: dict[str, Any], answer: tuple[str, ...] | None) -> None:
    assert told("flit_core.buildapi", project=project) == answer


@pytest.mark.parametrize(
    ("backend", "tables"),
    [
        ("flit_core.buildapi", {"project": {"name": "flit_core", "dynamic": ["version"]}}),
        ("poetry.core.masonry.api", {"tool": {"poetry": {"name": "poetry-core"}}}),
        ("setuptools.build_meta", {"project": {"name": "setuptools"}}),
    ],
)
def test_a_backend_that_builds_itself_asks_for_nothing(backend: str, tables: dict[str, Any]) -> None:
    assert told(backend, in_tree=True, **tables) == ()
    assert told(backend, in_tree=True, project={"name": "other", "version": "1"}) is None


@pytest.mark.parametrize(
    ("setup", "answer"),
    [
        (b"setup(name='x')", ()),
        (b"setup(name='x', setup_requires=['cffi>=1', 'six'])", ("cffi>=1", "six")),
        (b"setup(name='x', setup_requires='cffi\\nsix')", ("cffi", "six")),
        (b"setup(name='x', setup_requires=WANTED)", None),
        (b"setup(**arguments)", ()),
        (b"arguments = {'setup_requires': []}\nsetup(**arguments)", None),
        (b"from helpers import run\nrun()", ()),
        (b"setup(", None),
    ],
)
def test_setuptools_asks_for_setup_requires(setup: bytes, answer: tuple[str, ...] | None) -> None:
    assert told("setuptools.build_meta", members={"setup.py": setup}) == answer


def test_hidden_arguments_cannot_have_a_name_that_stands_nowhere() -> None:
    hidden = {"setup.py": b"from helpers import run\nrun()"}
    assert told("setuptools.build_meta", members=hidden, sources=b"KEYS = ['setup_requires']") is None


@pytest.mark.parametrize(
    ("content", "answer"),
    [(b"[options]\nsetup_requires = x\n", None), (b"[metadata]\nname = x\n", ()), (b"\xff setup_requires", None)],
)
def test_setup_cfg_may_ask_too(content: bytes, answer: tuple[str, ...] | None) -> None:
    assert told("setuptools.build_meta", members={"setup.cfg": content}) == answer


@pytest.mark.parametrize("requires", ["setuptools", "flit_core"])
def test_an_in_tree_backend_is_asked_whatever_it_is_based_on(requires: str) -> None:
    table: dict[str, Any] = {"build-system": {"requires": [requires]}}
    assert told("_own", in_tree=True, members=SETUP, sources=b"from setuptools.build_meta import *", **table) is None
