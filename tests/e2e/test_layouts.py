"""One project with a package of each layout and backend: its tests and its development environment answer alike.

The backends come from the index that this machine is configured with, once for all packages.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.machine import TOOLKIT, run

#: What the tests of the service print, and fail without: the same words in the sandbox and in the environment.
QUESTIONS = """
import importlib
import importlib.metadata
import json
import os
import subprocess
import sys
import unittest

LIBRARIES = {libraries!r}
MODULES = {modules!r}
SCRIPTS = {scripts!r}


class Layouts(unittest.TestCase):
    def test_it(self):
        found = {{"modules": {{}}, "scripts": {{}}, "distributions": {{}}}}
        for name in MODULES:
            module = importlib.import_module(name)
            found["modules"][name] = [module.__name__, getattr(module, "ANSWER", None)]
        for name in SCRIPTS:
            path = os.path.join(sys.prefix, "bin", name)
            words = [path, "one", "two words"]
            done = subprocess.run(words, capture_output=True, text=True, env={{"PATH": "/usr/bin:/bin"}})
            found["scripts"][name] = done.stdout + done.stderr
        for name in LIBRARIES:
            made = importlib.metadata.distribution(name)
            points = sorted((each.group, each.name, each.value) for each in made.entry_points)
            read = {{"version": made.version, "requires": sorted(made.requires or ()), "points": points}}
            found["distributions"][name] = {{**read, "name": made.metadata["Name"]}}
        print("FACTS " + json.dumps(found, sort_keys=True), file=sys.stderr, flush=True)
"""
SETUPTOOLS = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
C_SOURCE = """
#include <Python.h>
static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, "{name}", NULL, -1, NULL}};
PyMODINIT_FUNC PyInit_{name}(void) {{
    PyObject *made = PyModule_Create(&module);
    PyModule_AddIntConstant(made, "ANSWER", {answer});
    return made;
}}
"""


def backend(name: str, module: str) -> str:
    return f'[build-system]\nrequires = ["{name}"]\nbuild-backend = "{module}"\n'


#: The files of each package by its directory, which is the distribution's name, too.
PACKAGES: dict[str, dict[str, str]] = {
    "lib-flat": {
        "setup.py": (
            "from setuptools import find_packages, setup\n"
            "setup(name='lib-flat', version='1.1', packages=find_packages(),\n"
            "      entry_points={'acme.plugins': ['one = lib_flat.inner:ANSWER'],\n"
            "                    'console_scripts': ['flat-run=lib_flat:run']})\n"
        ),
        "lib_flat/__init__.py": "ANSWER = 'flat'\ndef run():\n    print('ran')\n",
        "lib_flat/inner/__init__.py": "ANSWER = 'inner'\n",
    },
    "lib-src": {
        "pyproject.toml": (
            f"{SETUPTOOLS}[project]\nname = 'lib-src'\nversion = '1.2'\ndependencies = ['lib-flat>=1']\n"
            "[project.optional-dependencies]\nmore = ['lib-cfg ; python_version >= \"3\"']\n"
            "[project.gui-scripts]\nsrc-run = 'lib_src:run'\n"
        ),
        "src/lib_src/__init__.py": "ANSWER = 'src'\ndef run():\n    print('src ran')\n",
    },
    "lib-python": {
        "setup.py": (
            "from setuptools import setup\n"
            "setup(name='lib-python', version='1.3', packages=['lib_python'], package_dir={'': 'python'},\n"
            "      py_modules=['lib_single'], scripts=['tools/python-tool'])\n"
        ),
        "python/lib_python/__init__.py": "ANSWER = 'python'\n",
        "python/lib_single.py": "ANSWER = 'single'\n",
        "tools/python-tool": "#!/usr/bin/env python3\nimport lib_python, sys\nprint(lib_python.ANSWER, sys.argv[1:])\n",
    },
    "lib-mapped": {
        "pyproject.toml": (
            f"{SETUPTOOLS}[project]\nname = 'lib-mapped'\nversion = '1.4'\n"
            "[tool.setuptools]\npackages = ['acme.mapped', 'acme.mapped.deep', 'lib_mapped']\n"
            "[tool.setuptools.package-dir]\n'acme.mapped' = 'code'\n'acme.mapped.deep' = 'elsewhere'\n"
            "'lib_mapped' = 'x'\n"
        ),
        "code/__init__.py": "",
        "code/part.py": "from acme.mapped.deep import ANSWER\n",
        "elsewhere/__init__.py": "ANSWER = 'deep'\n",
        "x/__init__.py": "ANSWER = 'mapped'\n",
        "tests/__init__.py": "",
    },
    "lib-ext": {
        "setup.py": (
            "from setuptools import Extension, setup\n"
            "setup(name='lib-ext', version='1.5', packages=['lib_ext', 'lib_ext_mapped'],\n"
            "      package_dir={'lib_ext_mapped': 'other'},\n"
            "      ext_modules=[Extension('lib_ext._fast', ['c/_fast.c']),\n"
            "                   Extension('lib_ext_top', ['c/lib_ext_top.c']),\n"
            "                   Extension('lib_ext_mapped._inner', ['c/_inner.c'])])\n"
        ),
        "lib_ext/__init__.py": "from lib_ext._fast import ANSWER\n",
        "other/__init__.py": "from ._inner import ANSWER\n",
        **{
            f"c/{name}.c": C_SOURCE.format(name=name, answer=answer)
            for name, answer in (("_fast", 41), ("lib_ext_top", 42), ("_inner", 43))
        },
    },
    "lib-made": {
        "setup.py": (
            "import os\nfrom setuptools import setup\nfrom setuptools.command.build_py import build_py\n"
            "class Made(build_py):\n    def run(self):\n        super().run()\n"
            "        with open(os.path.join(self.build_lib, 'lib_made', '_made.py'), 'w') as stream:\n"
            "            stream.write('ANSWER = \"made\"\\n')\n"
            "setup(name='lib-made', version='1.6', packages=['lib_made'], cmdclass={'build_py': Made})\n"
        ),
        "lib_made/__init__.py": "from lib_made._made import ANSWER\n",
    },
    "lib-cfg": {
        "setup.py": "from setuptools import setup\nsetup()\n",
        "setup.cfg": (
            "[metadata]\nname = lib-cfg\nversion = attr: lib_cfg.__version__\n[options]\npackages = find:\n"
            "py_modules = lib_cfg_one\n[options.entry_points]\nacme.plugins =\n    cfg = lib_cfg\n"
        ),
        "lib_cfg/__init__.py": "__version__ = '1.7'\nANSWER = 'cfg'\n",
        "lib_cfg_one.py": "ANSWER = 'one'\n",
    },
    "lib-hatch": {
        "pyproject.toml": (
            f"{backend('hatchling', 'hatchling.build')}[project]\nname = 'lib-hatch'\ndynamic = ['version']\n"
            "[project.entry-points.'acme.plugins']\nhatch = 'lib_hatch'\n"
            "[tool.hatch.version]\npath = 'src/lib_hatch/about.py'\n"
            "[tool.hatch.build.targets.wheel]\npackages = ['src/lib_hatch']\n"
            "[tool.hatch.build.targets.wheel.force-include]\n'extra/one.py' = 'lib_hatch/forced.py'\n"
        ),
        "src/lib_hatch/__init__.py": "ANSWER = 'hatch'\n",
        "src/lib_hatch/about.py": "__version__ = '1.8'\n",
        "extra/one.py": "ANSWER = 'forced'\n",
    },
    "lib-flit": {
        "pyproject.toml": (
            f"{backend('flit_core', 'flit_core.buildapi')}[project]\nname = 'lib-flit'\n"
            "dynamic = ['version', 'description']\n[project.scripts]\nflit-run = 'lib_flit:run'\n"
        ),
        "lib_flit.py": '"""Made by flit."""\n__version__ = "1.9"\nANSWER = "flit"\ndef run():\n    print("flit ran")\n',
    },
    "lib-poetry": {
        "pyproject.toml": (
            f"{backend('poetry-core', 'poetry.core.masonry.api')}[tool.poetry]\nname = 'lib-poetry'\n"
            "version = '2.0'\ndescription = 'x'\nauthors = []\npackages = [{include = 'lib_poetry', from = 'lib'}]\n"
            "[tool.poetry.dependencies]\npython = '>=3.9'\nlib-flat = '^1.0'\n"
            "[tool.poetry.plugins.'acme.plugins']\npoetry = 'lib_poetry'\n"
        ),
        "lib/lib_poetry/__init__.py": "ANSWER = 'poetry'\n",
    },
    "ns-one": {
        "setup.py": (
            "from setuptools import find_namespace_packages, setup\n"
            "setup(name='ns-one', version='3.1', packages=find_namespace_packages(include=['shared.*']))\n"
        ),
        "shared/one/__init__.py": "ANSWER = 'ns one'\n",
    },
    "ns-two": {
        "pyproject.toml": f"{SETUPTOOLS}[project]\nname = 'ns-two'\nversion = '3.2'\n",
        "src/shared/two/__init__.py": "ANSWER = 'ns two'\n",
    },
    "ns-three": {
        "pyproject.toml": (
            f"{backend('hatchling', 'hatchling.build')}[project]\nname = 'ns-three'\nversion = '3.3'\n"
            "[tool.hatch.build.targets.wheel]\nsources = {'modules' = 'shared/three'}\nonly-include = ['modules']\n"
        ),
        "modules/__init__.py": "from shared.one import ANSWER\n",
        "modules/more.py": "ANSWER = 'ns three'\n",
    },
}
MODULES = {
    "yc_app": "app",
    "lib_flat": "flat",
    "lib_flat.inner": "inner",
    "lib_src": "src",
    "lib_python": "python",
    "lib_single": "single",
    "acme.mapped": None,
    "acme.mapped.part": "deep",
    "acme.mapped.deep": "deep",
    "lib_mapped": "mapped",
    "lib_ext": 41,
    "lib_ext._fast": 41,
    "lib_ext_top": 42,
    "lib_ext_mapped": 43,
    "lib_made": "made",
    "lib_cfg": "cfg",
    "lib_cfg_one": "one",
    "lib_hatch": "hatch",
    "lib_hatch.forced": "forced",
    "lib_flit": "flit",
    "lib_poetry": "poetry",
    "shared.one": "ns one",
    "shared.two": "ns two",
    "shared.three": "ns one",
    "shared.three.more": "ns three",
}
WORDS = "['one', 'two words']"
SCRIPTS = {
    "yc-app": f"yc-app app beside {WORDS} __main__\n",
    "yc-shell": "shell one two words\n",
    "app-run": "app ran\n",
    "flat-run": "ran\n",
    "flit-run": "flit ran\n",
    "src-run": "src ran\n",
    "python-tool": f"python {WORDS}\n",
}


def write(root: Path, contents: dict[str, str]) -> None:
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """Return the project, a git repository with all that its packages need vendored; a space is in its path."""
    root = tmp_path_factory.mktemp("layouts") / "a project"
    for name, contents in PACKAGES.items():
        write(root / name, contents)
    names = ["app", *PACKAGES]
    setup = (
        "from setuptools import setup\n"
        "setup(name='app', version='1.0', packages=['yc_app'], scripts=['bin/yc-app'],\n"
        "      entry_points={'console_scripts': ['app-run = yc_app:run']})\n"
    )
    script = (
        "#!/usr/bin/env python3\nimport os, pickle, sys, yc_app\nimport beside\n"
        "print(os.path.basename(__file__), yc_app.ANSWER, beside.ANSWER, sys.argv[1:], __name__)\n"
        "assert os.path.basename(sys.argv[0]) == 'yc-app'\n"
        "class Kept: pass\n"
        "assert type(pickle.loads(pickle.dumps(Kept()))) is Kept\n"
    )
    questions = QUESTIONS.format(libraries=names, modules=[*MODULES], scripts=[*SCRIPTS])
    write(
        root,
        {
            ".gitignore": "build/\ndist/\n__pycache__/\n",
            ".python-version": run(["/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]),
            "app/setup.py": setup,
            "app/requirements.txt": "".join(f"{name}\n" for name in PACKAGES),
            "app/yc_app/__init__.py": "ANSWER = 'app'\ndef run():\n    print('app ran')\n",
            "app/bin/yc-app": script,
            "app/bin/beside.py": "ANSWER = 'beside'\n",
            "app/bin/yc-shell": '#!/bin/sh\necho shell "$@"\n',
            "app/tests/test_layouts.py": questions,
        },
    )
    for name in ("yc-app", "yc-shell"):
        (root / "app" / "bin" / name).chmod(0o755)
    (root / "Makefile").symlink_to(TOOLKIT / "project.mk")
    run(["git", "init", "-q"], root)
    run(["make", "vendor"], root, environment)
    run(["git", "add", "--all"], root)
    run(["git", "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-qm", "all"], root)
    return root


@pytest.fixture
def develop(project: Path, environment: dict[str, str], tmp_path: Path) -> Iterator[Any]:
    """Return what makes the environment, in a home with a blank in its name, and returns what was said."""

    def make(*options: str, status: int = 0) -> str:
        words: list[str | Path] = [TOOLKIT / "create-virtual-environment", "--project", project, *options]
        done = subprocess.run(words, env=settings, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    settings = {**environment, "WORKON_HOME": str(tmp_path / "my envs")}
    make.prefix = tmp_path / "my envs" / "a project"  # type: ignore[attr-defined]
    yield make


def facts(text: str) -> Any:
    [line] = [line for line in text.splitlines() if line.startswith("FACTS ")]
    return json.loads(line.removeprefix("FACTS "))


def asked(prefix: Path, project: Path) -> Any:
    """Return what the tests of the service find in the environment, run in a directory that has nothing of it."""
    words: list[str | Path] = [prefix / "bin" / "python", "-m", "unittest", "discover", "-s", project / "app" / "tests"]
    return facts(run(words, prefix))


def test_tests_and_environment_answer_alike_for_each_layout(
    project: Path, environment: dict[str, str], develop: Any
) -> None:
    run(["make", "test"], project, environment)
    tested = facts((project / "build" / "logs" / "test-app.log").read_text())
    assert {name: answer for name, (_, answer) in tested["modules"].items()} == MODULES
    assert tested["scripts"] == SCRIPTS
    assert tested["distributions"]["lib-hatch"]["version"] == "1.8"
    assert "cannot be imported" not in develop()
    assert asked(develop.prefix, project) == tested
    assert run(["git", "status", "--porcelain"], project) == ""
    assert "distributions, up to date\n" in develop()


def test_what_is_edited_is_seen(project: Path, develop: Any) -> None:
    develop()
    before = {path: path.read_bytes() for path in project.rglob("*.[pc]*") if path.is_file() and "lib-" in str(path)}
    try:
        write(
            project,
            {
                "lib-mapped/code/new.py": "ANSWER = 'new'\n",
                "lib-ext/lib_ext/new.py": "ANSWER = 'new'\n",
                "lib-mapped/elsewhere/__init__.py": "ANSWER = 'edited'\n",
                "lib-hatch/extra/one.py": "ANSWER = 'edited'\n",
            },
        )
        code = "import acme.mapped.new, lib_ext.new, acme.mapped.deep as deep, lib_hatch.forced as forced;"
        code += "print(deep.ANSWER, forced.ANSWER, deep.__file__)"
        python = develop.prefix / "bin" / "python"
        file = project / "lib-mapped" / "elsewhere" / "__init__.py"
        assert run([python, "-c", code], develop.prefix) == f"edited edited {file}\n"
        # What has to be built is seen at the next run.
        write(project, {"lib-ext/c/_fast.c": C_SOURCE.format(name="_fast", answer=99)})
        develop()
        assert run([python, "-c", "import lib_ext; print(lib_ext.ANSWER)"], develop.prefix) == "99\n"
        assert "up to date" in develop()
    finally:
        for path in (project / "lib-mapped/code/new.py", project / "lib-ext/lib_ext/new.py"):
            path.unlink(missing_ok=True)
        for path, content in before.items():
            path.write_bytes(content)


def test_imports_are_as_with_uv(project: Path, develop: Any, environment: dict[str, str], tmp_path: Path) -> None:
    develop()
    shutil.copytree(project, tmp_path / "copy", symlinks=True)
    (venv := tmp_path / "venv").mkdir()
    settings = {**environment, "PATH": f"{Path(sys.executable).parent}:{environment['PATH']}"}
    run(["uv", "venv", "-q", "--python", "/usr/bin/python3", venv], tmp_path, settings)
    # What has no editable form there is left out: uv asks hatchling's hook, which wants what it cannot map.
    names = [name for name in ("app", *PACKAGES) if name not in ("lib-hatch", "ns-three", "lib-made")]
    words = [word for name in names for word in ("-e", str(tmp_path / "copy" / name))]
    run(["uv", "pip", "install", "-q", "--python", venv / "bin" / "python", "setuptools", *words], tmp_path, settings)
    wanted = [name for name in MODULES if not name.startswith(("lib_hatch", "shared.three", "lib_made"))]
    code = f"import importlib, json; print(json.dumps([(n, importlib.import_module(n).__file__) for n in {wanted!r}]))"
    theirs = json.loads(run([venv / "bin" / "python", "-c", code], tmp_path))
    ours = json.loads(run([develop.prefix / "bin" / "python", "-c", code], tmp_path))
    for (name, there), (_, here) in zip(theirs, ours, strict=True):
        if not here.endswith(".so"):
            assert os.path.relpath(here, project) == os.path.relpath(there, tmp_path / "copy"), name
