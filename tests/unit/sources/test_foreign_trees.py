"""Whatever stands in the files that tell what builds a source tree gives a value, or one `UserError` of one line."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.foreign_values import lines, one_error, tables, toml, values
from toolkit.build import hook_answers
from toolkit.model import core_metadata
from toolkit.project import declared, pyproject
from toolkit.project.pyproject import BuildSystem
from toolkit.sources import backends, sdist

KEYS = (
    *(
        "build-system",
        "requires",
        "build-backend",
        "backend-path",
        "project",
        "name",
        "version",
        "dependencies",
        "scripts",
    ),
    *("tool", "hatch", "poetry", "pdm", "build", "targets", "hooks", "wheel", "license", "description", "readme"),
)
BACKENDS = (*sorted(backends._BOOTSTRAPPED), "pdm.backend", "setuptools.build_meta:__legacy__", "other")


@given(tables(*KEYS))
def test_any_pyproject(table: dict[str, Any]) -> None:
    with one_error():
        pyproject.build_system(table, "pkg-1.tar.gz")
    with one_error():
        sdist.build_system({"pyproject.toml": toml(table)}, "pkg-1.tar.gz", lambda word: False)


@given(
    st.sampled_from(BACKENDS), st.booleans(), tables(*KEYS), lines("setup_requires", "[options]", "=", "build.hooks")
)
def test_any_settings_of_a_known_backend(backend: str, in_tree: bool, table: dict[str, Any], content: bytes) -> None:
    system = BuildSystem(requires=("setuptools",), backend=backend, backend_path=(".",) if in_tree else ())
    members = dict.fromkeys(("setup.py", "setup.cfg", "hatch.toml"), content)
    with one_error():
        backends.known_requires(system, pyproject=table, members=members, mentions=lambda word: word in content)


@given(
    lines(
        "from setuptools import setup\n",
        "setup(",
        "setup_requires=",
        "[",
        "]",
        ")",
        "'six'",
        ",",
        "name=",
        "entry_points=",
    )
)
def test_any_setup_py(content: bytes) -> None:
    with one_error():
        sdist.build_system({"setup.py": content}, "pkg-1.tar.gz", lambda word: word in content)


@given(
    st.dictionaries(
        st.sampled_from(["pyproject.toml", "setup.py", "setup.cfg", "PKG-INFO"]),
        lines(*KEYS, "=", "[", "]", "setup("),
        min_size=1,
    )
)
def test_any_files_of_a_package(contents: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name, content in contents.items():
            Path(directory, name).write_bytes(content)
        with one_error():
            declared.read(Path(directory))


@given(
    lines(
        "Metadata-Version: 2.2\n",
        "Name: ",
        "Version: ",
        "Requires-Dist: ",
        "Dynamic: ",
        "License: ",
        "\n ",
        "\r",
        "UNKNOWN",
    )
)
def test_any_metadata(content: bytes) -> None:
    with one_error():
        core_metadata.parse(content)


@given(lines("[", "]", ":", "extra", "python_version < '3'", "six\n"))
def test_any_list_of_old_setuptools(content: bytes) -> None:
    with one_error():
        list(sdist._from_requires_txt(content))


@given(values("return", "missing"))
def test_any_answer_of_a_hook(answer: Any) -> None:
    with one_error():
        hook_answers.requirements(answer, "pkg 1")
    with one_error():
        hook_answers.file_name(answer, "pkg 1", "build_wheel")
