from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.unit.install.test_load_check import PYTHON, SITE
from toolkit.core.errors import UserError
from toolkit.install import misplaced
from toolkit.install.service_environment import Installed, ServiceEnvironment
from toolkit.project.discovery import Package


def report(root: Path, owners: dict[str, str], *, shipped: tuple[str, ...] = ()) -> None:
    """Look at an environment with these files, `shipped` of which wheels came as such."""
    for name in owners:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    plan = ServiceEnvironment(
        service=Package(path=root, name="app", is_service=True),
        wheels=[*(Path("/vendor", name) for name in shipped), Path("/store/own.whl")],
        interpreter=PYTHON,
        prefix=Path("/usr/lib/yc/app"),
    )
    installed = Installed(plan=plan, root=root, scripts=(), is_pure=False, left_out=(), owners=owners)
    misplaced.report(installed, Path("/project/build"), Path("/vendor"))


def library(path: Path, search_path: str) -> None:
    path.parent.mkdir(parents=True)
    source = path.with_suffix(".c")
    source.write_text("int answer(void) { return 42; }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", f"-Wl,-rpath,{search_path}", "-o", path, source], check=True)


def test_files_of_absolute_paths_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = "app-1.0-py3-none-any.whl"
    names = (f"{SITE}/etc/app/x.conf", f"{SITE}/var/lib/app/y", f"{SITE}/app/etc/z", "etc/good", f"{SITE}/opt.py")
    report(tmp_path, dict.fromkeys(names, wheel))
    assert capsys.readouterr().err == (
        "warning: app-1.0: its data_files /etc/app/x.conf, /var/lib/app/y are in site-packages, and not below /: "
        "where the system is to have them, list them in debian/<package>.install\n"
    )


def test_a_package_of_such_a_name_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = (f"{SITE}/opt/__init__.py", f"{SITE}/opt/data.txt")
    report(tmp_path, dict.fromkeys(names, "opt-1.0-py3-none-any.whl"))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("search_path", ["/build/source/lib", "/project/build/wheels-x/lib"])
def test_a_library_that_looks_into_its_build_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], search_path: str
) -> None:
    library(tmp_path / SITE / "x.so", f"$ORIGIN:{search_path}")
    report(tmp_path, {f"{SITE}/x.so": "one-1.0-cp311-cp311-linux_x86_64.whl"})
    assert capsys.readouterr().err == (
        f"warning: {SITE}/x.so of one looks for libraries in `{search_path}` (its RUNPATH), where it was built: "
        "nothing is there any more\n"
    )


def test_a_library_that_looks_where_everybody_may_write_is_refused(tmp_path: Path) -> None:
    library(tmp_path / SITE / "x.so", "/tmp/lib")
    wheel = "one-1.0-cp311-cp311-linux_x86_64.whl"
    with pytest.raises(UserError, match=r"looks for libraries in `/tmp/lib` \(its RUNPATH\), where everybody"):
        report(tmp_path, {f"{SITE}/x.so": wheel})
    # What came as a wheel is as its authors want it.
    report(tmp_path, {f"{SITE}/x.so": wheel}, shipped=(wheel,))


@pytest.mark.parametrize("search_path", ["$ORIGIN/../x.libs", "/usr/lib/x", "/builder/lib"])
def test_other_search_paths_are_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str], search_path: str) -> None:
    library(tmp_path / SITE / "x.so", search_path)
    report(tmp_path, {f"{SITE}/x.so": "one-1.0-cp311-cp311-linux_x86_64.whl"})
    assert capsys.readouterr().err == ""
