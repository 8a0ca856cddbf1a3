"""Wheels are unpacked once, linked into any environment, and a shared file that was changed is noticed."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wheel_files import make_wheel
from toolkit.build import interpreters
from toolkit.core.errors import UserError
from toolkit.develop.sync import installed
from toolkit.wheel import unpacked
from toolkit.wheel.unpacked import Shelf

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE = f"lib/python{HERE}/site-packages"


@pytest.fixture(params=["plain", "with data"])
def wheel(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a wheel that is unpacked here, or by `installer`."""
    files = {"parcel/__init__.py": "def main(): print('hello')\n", "parcel/data.txt": "data\n"}
    if request.param == "with data":
        files["scripts/parcel-data"] = "#!python\nprint('data')\n"
    return make_wheel(
        tmp_path / "wheels",
        "parcel",
        files,
        entry_points="[console_scripts]\nparcel-run = parcel:main\nParcel.More = parcel : main [x]\n",
    )


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    found = interpreters.find((HERE,), sys.executable)
    return Shelf(store=tmp_path / "store", interpreter=found, jobs=2)


def make_environment(prefix: Path) -> Path:
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "python").symlink_to(sys.executable)
    (prefix / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\n")
    return prefix


@pytest.mark.parametrize("name", ["plain", "with a space", "с буквами", "long" * 40])
def test_scripts_run_whatever_the_environments_path(shelf: Shelf, wheel: Path, tmp_path: Path, name: str) -> None:
    prefix = make_environment(tmp_path / name)
    unpacked.link(shelf.take({"one": wheel})["one"], prefix)
    environment = {**os.environ, "PYTHONPATH": str(prefix / SITE)}
    scripts = {"parcel-run": "hello\n", "Parcel.More": "hello\n", "parcel-data": "data\n"}
    for script, said in scripts.items():
        if script == "parcel-data" and not (prefix / "bin" / script).exists():
            continue
        done = subprocess.run([prefix / "bin" / script], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout == said


def test_the_record_is_true_of_every_file(shelf: Shelf, wheel: Path, tmp_path: Path) -> None:
    prefix = make_environment(tmp_path / "environment")
    unpacked.link(shelf.take({"one": wheel})["one"], prefix)
    [found] = installed(prefix / SITE)["parcel"]
    assert found.is_whole()
    assert {Path(path).name for path, _ in found.files()} >= {"parcel-run", "Parcel.More", "__init__.py", "INSTALLER"}
    with (found.directory / "RECORD").open() as stream:
        assert all(row[1].startswith("sha256=") for row in csv.reader(stream) if not row[0].endswith("RECORD"))


def test_two_environments_share_the_files(shelf: Shelf, wheel: Path, tmp_path: Path) -> None:
    first, second = (make_environment(tmp_path / name) for name in ("first", "second"))
    for prefix in (first, second):
        unpacked.link(shelf.take({"one": wheel})["one"], prefix)
    name = f"{SITE}/parcel/__init__.py"
    assert (first / name).samefile(second / name)
    assert not (first / name).stat().st_mode & 0o222


def test_what_was_unpacked_is_found_again_until_somebody_writes_to_it(shelf: Shelf, wheel: Path) -> None:
    assert shelf.find("one") is None
    taken = shelf.take({"one": wheel})["one"]
    assert shelf.find("one") == taken
    module = taken.root / SITE / "parcel" / "__init__.py"
    module.chmod(0o644)
    module.write_text("print('changed')\n")
    assert shelf.find("one") is None
    again = shelf.take({"one": wheel})["one"]
    assert "hello" in (again.root / SITE / "parcel" / "__init__.py").read_text()


def test_on_another_file_system_files_are_copied(
    shelf: Shelf, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = shelf.take({"one": wheel})["one"]

    def refuse(source: object, target: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    prefix = make_environment(tmp_path / "environment")
    unpacked.link(taken, prefix)
    copied = prefix / SITE / "parcel" / "__init__.py"
    assert not copied.samefile(taken.root / SITE / "parcel" / "__init__.py")
    assert copied.stat().st_mode & 0o200


def test_a_member_that_leads_out_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    evil = make_wheel(tmp_path / "wheels", "evil", {"../../evil.py": ""})
    with pytest.raises(UserError, match="leads out of the environment"):
        shelf.take({"evil": evil})


def test_what_is_no_wheel_is_said(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "evil-1.0-py3-none-any.whl").write_bytes(b"nothing")
    with pytest.raises(UserError, match="not a wheel"):
        shelf.take({"evil": tmp_path / "evil-1.0-py3-none-any.whl"})
