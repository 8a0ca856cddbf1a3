"""`workon` of the real virtualenvwrapper, in an interactive bash, enters what `./create-virtual-environment` has made.

pyenv-virtualenvwrapper is a plugin of pyenv that cannot be had from an index. What its `pyenv virtualenvwrapper` does
is done here: the `python`, `virtualenv` and `virtualenvwrapper.sh` of pyenv's chosen version go into variables, and the
last is sourced (https://github.com/pyenv/pyenv-virtualenvwrapper/blob/master/bin/pyenv-sh-virtualenvwrapper).
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.machine import run
from tests.e2e.terminal import Terminal, bash
from toolkit.build import pyenv
from toolkit.core import files

NAME = "мой проект"


@pytest.fixture(scope="module")
def project(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the example, in a directory whose name has a space and other letters."""
    directory = tmp_path_factory.mktemp("workon") / NAME
    shutil.copytree(example, directory, symlinks=True)
    for made in ("build", "dist"):
        shutil.rmtree(directory / made, ignore_errors=True)
    return directory


@pytest.fixture(scope="module")
def wrapper(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """Return the bin directory of an environment with virtualenvwrapper."""
    directory = tmp_path_factory.mktemp("wrapper")
    run([sys.executable, "-m", "venv", directory], env=environment)
    run([directory / "bin" / "pip", "install", "--quiet", "virtualenvwrapper"], env=environment)
    return directory / "bin"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "environments"


@pytest.fixture
def terminal(
    wrapper: Path, project: Path, home: Path, environment: dict[str, str], tmp_path: Path
) -> Iterator[Terminal]:
    """Return a developer's shell, in the project, set up as virtualenvwrapper's manual says."""
    rc = tmp_path / "bashrc"
    rc.write_text(
        f"export WORKON_HOME='{home}' VIRTUALENVWRAPPER_PYTHON='{wrapper}/python'\n"
        f"export VIRTUALENVWRAPPER_VIRTUALENV='{wrapper}/virtualenv'\n"
        f". '{wrapper}/virtualenvwrapper.sh'\n"
    )
    with bash(rc, environment, project) as shell:
        yield shell


def check_entered(shell: Terminal, project: Path, prefix: Path) -> None:
    """See that the shell is in the project and in the environment, and that both are what they should be."""
    assert shell.read("pwd") == str(project)
    assert shell.read('echo "$VIRTUAL_ENV"') == str(prefix)
    code = "import aiohttp, sys, yc_example_service as s; print(sys.prefix, s.__file__, sep='\\n')"
    module = project / "example_service" / "yc_example_service" / "__init__.py"
    assert shell.read(f'python -c "{code}"').splitlines() == [str(prefix), str(module)]
    assert "usage: " in shell.read("yc-example-service --help")


def test_workon_enters_the_project_and_its_environment(terminal: Terminal, project: Path, home: Path) -> None:
    said = terminal.read("./create-virtual-environment")
    assert f"enter it with `workon '{NAME}'`" in said
    terminal.read("cd / && workon 'мой проект'")
    check_entered(terminal, project, home / NAME)
    assert terminal.read("lsvirtualenv -b") == NAME
    assert terminal.read("cd /tmp && cdproject && pwd") == str(project)
    terminal.read("deactivate")
    assert terminal.read('echo "${VIRTUAL_ENV-none}"') == "none"


def test_from_inside_it_is_brought_up_to_date(terminal: Terminal, project: Path, home: Path) -> None:
    terminal.read("./create-virtual-environment && workon 'мой проект' && pip uninstall --quiet --yes aiohttp")
    said = terminal.read("./create-virtual-environment")
    assert "ADD     aiohttp" in said
    assert "enter it with" not in said
    check_entered(terminal, project, home / NAME)


def test_the_users_hooks_outlive_a_replacement(terminal: Terminal, home: Path) -> None:
    terminal.read("./create-virtual-environment -n shop")
    terminal.read("echo 'export MINE=yes' >> $WORKON_HOME/shop/bin/postactivate")
    terminal.read("./create-virtual-environment -n shop --force && workon shop")
    assert terminal.read('echo "$MINE"') == "yes"


def test_an_environment_of_mkvirtualenv_is_not_ours(terminal: Terminal, home: Path) -> None:
    terminal.read("mkvirtualenv theirs && deactivate")
    status, said = terminal.ask("./create-virtual-environment --name theirs")
    assert status == 1
    assert "theirs: there is an environment that something else made" in said
    assert "Traceback" not in said
    terminal.read("./create-virtual-environment --name theirs --force && workon theirs && python -c 'import aiohttp'")
    terminal.read("deactivate && rmvirtualenv theirs")
    assert not (home / "theirs").exists()


def test_the_plain_script_enters_it_too(project: Path, home: Path, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "bashrc").write_text("")
    with bash(tmp_path / "bashrc", {**environment, "WORKON_HOME": str(home)}, project) as shell:
        shell.read("./create-virtual-environment")
        shell.read(f"source '{home / NAME}/bin/activate'")
        check_entered(shell, project, home / NAME)


@pytest.fixture
def own_pyenv(tmp_path: Path, environment: dict[str, str]) -> dict[str, str]:
    """Return the variables of a pyenv with one version of the example's Python, which the test may add to."""
    program = shutil.which("pyenv") or shutil.which("pyenv", path=str(pyenv.root() / "bin"))
    wanted = f"{sys.version_info.major}.{sys.version_info.minor}"
    there = {name: path for name, path in pyenv.versions().items() if pyenv.minor(name) == wanted}
    if not program or not there:
        pytest.skip(f"there is no pyenv with Python {wanted} here")
    name, path = next(iter(there.items()))
    root = tmp_path / "pyenv"
    # Its files, but nothing that was installed into it; pip is then the one that it brings along.
    shutil.copytree(
        path.parents[1],
        root / "versions" / name,
        symlinks=True,
        copy_function=lambda here, there: files.link_or_copy(Path(here), Path(there)),
        ignore=shutil.ignore_patterns("site-packages", "test", "__pycache__"),
    )
    run([root / "versions" / name / "bin" / path.name, "-m", "ensurepip"], env=environment)
    return {
        **environment,
        "PYENV_ROOT": str(root),
        "PYENV_VERSION": name,
        "PATH": f"{root / 'shims'}:{Path(program).parent}:{environment['PATH']}",
    }


def test_workon_of_pyenv_virtualenvwrapper(
    own_pyenv: dict[str, str], project: Path, home: Path, tmp_path: Path
) -> None:
    rc = tmp_path / "bashrc"
    rc.write_text(f"""export WORKON_HOME='{home}'
eval "$(pyenv init - bash)"
export VIRTUALENVWRAPPER_PYTHON="$(pyenv which python)"
export VIRTUALENVWRAPPER_VIRTUALENV="$(pyenv which virtualenv)"
export VIRTUALENVWRAPPER_SCRIPT="$(pyenv which virtualenvwrapper.sh)"
source "$VIRTUALENVWRAPPER_SCRIPT"
""")
    run(["pyenv", "exec", "python", "-m", "pip", "install", "--quiet", "virtualenvwrapper"], env=own_pyenv)
    run(["pyenv", "rehash"], env=own_pyenv)
    with bash(rc, own_pyenv, project) as shell:
        said = shell.read("./create-virtual-environment")
        assert f"Python {own_pyenv['PYENV_VERSION']}" in said
        shell.read("cd / && workon 'мой проект'")
        check_entered(shell, project, home / NAME)
        used = shell.read("python -c 'import sys; print(sys.base_prefix)'")
        assert used == os.path.join(own_pyenv["PYENV_ROOT"], "versions", own_pyenv["PYENV_VERSION"])
