"""`./create-virtual-environment`: the versions of the lock, the project's packages linked, and nothing lost."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from tests.integration.workshop import HERE, Workshop
from tests.wheel_files import make_wheel
from toolkit.develop import virtualenv


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of environments; of pyenv's interpreters none is there."""
    monkeypatch.setenv("WORKON_HOME", str(tmp_path / "envs"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "no-pyenv"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    return tmp_path / "envs"


@pytest.fixture
def vendored(shop: Workshop, index: LocalIndex) -> Workshop:
    """Return a project with a service and a library, all that they need vendored."""
    sdists.publish(index, "fast", "1.0")
    sdists.publish(index, "wire", "1.0", requires=["cable"])
    sdists.publish(index, "cable", "1.0")
    sdists.publish(index, "probe", "1.0")
    shop.service("app", "wire", "lib").package("lib")
    shop.write({"lib/lib.py": "", "lib/requirements.txt": "fast\n", "app/test-requirements.txt": "probe\n"})
    assert shop.vendor().status == 0
    return shop


def ask(prefix: Path, code: str) -> str:
    done = subprocess.run([prefix / "bin" / "python", "-I", "-c", code], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def names(prefix: Path) -> list[str]:
    code = "import importlib.metadata as m; print(*sorted(d.name for d in m.distributions() if d.name != 'pip'))"
    return ask(prefix, code).split()


def contents(directory: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in directory.rglob("*")}


def test_all_that_a_developer_needs_is_there_and_the_project_is_linked(vendored: Workshop, home: Path) -> None:
    done = vendored.develop()
    assert done.status == 0, done.err
    prefix = home / "project"
    assert names(prefix) == ["app", "cable", "fast", "lib", "probe", "wire"]
    assert ask(prefix, "import lib; print(lib.__file__)") == str(vendored.root / "lib" / "lib.py")
    assert (prefix / ".project").read_text() == f"{vendored.root}\n"
    assert f"enter it with `workon project`, or `. {prefix}/bin/activate`" in done.out


@pytest.mark.parametrize("name", ["project", "a b"])
def test_nothing_in_it_names_where_it_was_prepared(vendored: Workshop, home: Path, name: str) -> None:
    assert vendored.develop("-n", name).status == 0
    prefix = home / name
    assert os.listdir(home) == [name]
    assert not [path for path in prefix.rglob("*") if path.is_file() and f"/.{name}-".encode() in path.read_bytes()]
    shell = ["bash", "-c", '. "$0/bin/activate" && echo "$VIRTUAL_ENV" && command -v python', str(prefix)]
    assert subprocess.run(shell, capture_output=True, text=True, check=True).stdout.splitlines() == [
        str(prefix),
        str(prefix / "bin" / "python"),
    ]


def test_tools_of_the_developers_are_there_too(vendored: Workshop, home: Path, index: LocalIndex) -> None:
    sdists.publish(index, "tool", "1.0")
    vendored.write({"app/dev-requirements.txt": "tool\n"})
    vendored.vendor()
    vendored.develop()
    assert "tool" in names(home / "project")


def test_an_edit_is_seen_at_once(vendored: Workshop, home: Path) -> None:
    vendored.develop()
    vendored.write({"lib/lib.py": "ANSWER = 42\n"})
    assert ask(home / "project", "import lib; print(lib.ANSWER)") == "42"


def test_pip_is_there_for_the_developer(vendored: Workshop, home: Path) -> None:
    vendored.develop()
    done = subprocess.run([home / "project" / "bin" / "pip", "--version"], capture_output=True, text=True, check=False)
    assert str(home / "project") in done.stdout, done.stderr


def test_the_index_is_not_asked(vendored: Workshop, home: Path, index: LocalIndex) -> None:
    before = sum(index.requests.values())
    assert vendored.develop().status == 0
    assert sum(index.requests.values()) == before


def test_a_second_run_changes_nothing(vendored: Workshop, home: Path) -> None:
    vendored.develop()
    before = contents(home)
    done = vendored.develop()
    assert done.status == 0
    assert "up to date" in done.out
    assert contents(home) == before


def test_the_environment_follows_the_lock(vendored: Workshop, home: Path, index: LocalIndex) -> None:
    vendored.develop()
    prefix = home / "project"
    (prefix / "mine").write_text("kept")
    sdists.publish(index, "fast", "2.0")
    vendored.write({"lib/requirements.txt": "fast>=2\n", "app/requirements.txt": "lib\nprobe\n"})
    assert vendored.vendor().status == 0
    done = vendored.develop()
    assert done.status == 0, done.err
    said = [line.split(maxsplit=1) for line in done.out.splitlines() if line.startswith("  ")]
    assert said[-6:-1] == [
        ["REMOVE", "cable 1.0"],
        ["REMOVE", "wire 1.0"],
        ["CHANGE", "fast 1.0 -> 2.0"],
        ["LINK", "app"],
        ["LINK", "lib"],
    ]
    assert names(prefix) == ["app", "fast", "lib", "probe"]
    assert (prefix / "mine").read_text() == "kept"


def test_what_was_put_in_by_hand_goes_and_what_was_broken_is_mended(vendored: Workshop, home: Path) -> None:
    vendored.develop()
    site = home / "project" / "lib" / f"python{HERE}" / "site-packages"
    (site / "stray-1.0.dist-info").mkdir()
    (site / "fast.py").unlink()
    done = vendored.develop()
    assert "REMOVE  stray 1.0" in done.out
    assert "CHANGE  fast 1.0, put in again" in done.out
    assert ask(home / "project", "import fast; print(fast.VERSION)") == "1.0"


def test_a_dry_run_says_what_would_change(vendored: Workshop, home: Path) -> None:
    done = vendored.develop("--dry-run")
    assert "NEW" in done.out
    assert not home.exists()
    vendored.develop()
    shutil.rmtree(home / "project" / "lib" / f"python{HERE}" / "site-packages" / "fast-1.0.dist-info")
    before = contents(home)
    assert "ADD     fast 1.0" in vendored.develop("--dry-run").out
    assert contents(home) == before


@pytest.mark.parametrize("broken", ["bin/python", "bin/activate", "pyvenv.cfg", f"lib/python{HERE}/site-packages"])
def test_a_broken_environment_is_made_anew(vendored: Workshop, home: Path, broken: str) -> None:
    vendored.develop()
    victim = home / "project" / broken
    shutil.rmtree(victim) if victim.is_dir() and not victim.is_symlink() else victim.unlink()
    done = vendored.develop()
    assert done.status == 0, done.err
    assert f"it is broken: {broken} is missing" in done.out
    assert "wire" in names(home / "project")


def test_an_environment_of_which_nothing_is_known_is_made_anew(vendored: Workshop, home: Path) -> None:
    (home / "project").mkdir(parents=True)
    (home / "project" / ".python-common.json").write_text("{}")
    done = vendored.develop()
    assert "what it holds is not known" in done.out
    assert "wire" in names(home / "project")


def test_an_environment_of_somebody_else_is_replaced_only_by_force(vendored: Workshop, home: Path) -> None:
    other = home / "project" / "bin"
    other.mkdir(parents=True)
    (home / "project" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (other / "postactivate").write_text("echo mine\n")
    what, hint = vendored.develop().error
    assert what == f"{home / 'project'}: there is an environment that something else made"
    assert "--force replaces it" in hint
    assert (home / "project" / "pyvenv.cfg").read_text() == "home = /usr/bin\n"
    assert vendored.develop("--force").status == 0
    assert "wire" in names(home / "project")
    assert (other / "postactivate").read_text() == "echo mine\n"


def test_a_failure_leaves_the_old_environment(vendored: Workshop, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vendored.develop()
    before = contents(home)
    monkeypatch.setattr(virtualenv, "_commands", lambda: iter([["false"]]))
    what, _ = vendored.develop("--force").error
    assert what.startswith(f"{home / 'project'}: virtualenv makes no environment")
    changed = {name for name, found in contents(home).items() if before.get(name) != found}
    assert changed <= {str(home / "project"), str(home)}


def test_a_missing_virtualenv_says_where_to_get_it(
    vendored: Workshop, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtualenv, "_commands", lambda: iter(()))
    assert vendored.develop().error == (
        "this machine lacks what makes development environments: python3-virtualenv",
        "apt-get install python3-virtualenv",
    )
    assert not (home / "project").exists()


def test_a_vendored_file_that_was_changed_is_not_built(vendored: Workshop, home: Path) -> None:
    [archive] = (vendored.root / "vendor").glob("wire-*.tar.gz")
    content = archive.read_bytes()
    archive.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    what, _ = vendored.develop().error
    assert "its sha256 is" in what
    assert not (home / "project").exists()


def test_paths_with_spaces_and_letters_of_other_alphabets(
    vendored: Workshop, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKON_HOME", str(tmp_path / "мои среды"))
    moved = Workshop(tmp_path / "проект с пробелом", vendored.index)
    vendored.root.rename(moved.root)
    done = moved.develop()
    assert done.status == 0, done.err
    prefix = tmp_path / "мои среды" / "проект с пробелом"
    assert ask(prefix, "import lib; print(lib.__file__)") == str(moved.root / "lib" / "lib.py")
    done_pip = subprocess.run([prefix / "bin" / "pip", "--version"], capture_output=True, text=True, check=False)
    assert done_pip.returncode == 0, done_pip.stderr


def test_a_name_that_is_none_is_refused_before_anything_is_made(vendored: Workshop, home: Path) -> None:
    what, _ = vendored.develop("--name", "../elsewhere").error
    assert what == "'../elsewhere' is no name for an environment"
    assert not home.exists()


def test_an_interpreter_that_is_not_there_is_said(vendored: Workshop, home: Path) -> None:
    what, _ = vendored.develop("-p", "3.77").error
    assert what.startswith("--python 3.77: no such interpreter; there is: ")


def test_an_active_environment_has_no_influence(
    vendored: Workshop, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendored.develop("-n", "other")
    active = home / "other"
    monkeypatch.setenv("VIRTUAL_ENV", str(active))
    monkeypatch.setenv("PATH", f"{active / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = vendored.develop()
    assert done.status == 0, done.err
    assert str(active) not in (home / "project" / "pyvenv.cfg").read_text()


def test_services_that_disagree_can_be_taken_one_by_one(shop: Workshop, index: LocalIndex, home: Path) -> None:
    for version in ("1.0", "2.0"):
        sdists.publish(index, "fast", version)
    shop.service("one", "fast==1.0").service("two", "fast==2.0")
    assert shop.vendor().status == 0
    what, hint = shop.develop().error
    assert what == "one has fast 1.0, but two has fast 2.0"
    assert "--services" in hint
    assert shop.develop("--services", "two").status == 0
    assert ask(home / "project", "import fast; print(fast.VERSION)") == "2.0"
    assert shop.develop("--services", "three").error[1] == "there are: one, two"


def test_without_a_lock_it_is_said_what_to_do(shop: Workshop, home: Path) -> None:
    shop.service("app")
    assert shop.develop().error[1] == "run `make vendor`"


def share(shop: Workshop, index: LocalIndex, tmp_path: Path, first: str, second: str) -> None:
    """Make two distributions that both install a file, with different content."""
    for name, file in (("one", first), ("two", second)):
        wheel = make_wheel(tmp_path / "made", name, {f"{name}.py": "", file: f"#!python\n'{name}'\n"})
        index.add(wheel.name, wheel.read_bytes())
    shop.service("app", "one", "two").write({"app/vendor.txt": "one\ntwo\n"})
    assert shop.vendor().status == 0


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("scripts/run", "scripts/run", "one-1.0 and two-1.0 both install bin/run, with different content"),
        ("shared", "shared/inside.py", "one-1.0 has the file lib/"),
    ],
)
def test_what_cannot_be_installed_together_is_no_environment_and_no_package(
    shop: Workshop, home: Path, index: LocalIndex, tmp_path: Path, first: str, second: str, said: str
) -> None:
    share(shop, index, tmp_path, first, second)
    for done in (shop.develop(), shop.run("install", "--destdir", str(tmp_path / "root"))):
        what, hint = done.error
        assert what.startswith(said)
        assert "only one of them can be installed" in hint
    assert not (home / "project").exists() and not (tmp_path / "root").exists()


def test_a_module_of_two_distributions_is_that_of_the_second_as_in_a_package(
    shop: Workshop, home: Path, index: LocalIndex, tmp_path: Path
) -> None:
    share(shop, index, tmp_path, "shared.py", "shared.py")
    assert "both install lib/python" in shop.develop().err
    shared = home / "project" / "lib" / f"python{HERE}" / "site-packages" / "shared.py"
    assert "'two'" in shared.read_text()
    assert "up to date" in shop.develop().out
    (shared.parent / "one.py").unlink()
    shop.develop()
    assert "'two'" in shared.read_text()
    shop.write({"app/requirements.txt": "one\n", "app/vendor.txt": "one\n"})
    assert shop.vendor().status == 0
    assert "CHANGE  one 1.0, put in again" in shop.develop().out
    assert "'one'" in shared.read_text()


def test_a_script_of_the_project_and_of_a_distribution_is_refused(
    shop: Workshop, home: Path, index: LocalIndex, tmp_path: Path
) -> None:
    share(shop, index, tmp_path, "scripts/run", "scripts/two")
    shop.write({"app/bin/run": "#!/usr/bin/env python3\n"})
    assert shop.develop().error[0] == "bin/run: one-1.0 and a package of the project have this script"


def test_a_linked_package_has_the_metadata_of_its_wheel(vendored: Workshop, home: Path) -> None:
    vendored.package("lib", requires=["fast<9"], requires_python=">=3.9").vendor()
    assert vendored.develop().status == 0
    code = "import importlib.metadata as m; print(m.version('lib'), m.requires('lib'), m.metadata('lib')['Name'])"
    assert ask(home / "project", code) == "1.0 ['fast<9'] lib"
    vendored.package("lib", version="2.0")
    assert "LINK    lib" in vendored.develop().out
    assert ask(home / "project", code) == "2.0 None lib"
    site = home / "project" / "lib" / f"python{HERE}" / "site-packages"
    assert [path.name for path in site.glob("lib-*")] == ["lib-2.0.dist-info"]


def test_a_package_that_is_gone_is_linked_no_more(vendored: Workshop, home: Path) -> None:
    vendored.package("more", modules={"more": ""}).write({"more/more.py": ""}).vendor()
    vendored.develop()
    assert "more" in names(home / "project")
    shutil.rmtree(vendored.root / "more")
    vendored.vendor()
    assert vendored.develop("--dry-run").out == "  REMOVE  more\n"
    done = vendored.develop()
    assert done.status == 0
    assert "  REMOVE  more\n" in done.out
    assert "more" not in names(home / "project")
    assert "No module named 'more'" in ask(home / "project", "import more")


def test_extensions_are_in_the_environment_and_never_in_the_source(vendored: Workshop, home: Path) -> None:
    source = """#include <Python.h>
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "lib_fast", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_lib_fast(void) {
    PyObject *made = PyModule_Create(&definition);
    PyModule_AddIntConstant(made, "N", 7);
    return made;
}
"""
    vendored.package("lib", c_source=source, c_module="lib_fast").vendor()
    before = sorted(path.name for path in (vendored.root / "lib").iterdir())
    assert vendored.develop().status == 0
    assert ask(home / "project", "import lib_fast; print(lib_fast.N)") == "7"
    vendored.package("lib", c_source=source.replace("7", "8"), c_module="lib_fast")
    assert vendored.develop().status == 0
    assert ask(home / "project", "import lib_fast; print(lib_fast.N)") == "8"
    assert sorted(path.name for path in (vendored.root / "lib").iterdir() if path.name != "__pycache__") == before


def test_what_is_required_and_not_there_is_no_environment(vendored: Workshop, home: Path) -> None:
    vendored.develop()
    before = contents(home)
    vendored.package("lib", requires=["fast>=3", "nowhere ; python_version > '3'", "other ; extra == 'more'"])
    done = vendored.develop()
    ((first, hint),) = done.errors[-1:]
    assert first == "app -> lib requires `fast>=3`, but installed is fast 1.0 (and 1 more, above)"
    assert (
        hint
        == "add the line `fast>=3` to lib/requirements.txt and run `make vendor`, or remove it from what lib declares"
    )
    assert "lib requires `nowhere`, which is not installed" in done.err
    assert "other" not in done.err
    assert contents(home) == before


def test_a_module_that_cannot_be_imported_is_told_each_time(vendored: Workshop, home: Path) -> None:
    text = "import os\n\n\ndef start():\n    raise RuntimeError('no settings')\n\n\nstart()\n"
    vendored.package("lib", modules={"lib": text}).write({"lib/lib.py": text}).vendor()
    for _ in range(2):
        done = vendored.develop()
        assert done.status == 0
        assert done.err.splitlines()[-1] == (
            "warning: lib: the module lib cannot be imported: RuntimeError: no settings (lib/lib.py:5); "
            "it may want to be set up first"
        )
        assert "; 1 of its modules cannot be imported\n" in done.out
    vendored.package("lib", modules={"lib": "import gone"}).write({"lib/lib.py": "import gone"})
    assert "(lib/lib.py:1); add what has gone to lib/requirements.txt and run `make vendor`" in vendored.develop().err
    vendored.package("lib", modules={"lib": "import lib.gone"}).write({"lib/lib.py": "import lib.gone"})
    assert "(lib/lib.py:1); there is no such file" in vendored.develop().err
    vendored.package("lib").write({"lib/lib.py": ""})
    done = vendored.develop()
    assert "cannot be imported" not in done.out + done.err


def test_what_two_packages_claim_is_that_of_the_second_as_in_a_package(vendored: Workshop, home: Path) -> None:
    for name in ("one", "another"):
        text = f"OWNER = '{name}'\n"
        vendored.package(name, modules={"claimed": text, "made": f"{text}# By its build.\n"}).write(
            {f"{name}/claimed.py": text}
        )
    vendored.write({"app/requirements.txt": "lib\nwire\none\nanother\n"})
    assert vendored.vendor().status == 0
    prefix = home / "project"
    site = prefix / "lib" / f"python{HERE}" / "site-packages"
    # However they came to be there.
    for forced in ((), ("--force",)):
        done = vendored.develop(*forced)
        assert done.status == 0, done.err
        assert "one: an import of claimed finds another/claimed.py instead; rename one of them\n" in done.err
        assert f"one: an import of made finds {site}/made.py instead; rename one of them\n" in done.err
        assert "another: an import" not in done.err
        assert ask(prefix, "import claimed, made; print(claimed.OWNER, made.OWNER)") == "another another"
    before = contents(home)
    vendored.develop()
    assert contents(home) == before
    vendored.package("one", modules={"claimed": "OWNER = 'one'\n", "made": "OWNER = None\n"})
    vendored.develop()
    assert ask(prefix, "import claimed, made; print(claimed.OWNER, made.OWNER)") == "another another"


def test_a_module_that_something_else_hides_is_told(vendored: Workshop, home: Path) -> None:
    vendored.package("lib", modules={"lib": "", "fast": ""}).write(
        {"lib/fast.py": "", "app/app.py": "", "app/lib.py": ""}
    )
    assert vendored.vendor().status == 0
    done = vendored.develop()
    site = home / "project" / "lib" / f"python{HERE}" / "site-packages"
    assert "lib: an import of lib finds app/lib.py instead; rename one of them\n" in done.err
    assert f"lib: an import of fast finds {site}/fast.py instead; rename one of them\n" in done.err
    code = "import fast, lib; print(fast.__file__, lib.__file__)"
    assert ask(home / "project", code) == f"{site}/fast.py {vendored.root}/app/lib.py"
    (vendored.root / "app" / "lib.py").unlink()
    done = vendored.develop()
    assert "an import of lib " not in done.err
    assert ask(home / "project", "import lib; print(lib.__file__)") == str(vendored.root / "lib" / "lib.py")


def test_imports_see_nothing_else_of_the_project(vendored: Workshop, home: Path) -> None:
    text = (
        "import os\nassert os.listdir(os.path.dirname(__file__)) == ['lib.py'], os.listdir(os.path.dirname(__file__))\n"
    )
    vendored.package("lib", modules={"lib": text}).write({"lib/lib.py": text, "lib/secret": "x"}).vendor()
    done = vendored.develop()
    assert "cannot be imported" not in done.err


def test_a_second_clone_has_an_environment_of_its_own(vendored: Workshop, home: Path, tmp_path: Path) -> None:
    vendored.develop()
    shutil.copytree(vendored.root, tmp_path / "clone" / "project")
    second = Workshop(tmp_path / "clone" / "project", vendored.index)
    done = second.develop()
    assert f"project is the environment of {vendored.root}, so that of {second.root} is project-clone\n" in done.out
    assert f"enter it with `workon project-clone`, or `. {home}/project-clone/bin/activate`" in done.out
    assert ask(home / "project-clone", "import lib; print(lib.__file__)") == str(second.root / "lib" / "lib.py")
    assert ask(home / "project", "import lib; print(lib.__file__)") == str(vendored.root / "lib" / "lib.py")
    assert "up to date" in vendored.develop().out
