from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.wheel_files import make_wheel
from toolkit.build import interpreters
from toolkit.install import loadable
from toolkit.install.loadable import Installed
from toolkit.model.interpreter import Interpreter
from toolkit.wheel import environment


@pytest.fixture(scope="module")
def python() -> Interpreter:
    found = interpreters.probe(Path(sys.executable).resolve())
    assert found
    return found


def read(directory: Path, python: Interpreter, files: Mapping[str, str | bytes], name: str = "some") -> Installed:
    wheel = make_wheel(directory, name, files)
    environment.create(directory / "env", python, [wheel])
    (found,) = loadable.read(directory / "env", python)
    return found


def test_the_outermost_packages_and_modules_are_what_is_imported(tmp_path: Path, python: Interpreter) -> None:
    files = {"one/__init__.py": "", "one/two/__init__.py": "", "one/x.py": "", "single.py": "", "data.txt": ""}
    assert read(tmp_path, python, files).modules == ("one", "single")


def test_what_stands_in_a_namespace_is_imported_by_its_whole_name(tmp_path: Path, python: Interpreter) -> None:
    old = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
    files = {"space/deep/one/__init__.py": "", "space/two.py": "", "old/__init__.py": old, "old/three/__init__.py": ""}
    assert read(tmp_path, python, files).modules == ("old.three", "space.deep.one", "space.two")


def test_tests_scripts_and_what_has_no_name_are_not_imported(tmp_path: Path, python: Interpreter) -> None:
    names = ("tests/__init__.py", "test_x.py", "conftest.py", "setup.py", "x_tests/__init__.py", "not-a-name.py")
    assert read(tmp_path, python, {**dict.fromkeys(names, ""), "docs/conf.py": "", "latest.py": ""}).modules == (
        "latest",
    )


def test_libraries_are_those_for_this_interpreter_and_machine(tmp_path: Path, python: Interpreter) -> None:
    header = python.path.resolve().read_bytes()
    other = header[:18] + bytes([header[18] ^ 1]) + header[19:]
    files: dict[str, str | bytes] = {
        "a/x.so": header,
        f"a/y.{python.soabi}.so": header,
        "a/z.cpython-23-x86_64-linux-gnu.so": header,
        "a.libs/libq-0f.so.1.2": header,
        "a/other.so": other,
        "a/linker.so": "INPUT(x)",
        "a/broken.so": b"\x7fELF",
    }
    found = read(tmp_path, python, files)
    start = f"{python.site_packages}/"
    expected = ["a.libs/libq-0f.so.1.2", "a/broken.so", "a/x.so", f"a/y.{python.soabi}.so"]
    assert sorted(name.removeprefix(start) for name in found.libraries) == expected
    assert set(found.modules) >= {"a.x", "a.y"}
