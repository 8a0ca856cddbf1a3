"""Wheels are unpacked once, linked into any environment, and a shared file that was changed is noticed."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from tests.wheel_files import make_wheel
from toolkit.build import interpreters
from toolkit.core.errors import UserError
from toolkit.develop.sync import installed
from toolkit.wheel import environment
from toolkit.wheel.image import Images

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE = f"lib/python{HERE}/site-packages"


@pytest.fixture(params=["plain", "with data"])
def wheel(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a wheel with modules alone, or with files elsewhere too."""
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
def images(tmp_path: Path) -> Images:
    found = interpreters.find((HERE,), sys.executable)
    return Images(store=tmp_path / "store", interpreter=found, jobs=2)


def make_environment(prefix: Path) -> Path:
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "python").symlink_to(sys.executable)
    (prefix / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\n")
    return prefix


@pytest.mark.parametrize("name", ["plain", "with a space", "с буквами", "long" * 40])
def test_scripts_run_whatever_the_environments_path(images: Images, wheel: Path, tmp_path: Path, name: str) -> None:
    prefix = make_environment(tmp_path / name)
    images.add({"one": wheel})["one"].link(prefix, prefix / "bin" / "python")
    environment = {**os.environ, "PYTHONPATH": str(prefix / SITE)}
    scripts = {"parcel-run": "hello\n", "Parcel.More": "hello\n", "parcel-data": "data\n"}
    for script, said in scripts.items():
        if script == "parcel-data" and not (prefix / "bin" / script).exists():
            continue
        done = subprocess.run([prefix / "bin" / script], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout == said


def test_the_record_is_true_of_every_file(images: Images, wheel: Path, tmp_path: Path) -> None:
    prefix = make_environment(tmp_path / "environment")
    images.add({"one": wheel})["one"].link(prefix, prefix / "bin" / "python")
    [found] = installed(prefix / SITE)["parcel"]
    assert found.is_whole()
    assert {Path(path).name for path, _ in found.files()} >= {"parcel-run", "Parcel.More", "__init__.py", "INSTALLER"}
    with (found.directory / "RECORD").open() as stream:
        assert all(row[1].startswith("sha256=") for row in csv.reader(stream) if not row[0].endswith("RECORD"))


def test_a_script_of_any_size_is_no_text_in_memory(images: Images, tmp_path: Path) -> None:
    content = b"#!python\nx = 1\n" + b"#" * (32 << 20)
    wheel = make_wheel(tmp_path / "wheels", "large", {"scripts/large": content})
    prefix = make_environment(tmp_path / "environment")
    tracemalloc.start()
    try:
        for _ in range(2):
            images.get([wheel])[0].link(prefix, prefix / "bin" / "python")
        assert tracemalloc.get_traced_memory()[1] < 16e6
    finally:
        tracemalloc.stop()
    script = (prefix / "bin" / "large").read_bytes()
    assert script == b"#!" + bytes(prefix / "bin" / "python") + content.removeprefix(b"#!python")
    [found] = installed(prefix / SITE)["large"]
    assert (str(prefix / "bin" / "large"), len(script)) in list(found.files())


def test_two_environments_share_the_files(images: Images, wheel: Path, tmp_path: Path) -> None:
    first, second = (make_environment(tmp_path / name) for name in ("first", "second"))
    for prefix in (first, second):
        images.add({"one": wheel})["one"].link(prefix, prefix / "bin" / "python")
    name = f"{SITE}/parcel/__init__.py"
    assert (first / name).samefile(second / name)
    assert not (first / name).stat().st_mode & 0o222


def test_what_was_unpacked_is_found_again_until_somebody_writes_to_it(images: Images, wheel: Path) -> None:
    assert images.find("one") is None
    taken = images.add({"one": wheel})["one"]
    assert images.find("one") == taken
    module = taken.root / SITE / "parcel" / "__init__.py"
    module.chmod(0o644)
    module.write_text("print('changed')\n")
    assert images.find("one") is None
    again = images.add({"one": wheel})["one"]
    assert "hello" in (again.root / SITE / "parcel" / "__init__.py").read_text()


def test_on_another_file_system_files_are_copied(
    images: Images, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = images.add({"one": wheel})["one"]

    def refuse(source: object, target: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    prefix = make_environment(tmp_path / "environment")
    taken.link(prefix, prefix / "bin" / "python")
    copied = prefix / SITE / "parcel" / "__init__.py"
    assert not copied.samefile(taken.root / SITE / "parcel" / "__init__.py")
    assert copied.stat().st_mode & 0o200


@pytest.mark.parametrize("user", ["package and tests", "development environment", "build environment"])
@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("../../evil.py", "leads out of the environment"),
        ("evil-1.0.data/data/../../../evil.py", "leads out of the environment"),
        ("evil-1.0.data/scripts/python", "`bin/python` replaces the environment's own"),
        (f"evil-1.0.data/scripts/python{HERE}", f"`bin/python{HERE}` replaces the environment's own"),
        (f"evil-1.0.data/data/bin/PYTHON{HERE}/x", "replaces the environment's own"),
        ("evil-1.0.data/data/pyvenv.cfg", "`pyvenv.cfg` replaces the environment's own"),
        (f"evil-1.0.data/data/{SITE}/good.py", "stands in it twice, with different content"),
    ],
)
def test_what_leads_out_is_refused_before_anything_is_written(
    images: Images, tmp_path: Path, user: str, member: str, said: str
) -> None:
    evil = make_wheel(tmp_path / "wheels", "evil", {"good.py": "1\n"}, raw=[(member, b"2\n")])
    with pytest.raises(UserError, match=re.escape(said)) as caught:
        install(images, tmp_path, user, evil)
    assert caught.value.what.startswith("evil-1.0-py3-none-any.whl looks like an attack: ")
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert names <= {evil.name, "pyvenv.cfg", "python", "python3", f"python{HERE}"}


@pytest.mark.parametrize("user", ["package and tests", "development environment", "build environment"])
def test_a_file_that_is_not_what_record_says_is_refused(images: Images, tmp_path: Path, user: str) -> None:
    evil = make_wheel(tmp_path / "wheels", "evil", {"good.py": "1\n"}, record=other_hash)
    with pytest.raises(UserError, match=r"`good\.py` is not what RECORD says: its hash is another"):
        install(images, tmp_path, user, evil)
    assert images.find("evil") is None


def other_hash(record: str) -> str:
    return re.sub("sha256=.{5}", "sha256=AAAAA", record, count=1)


def install(images: Images, directory: Path, user: str, wheel: Path) -> None:
    if user == "package and tests":
        images.get([wheel])
    elif user == "development environment":
        images.add({"evil": wheel})
    else:
        environment.create(directory / "environment", images.interpreter, [wheel])


def test_files_go_where_their_schemes_say(images: Images, tmp_path: Path) -> None:
    files = {"pkg-1.0.data/" + name: "" for name in ("purelib/a.py", "platlib/b.so", "headers/c.h", "data/share/d")}
    wheel = make_wheel(tmp_path / "wheels", "pkg", files)
    names = {name for name in images.add({"pkg": wheel})["pkg"].files if ".dist-info" not in name}
    assert names == {f"{SITE}/a.py", f"{SITE}/b.so", f"include/site/python{HERE}/pkg/c.h", "share/d"}


def test_a_directory_of_modules_called_scripts_holds_no_scripts(images: Images, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "wheels", "pkg", {"pkg/scripts/template.py": "#!python\n"})
    [image] = images.get([wheel])
    prefix = make_environment(tmp_path / "environment")
    image.link(prefix, prefix / "bin" / "python")
    assert (prefix / SITE / "pkg/scripts/template.py").read_text() == "#!python\n"


def test_what_is_no_wheel_is_said(images: Images, tmp_path: Path) -> None:
    (tmp_path / "evil-1.0-py3-none-any.whl").write_bytes(b"nothing")
    with pytest.raises(UserError, match="is not a sound wheel: damaged, or not an archive"):
        images.add({"evil": tmp_path / "evil-1.0-py3-none-any.whl"})


def test_the_record_that_is_corrected_is_the_distributions_own(images: Images, tmp_path: Path) -> None:
    """Others may be carried along, in a directory that comes first."""
    carried = "aaa/six-1.0.dist-info/RECORD"
    wheel = make_wheel(tmp_path / "wheels", "zeta", {carried: "as it was", "scripts/zeta": "#!python\n"})
    prefix = make_environment(tmp_path / "environment")
    images.add({"one": wheel})["one"].link(prefix, prefix / "bin" / "python")
    assert (prefix / SITE / carried).read_text() == "as it was"
    [found] = installed(prefix / SITE)["zeta"]
    assert found.is_whole()


def test_byte_code_in_a_wheel_is_not_believed(images: Images, tmp_path: Path) -> None:
    tag = sys.implementation.cache_tag
    files = {"parcel.py": "", f"__pycache__/parcel.{tag}.pyc": "x", f"a/__pycache__/b.{tag}.pyc": "x", "alone.pyc": "x"}
    made = images.add({"one": make_wheel(tmp_path / "wheels", "parcel", files)})["one"]
    assert [name for name in made.files if name.endswith(".pyc")] == [f"{SITE}/alone.pyc"]


@pytest.mark.parametrize("name", ["../../../../outside", "/etc/passwd", "a/../../b", "a\0b", "./a", "\ud800"])
def test_an_image_that_names_what_is_not_in_it_is_none(images: Images, wheel: Path, tmp_path: Path, name: str) -> None:
    made = images.add({"one": wheel})["one"]
    description = made.root.parent / "image.json"
    data = json.loads(description.read_bytes())
    (tmp_path / "outside").write_text("")
    status = (tmp_path / "outside").stat()
    data["files"][name] = [0, status.st_mtime_ns, hashlib.sha256(b"").hexdigest(), False]
    description.write_text(json.dumps(data))
    assert images.find("one") is None


@pytest.mark.parametrize("place", ["", "root", "image.json"])
def test_an_image_that_others_can_change_is_none(images: Images, wheel: Path, place: str) -> None:
    made = images.add({"one": wheel})["one"]
    assert images.find("one")
    (made.root.parent / place).chmod(0o777)
    assert images.find("one") is None


def test_an_image_with_scripts_has_a_record(images: Images, wheel: Path) -> None:
    made = images.add({"one": wheel})["one"]
    description = made.root.parent / "image.json"
    data = json.loads(description.read_bytes())
    del data["files"][f"{SITE}/parcel-1.0.dist-info/RECORD"]
    description.write_text(json.dumps(data))
    assert images.find("one") is None
