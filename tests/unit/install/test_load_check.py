from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from toolkit.build.building_options import BuildOptions
from toolkit.core.errors import UserError
from toolkit.install import load_check, load_overrides, loadable, loading
from toolkit.install.load_check import Checked
from toolkit.install.loadable import Installed
from toolkit.install.loading import Failure
from toolkit.model.core_metadata import CoreMetadata
from toolkit.model.interpreter import Interpreter
from toolkit.model.lock import DirectRequirement, LocalPackage, Lock

SITE = "lib/python3.11/site-packages"
PYTHON = Interpreter(
    path=Path("/usr/bin/python3.11"),
    version="3.11",
    full_version="3.11.2",
    soabi="cpython-311-x86_64-linux-gnu",
    include=Path("/usr/include"),
    marker_environment={"python_version": "3.11", "sys_platform": "linux"},
)


def distribution(
    name: str, *modules: str, requires: tuple[str, ...] = (), libraries: tuple[str, ...] = ()
) -> Installed:
    names = (f"{SITE}/{module.replace('.', '/')}.py" for module in modules)
    return Installed(
        metadata=CoreMetadata(name=name, version="1.0", requires=requires),
        modules=modules,
        libraries=libraries,
        names=frozenset({*names, *libraries}),
    )


def failure(name: str, error: str, text: str = "", *, about: str = "", file: str = "") -> Failure:
    bases = {"ModuleNotFoundError": ("ModuleNotFoundError", "ImportError")}.get(error, (error,))
    text = text or f"No module named {about!r}"
    return Failure(
        is_module=True,
        name=name,
        error=error,
        bases=bases,
        text=text,
        file=file or f"{SITE}/{name.replace('.', '/')}.py",
        about=about,
        traceback=("Traceback",),
    )


def missing(name: str, about: str, file: str = "") -> Failure:
    return failure(name, "ModuleNotFoundError", about=about, file=file)


@pytest.fixture
def checked(workspace: Workspace) -> Checked:
    workspace.service("app", "app").write({"debian/": ""})
    line = DirectRequirement(source="app", name="flask", kind="runtime", text="flask", origin="app/requirements.txt:1")
    local = (LocalPackage(name="app", path="app"),)
    return Checked(
        project=workspace.discover(),
        lock=Lock(service="app", pythons=("3.11",), platforms=("linux",), packages=(), local=local, direct=(line,)),
        interpreter=PYTHON,
        root=workspace.root,
        package="yc-app",
        debian=workspace.root / "debian",
        depends="${python3:Depends}",
    )


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch, checked: Checked) -> Judge:
    return Judge(monkeypatch, checked)


class Judge:
    """Judges failures as if a run of everything had found them."""

    def __init__(self, patch: pytest.MonkeyPatch, checked: Checked) -> None:
        self._patch, self.checked = patch, checked
        self.absent: list[str] = []

    def __call__(self, *failures: Failure, among: list[Installed]) -> UserError | None:
        def load(*arguments: object) -> list[Failure]:
            self.absent = list(arguments[-1])  # type: ignore[call-overload]
            return list(failures)

        self._patch.setattr(loadable, "read", lambda *_: [distribution("app", "app"), *among])
        self._patch.setattr(loading, "load", load)
        try:
            if self.checked.installed:
                load_check.judge(self.checked, loadable.read(self.checked.root, PYTHON), failures)
                return None
            load_check.check(self.checked, BuildOptions(jobs=1, store=Path("/store")), Path("/log"))
        except UserError as error:
            return error
        return None


def test_what_nothing_provides_is_an_error_with_the_chain(judge: Judge) -> None:
    flask = distribution("flask", "flask", requires=("deep",))
    found = judge(missing("deep", "nowhere"), among=[flask, distribution("deep", "deep")])
    assert found
    assert found.what == (
        "yc-app: the module deep (app -> flask -> deep) cannot be imported: "
        "ModuleNotFoundError: No module named 'nowhere'"
    )
    assert found.hint == (
        "add what has nowhere to app/requirements.txt and run `make vendor`; "
        "if nothing uses it, name deep in debian/yc-app.load-overrides, with a reason"
    )
    assert found.details == "Traceback"


@pytest.mark.parametrize(
    ("about", "hint"),
    [
        (
            "pkg_resources",
            (
                "add the line `setuptools<82` to app/requirements.txt and run `make vendor`: "
                "later ones have no pkg_resources"
            ),
        ),
        ("tkinter", "add python3-tk to Build-Depends and, of yc-app, to Depends in debian/control"),
        ("distutils.util", "add python3-distutils to Build-Depends and, of yc-app, to Depends in debian/control"),
        (
            "redis",
            (
                "add the line `deep[queue]` to app/requirements.txt and run `make vendor`; "
                "if nothing uses it, name deep in debian/yc-app.load-overrides, with a reason"
            ),
        ),
    ],
)
def test_hints_say_what_to_add(judge: Judge, about: str, hint: str) -> None:
    deep = distribution("deep", "deep", requires=("redis; extra == 'queue'",))
    line = replace((judge.checked.lock.direct or ())[0], name="deep", text="deep")
    judge.checked = replace(judge.checked, lock=replace(judge.checked.lock, direct=(line,)))
    found = judge(missing("deep", about), among=[deep])
    assert found
    assert found.hint == hint


@pytest.mark.parametrize(
    ("about", "hint"),
    [
        ("distutils.util", "add the line `setuptools`, which has it, to app/requirements.txt and run `make vendor`"),
        ("telnetlib", "Python 3.13 has no telnetlib: take another version of deep"),
    ],
)
def test_hints_of_what_an_older_python_had(judge: Judge, about: str, hint: str) -> None:
    judge.checked = replace(judge.checked, interpreter=replace(PYTHON, version="3.13"))
    found = judge(missing("deep", about, "lib/deep.py"), among=[distribution("deep", "deep")])
    assert found
    assert found.hint == hint


def test_one_cause_is_told_once_by_whose_it_is(judge: Judge) -> None:
    path = f"{SITE}/zzz.py"
    among = [distribution("aaa", "aaa"), distribution("zzz", "zzz")]
    found = judge(missing("aaa", "nowhere", path), missing("zzz", "nowhere", path), among=among)
    assert found
    assert found.what.startswith("yc-app: the module zzz (zzz) cannot be imported")
    assert "more" not in found.what


@pytest.mark.parametrize(
    ("failed", "among"),
    [
        (missing("deep", "winreg"), distribution("deep", "deep")),
        (missing("deep", "redis"), distribution("deep", "deep", requires=("redis>=2; extra == 'queue'",))),
        (missing("deep_plugin", "nowhere"), distribution("deep", "deep", "deep_plugin")),
        (failure("deep_old", "SyntaxError", "invalid"), distribution("deep", "deep", "deep_old")),
        (missing("many.one", "nowhere"), distribution("parts", "many.one", "many.two")),
        (
            failure("many.lib", "ImportError", "dynamic module does not define module export function (PyInit_lib)"),
            distribution("many", "many.lib"),
        ),
    ],
)
def test_what_is_for_something_that_is_not_there_is_no_error(
    judge: Judge, capsys: pytest.CaptureFixture[str], failed: Failure, among: Installed
) -> None:
    assert judge(failed, among=[among]) is None
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("failed", "among"),
    [
        (missing("deep", "nowhere"), distribution("deep", "deep", "deep_plugin")),
        (missing("pkg", "flask.gone"), distribution("pkg", "pkg", "pkg_more")),
        (failure("deep_plugin", "Crash", "SIGSEGV"), distribution("deep", "deep", "deep_plugin")),
        (failure("deep", "AttributeError", "module 'x' has no attribute 'y'"), distribution("deep", "deep")),
        (missing("many.one", "pkg_resources"), distribution("parts", "many.one", "many.two")),
    ],
)
def test_what_does_not_fit_is_an_error(judge: Judge, failed: Failure, among: Installed) -> None:
    assert judge(failed, among=[among, distribution("flask", "flask")])


def test_a_plugin_of_a_program_that_is_not_there_is_no_error(judge: Judge) -> None:
    points = f"{SITE}/deep-1.0.dist-info/entry_points.txt"
    (judge.checked.root / points).parent.mkdir(parents=True)
    deep = distribution("deep", "deep")
    deep = replace(deep, names=deep.names | {points})
    (judge.checked.root / points).write_text("[console_scripts]\ndeep = deep:main\n")
    assert judge(missing("deep", "matplotlib"), among=[deep])
    (judge.checked.root / points).write_text("[matplotlib.backend]\ninline = deep.backend\n")
    assert judge(missing("deep", "matplotlib"), among=[deep]) is None


def test_a_module_that_says_of_itself_that_it_is_not_there_is_a_warning(
    judge: Judge, capsys: pytest.CaptureFixture[str]
) -> None:
    said = failure("_yaml", "ModuleNotFoundError", "No module named '_yaml'")
    assert judge(said, among=[distribution("pyyaml", "yaml", "_yaml")]) is None
    assert "the module _yaml" in (told := capsys.readouterr().err)
    assert "it says so of itself" in told
    # What another one says of it is an error.
    assert judge(
        replace(said, file=f"{SITE}/deep.py"), among=[distribution("deep", "deep"), distribution("x", "_yaml")]
    )


def test_code_that_wants_to_be_set_up_is_a_warning(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge(failure("deep", "KeyError", "'DATABASE_URL'"), among=[distribution("deep", "deep")]) is None
    warned = capsys.readouterr().err
    assert warned == (
        "warning: yc-app: the module deep (deep) cannot be imported: KeyError: 'DATABASE_URL': "
        "it may want to be set up first\n"
    )


@pytest.mark.parametrize(("about", "is_error"), [(f"{SITE}/deep/data.json", True), ("/etc/deep.conf", False)])
def test_a_file_that_is_missing_in_the_package_is_an_error(judge: Judge, about: str, is_error: bool) -> None:
    found = judge(failure("deep", "FileNotFoundError", "no", about=about), among=[distribution("deep", "deep")])
    assert bool(found) is is_error


def test_a_library_that_looks_for_another_one_may_be_for_another_machine(judge: Judge) -> None:
    path = f"{SITE}/deep/libx.so"
    deep = distribution("deep", "deep", libraries=(path,))
    text = "libcuda.so.1: cannot open shared object file: No such file or directory"
    broken = replace(failure("", "OSError", text), name=path, is_module=False)
    assert judge(broken, among=[deep]) is None
    found = judge(replace(broken, text="ELF load command address/offset not page-aligned"), among=[deep])
    assert found
    assert "the library deep/libx.so (deep) cannot be loaded: OSError: ELF load command" in found.what


def test_modules_that_debian_has_in_other_packages_count_where_the_package_depends_on_them(judge: Judge) -> None:
    judge(among=[])
    assert "tkinter" in judge.absent
    judge.checked = replace(judge.checked, depends="${python3:Depends}, python3-tk (>= 3)")
    judge(among=[])
    assert "tkinter" not in judge.absent
    assert "ensurepip" in judge.absent


def test_overrides_need_a_reason_and_are_of_use(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    path = judge.checked.debian / "yc-app.load-overrides"
    path.write_text("# for tests\ndeep*\nother\n")
    assert judge(missing("deep", "nowhere"), among=[distribution("deep", "deep")]) is None
    assert capsys.readouterr().err == "warning: debian/yc-app.load-overrides:3: other loads, or is not there\n"
    path.write_text("deep # for tests\n\nother\n")
    with pytest.raises(UserError, match=r"debian/x:3: `other` has no reason\n"):
        load_overrides.read(path, "debian/x")


def test_a_library_of_the_system_that_only_servers_have_is_a_warning(
    judge: Judge, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_check, "_DPKG", tmp_path)
    (tmp_path / "libone.list").touch()
    (tmp_path / "libtwo:amd64.list").touch()
    deep, failed = distribution("deep", "deep"), failure("deep", "ImportError", "failed to find libmagic")
    judge.checked = replace(judge.checked, depends="${python3:Depends}, libone, libtwo (>= 2) | other, one | libone")
    found = judge(failed, among=[deep])
    assert found
    assert "if it looks for something of the system, add its package to Build-Depends and Depends" in found.hint
    judge.checked = replace(
        judge.checked, depends="libone, libmagic1 (>= 1) [linux-any] | libmagic1t64, ${misc:Depends}"
    )
    assert judge(failed, among=[deep]) is None
    assert capsys.readouterr().err == (
        "warning: yc-app: the module deep (deep) cannot be imported: ImportError: failed to find libmagic: "
        "this machine lacks libmagic1, which the package depends on\n"
    )
    # What the interpreter says by itself is no matter of the system.
    assert judge(failure("deep", "ImportError", "cannot import name 'x'", about="deep"), among=[deep])


@pytest.mark.parametrize(
    ("error", "text", "is_error"),
    [
        ("AttributeError", "/usr/bin/python3.11: undefined symbol: magic_open", True),
        ("OSError", "cannot load library 'libmagic.so'", True),
        ("RuntimeError", "there is no libmagic", True),
        ("OSError", "[Errno 6] No such device or address: '/dev/tty'", False),
        ("KeyError", "'MAGIC'", False),
    ],
)
def test_a_library_that_is_missed_where_all_depends_are_is_named_with_its_package(
    judge: Judge, error: str, text: str, is_error: bool
) -> None:
    deep = distribution("deep", "deep")
    failed = replace(failure("deep", error, text), libraries=("libmagic.so",))
    # This machine lacks some of it, so that nothing is certain; a clean system has it.
    judge.checked = replace(judge.checked, depends="libnowhere1")
    assert judge(failed, among=[deep]) is None
    judge.checked = replace(judge.checked, installed=True, packages={"libmagic.so": "libmagic1"})
    found = judge(failed, among=[deep])
    assert bool(found) is is_error
    if found:
        assert found.hint == (
            "it looks for libmagic.so: add libmagic1 to Depends of yc-app in debian/control; if nothing uses it, name "
            "deep in debian/yc-app.load-overrides, with a reason"
        )


def test_a_library_that_needs_another_one_of_the_suite_is_an_error_where_it_is_installed(judge: Judge) -> None:
    path = f"{SITE}/deep/libx.so"
    deep = distribution("deep", "deep", libraries=(path,))
    text = "libpq.so.5: cannot open shared object file: No such file or directory"
    broken = replace(failure("", "OSError", text), name=path, is_module=False, libraries=("libpq.so.5",))
    judge.checked = replace(judge.checked, installed=True)
    assert judge(broken, among=[deep]) is None
    judge.checked = replace(judge.checked, packages={"libpq.so.5": "libpq5"})
    found = judge(broken, among=[deep])
    assert found
    assert found.hint.startswith("it looks for libpq.so.5: add libpq5 to Depends of yc-app")


def test_an_override_of_what_loads_where_it_is_installed_is_right(
    judge: Judge, capsys: pytest.CaptureFixture[str]
) -> None:
    (judge.checked.debian / "yc-app.load-overrides").write_text("deep # only servers have its library\n")
    judge.checked = replace(judge.checked, installed=True)
    assert judge(among=[distribution("deep", "deep")]) is None
    assert capsys.readouterr().err == ""
