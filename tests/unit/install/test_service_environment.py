from __future__ import annotations

import base64
import csv
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.wheel_files import make_wheel
from toolkit.build import interpreters
from toolkit.core.errors import UserError
from toolkit.install import service_environment
from toolkit.install.service_environment import Installed, ServiceEnvironment
from toolkit.model.interpreter import Interpreter
from toolkit.project.discovery import Package

PREFIX = Path("/usr/lib/yc/my-service")
MODULE = "def answer():\n    return 42\n"


@pytest.fixture
def python() -> Interpreter:
    found = interpreters.probe(Path(sys.executable))
    assert found
    return found


@pytest.fixture
def machine(tmp_path: Path, python: Interpreter) -> Machine:
    return Machine(tmp_path, python)


@pytest.fixture
def private_umask() -> Iterator[None]:
    old = os.umask(0o077)
    yield
    os.umask(old)


class Machine:
    """A store, a root to install into, and wheels."""

    def __init__(self, directory: Path, python: Interpreter) -> None:
        self.directory, self.python = directory, python
        self.root, self.store = directory / "root", directory / "store"
        self.service = directory / "project" / "my_service"
        (self.service / "bin").mkdir(parents=True)

    def wheel(self, name: str = "lib", **options: Any) -> Path:
        return make_wheel(self.directory / "wheels", name, {f"{name.replace('-', '_')}.py": MODULE}, **options)

    def script(self, name: str, text: str) -> None:
        (self.service / "bin" / name).write_text(text)

    def install(self, *wheels: Path, root: Path | None = None, store: Path | None = None, jobs: int = 2) -> Installed:
        package = Package(path=self.service, name="my-service", is_service=True)
        plan = ServiceEnvironment(service=package, wheels=wheels, interpreter=self.python, prefix=PREFIX)
        return service_environment.install(plan, root or self.root, store or self.store, jobs)

    def read(self, path: str) -> str:
        return (self.root / PREFIX.relative_to("/") / path).read_text()

    def site_packages(self, root: Path | None = None) -> Path:
        return (root or self.root) / PREFIX.relative_to("/") / f"lib/python{self.python.version}/site-packages"


def content(root: Path) -> dict[str, bytes]:
    """Return every file below a directory, with where links point to."""
    files = [Path(parent, name) for parent, _, names in os.walk(root) for name in names]
    return {
        path.relative_to(root).as_posix(): os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        for path in files
    }


def test_the_environment_is_one_where_it_is_now_and_where_it_will_be(machine: Machine) -> None:
    installed = machine.install(machine.wheel())
    python = installed.root / "bin" / "python3"
    assert os.readlink(python) == str(machine.python.path)
    code = "import lib, sys; print(lib.answer(), sys.prefix)"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["42", str(installed.root)]
    assert machine.read("pyvenv.cfg").splitlines()[:2] == [
        f"home = {machine.python.path.parent}",
        "include-system-site-packages = false",
    ]


def test_scripts_start_the_interpreter_at_its_final_path(machine: Machine) -> None:
    machine.install(machine.wheel(entry_points="[console_scripts]\nanswer = lib:answer\n"))
    assert machine.read("bin/answer").splitlines()[0] == f"#!{PREFIX}/bin/python"


@pytest.mark.parametrize("start", [["-I", "-c"], ["-c"]])
def test_programs_of_the_environment_are_found_first(machine: Machine, start: list[str]) -> None:
    machine.script("ls", "#!/bin/sh\n")
    root = machine.install(machine.wheel(entry_points="[console_scripts]\nanswer = lib:answer\n")).root
    code = "import os, shutil; print(shutil.which('answer'), shutil.which('ls'), os.environ['PATH'])"
    for path, expected in ("/usr/bin:/bin", f"{root}/bin:/usr/bin:/bin"), (f"/bin:{root}/bin", f"{root}/bin:/bin"):
        words = [str(root / "bin" / "python"), *start, code]
        done = subprocess.run(words, capture_output=True, text=True, check=True, env={"PATH": path})
        assert done.stdout.split() == [f"{root}/bin/answer", f"{root}/bin/ls", expected]
    done = subprocess.run([root / "bin" / "python", *start, code], capture_output=True, text=True, check=True, env={})
    assert done.stdout.split()[0] == f"{root}/bin/answer"


def test_nothing_tells_where_it_was_made(machine: Machine) -> None:
    machine.script("yc-own", "#!/usr/bin/env python3\n")
    machine.install(machine.wheel(entry_points="[console_scripts]\nanswer = lib:answer\n"))
    assert [path for path, data in content(machine.root).items() if str(machine.directory).encode() in data] == []


def test_what_a_killed_run_has_left_beside_it_goes(machine: Machine) -> None:
    target = machine.root / PREFIX.relative_to("/")
    (target.parent / f".{target.name}-x1y2z3.tmp" / "bin").mkdir(parents=True)
    machine.install(machine.wheel())
    assert os.listdir(target.parent) == [target.name]


def test_what_is_installed_agrees_with_its_record(machine: Machine) -> None:
    machine.install(machine.wheel(entry_points="[console_scripts]\nanswer = lib:answer\n"))
    site_packages = machine.site_packages()
    with (site_packages / "lib-1.0.dist-info/RECORD").open(newline="") as stream:
        rows = {name: digest for name, digest, _ in csv.reader(stream)}
    assert "../../../bin/answer" in rows
    for name, recorded in rows.items():
        if recorded:
            digest = hashlib.sha256((site_packages / name).read_bytes()).digest()
            assert recorded == f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
    assert not (site_packages / "lib-1.0.dist-info/direct_url.json").exists()


def test_byte_code_is_used_without_a_look_at_the_source(machine: Machine) -> None:
    machine.install(machine.wheel())
    cached = Path(importlib.util.cache_from_source(str(machine.site_packages() / "lib.py")))
    flags = int.from_bytes(cached.read_bytes()[4:8], "little")
    assert flags == 0b01  # hash-based and unchecked: PEP 552
    assert str(PREFIX).encode() in cached.read_bytes()


def test_the_same_wheels_make_the_same_bytes_wherever_and_with_however_many_jobs(
    machine: Machine, tmp_path: Path
) -> None:
    # A one-letter name that was met before, and sets, are what makes byte code differ from run to run.
    source = "ä = 1\nletters = ('ä', 'ö')\ndef f(x):\n    return x in {'http', 'https', 'ws', 'wss', 'ftp'}\n"
    wheels = [
        make_wheel(tmp_path / "wheels", name, {f"{name}/a{i}.py": f"{source}B{i} = 'ü'\n" for i in range(20)})
        for name in ("first", "second", "third")
    ]
    first = machine.install(*wheels, root=tmp_path / "one", store=tmp_path / "store-1", jobs=1)
    other = tmp_path / "a-longer-name" / "two"
    second = machine.install(*reversed(wheels), root=other, store=tmp_path / "deep" / "store-2", jobs=3)
    assert content(first.root) == content(second.root)


def test_what_is_no_python_of_this_version_is_left_uncompiled(machine: Machine, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "wheels", "old", {"old/template.py": "print {{ name }}\n", "old/good.py": MODULE})
    machine.install(wheel)
    names = [path.name for path in (machine.site_packages() / "old/__pycache__").iterdir()]
    assert [name.partition(".")[0] for name in names] == ["good"]


@pytest.mark.usefixtures("private_umask")
def test_modes_do_not_depend_on_the_umask_of_whoever_filled_the_store(machine: Machine) -> None:
    wheel = machine.wheel(entry_points="[console_scripts]\nanswer = lib:answer\n")
    machine.install(wheel, root=machine.directory / "other")
    os.umask(0o022)
    installed = machine.install(wheel)
    modes = {path.stat().st_mode & 0o777 for path in installed.root.rglob("*") if not path.is_symlink()}
    assert modes == {0o755, 0o644}
    assert (installed.root / "bin/answer").stat().st_mode & 0o777 == 0o755


def test_own_scripts_are_those_of_bin_and_those_the_service_installs(machine: Machine) -> None:
    machine.script("yc-plain", "#!/usr/bin/env python3\nimport lib\n")
    machine.script("tool.sh", "#!/bin/sh\n")
    machine.script(".hidden", "#!/bin/sh\n")
    entry_points = "[console_scripts]\nyc-installed = my_service:answer\n"
    dependency = machine.wheel(entry_points="[console_scripts]\nyc-foreign = lib:answer\n")
    installed = machine.install(dependency, machine.wheel("my-service", entry_points=entry_points))
    assert installed.scripts == ("tool.sh", "yc-installed", "yc-plain")
    assert machine.read("bin/yc-plain") == f"#!{PREFIX}/bin/python\nimport lib\n"
    assert machine.read("bin/tool.sh") == "#!/bin/sh\n"
    assert os.access(installed.root / "bin/yc-plain", os.X_OK)


def test_a_script_that_setup_py_installs_too_is_taken_from_the_wheel(machine: Machine, tmp_path: Path) -> None:
    machine.script("yc-tool", "#!/usr/bin/env python3\nprint('from bin')\n")
    wheel = make_wheel(tmp_path / "wheels", "my-service", {"scripts/yc-tool": "#!python\nprint('from the wheel')\n"})
    installed = machine.install(wheel)
    assert machine.read("bin/yc-tool") == f"#!{PREFIX}/bin/python\nprint('from the wheel')\n"
    assert installed.scripts == ("yc-tool",)


def test_refuses_a_script_that_a_dependency_has_too(machine: Machine) -> None:
    machine.script("answer", "#!/usr/bin/env python3\n")
    with pytest.raises(UserError, match=r"bin/answer: lib-1.0 has a script of this name too"):
        machine.install(machine.wheel(entry_points="[console_scripts]\nanswer = lib:answer\n"))
    assert not list(machine.root.rglob("lib.py"))


def test_names_both_distributions_that_install_one_file(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheels = [
        make_wheel(tmp_path / "wheels", name, {"tests/__init__.py": f"# {name}\n", "same.py": ""})
        for name in ("first", "second")
    ]
    machine.install(*wheels)
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 1
    assert "first-1.0 and second-1.0 both install" in warnings[0]
    assert "tests/__init__.py" in warnings[0]
    assert (machine.site_packages() / "tests/__init__.py").read_text() == "# second\n"


def test_refuses_two_distributions_with_one_script(machine: Machine) -> None:
    wheels = [machine.wheel(name, entry_points=f"[console_scripts]\nrun = {name}:answer\n") for name in ("one", "two")]
    with pytest.raises(UserError, match=r"one-1\.0 and two-1\.0 both install bin/run"):
        machine.install(*wheels)


def test_an_environment_that_is_there_is_replaced_whole(machine: Machine) -> None:
    machine.install(machine.wheel("old"))
    machine.install(machine.wheel("new"))
    assert [path.name for path in machine.site_packages().glob("*.py")] == ["new.py"]
    assert [path.name for path in (machine.root / "usr/lib/yc").iterdir()] == ["my-service"]


def test_an_installation_that_fails_leaves_the_old_environment(machine: Machine) -> None:
    machine.install(machine.wheel("old"))
    broken = machine.directory / "wheels" / "broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"this is no zip file")
    with pytest.raises(UserError, match=r"broken-1\.0-py3-none-any\.whl"):
        machine.install(broken)
    assert [path.name for path in machine.site_packages().glob("*.py")] == ["old.py"]
    assert [path.name for path in (machine.root / "usr/lib/yc").iterdir()] == ["my-service"]


def test_a_damaged_image_is_noticed_and_made_again(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = machine.wheel()
    before = content(machine.install(wheel).root)
    module = next(machine.store.rglob("lib.py"))
    status = module.stat()
    module.chmod(0o644)
    module.write_text(MODULE.replace("42", "43"))
    os.utime(module, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert content(machine.install(wheel).root) == before
    assert "damaged" in capsys.readouterr().err


def test_an_image_is_made_once(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = machine.wheel()
    machine.install(wheel)
    monkeypatch.setattr("toolkit.wheel.image.compile_modules", lambda *_: pytest.fail("compiled again"))
    machine.install(wheel, root=machine.directory / "second")
    assert (machine.site_packages(machine.directory / "second") / "lib.py").read_text() == MODULE


@pytest.mark.parametrize(
    ("tag", "files", "is_pure"),
    [
        ("py3-none-any", {"a.py": ""}, True),
        ("py3-none-linux_x86_64", {"a.py": ""}, False),
        ("py3-none-any", {"a.so": "\x7fELF"}, False),
    ],
)
def test_knows_whether_the_environment_fits_every_machine(
    machine: Machine, tmp_path: Path, tag: str, files: dict[str, str], is_pure: bool
) -> None:
    assert machine.install(make_wheel(tmp_path / "wheels", "some", files, tag=tag)).is_pure is is_pure
