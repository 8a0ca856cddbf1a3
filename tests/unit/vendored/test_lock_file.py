"""The lock is PEP 751, and reads back as it was written."""

import os
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.model.crates import CRATES_IO
from toolkit.model.lock import Crate, DirectRequirement, Distribution, LocalPackage, Lock, VendoredFile
from toolkit.model.names import normalize
from toolkit.model.pins import Pinned
from toolkit.vendored import lock_file
from toolkit.vendoring import lock_writer

SDIST = VendoredFile(name="a-1.tar.gz", size=10, sha256="0" * 64, url="https://index.example/a-1.tar.gz")
WHEELS = (
    VendoredFile(name="b-2-cp311-cp311-linux_x86_64.whl", size=11, sha256="1" * 64),
    VendoredFile(name="b-2-cp311-cp311-macosx_11_0_arm64.whl", size=12, sha256="2" * 64),
)
FULL = Lock(
    service="api",
    pythons=("3.11", "3.13"),
    platforms=("linux",),
    packages=(
        Distribution(
            name="a",
            version="1",
            kind="sdist",
            files=(SDIST,),
            marker="python_version < '3.13'",
            requires_python=">=3.8",
            index="https://index.example/simple",
            metadata="wheel",
            requires=("B>=2",),
            build_dependencies=("tool>2",),
            build_requires=(Pinned("tool", "3", "python_version < '3.12'"),),
            crates=("Inner==0.1.0-rc.1+build", "outer==1.2.3"),
            rust=True,
            rust_version="1.85",
            rust_version_of="Inner 0.1.0-rc.1+build",
        ),
        Distribution(name="b", version="2", kind="wheels", files=WHEELS, requires=("a ; sys_platform == 'linux'",)),
    ),
    build_packages=(
        Distribution(name="tool", version="3", kind="sdist", files=(SDIST,), index="https://other.example/simple"),
    ),
    local=(
        LocalPackage(
            name="api",
            path="api",
            build_requires=(Pinned("tool", "3", "python_version < '3.12'"),),
            build_dependencies=("tool",),
        ),
    ),
    test_requires=(Pinned("tool", "3", "python_version < '3.12'"),),
    inputs={"api/requirements.txt": "3" * 64, "api/vendor.txt": ""},
    direct=(
        DirectRequirement(source="api", name="a", kind="runtime", text="a<2", origin="api/requirements.txt:1"),
        DirectRequirement(source="api", name="tool", kind="tests", text="tool", origin="api/test-requirements.txt:3"),
    ),
    crates=(
        Crate(
            name="Inner",
            version="0.1.0-rc.1+build",
            sha256="4" * 64,
            source="sparse+https://registry.example/",
            index_line='{"name": "Inner", "features": {"a": ["b\\"c"]}}',
        ),
        Crate(
            name="outer",
            version="1.2.3",
            sha256="5" * 64,
            source=CRATES_IO,
            file=VendoredFile(
                name="outer-1.2.3.crate", size=7, sha256="5" * 64, url="https://registry.example/outer-1.2.3.crate"
            ),
        ),
    ),
)


def test_a_lock_reads_back_as_it_was_written(tmp_path: Path) -> None:
    path = lock_file.path_of(tmp_path, "api")
    lock_writer.write(path, FULL)
    assert lock_file.read(path) == FULL


def test_it_has_what_pep_751_requires(tmp_path: Path) -> None:
    path = lock_file.path_of(tmp_path, "api")
    lock_writer.write(path, FULL)
    data = tomllib.loads(path.read_text())
    assert path.name == "pylock.api.toml"
    assert data["lock-version"] == "1.0"
    assert data["packages"][0]["sdist"]["path"] == "a-1.tar.gz"
    assert data["packages"][0]["sdist"]["hashes"] == {"sha256": "0" * 64}
    assert data["packages"][0]["index"] == "https://index.example/simple" and "index" not in data["packages"][1]
    assert "python_version == '3.13' and sys_platform == 'linux'" in data["environments"]
    assert [package["dependencies"] for package in data["packages"]] == [[{"name": "b"}], [{"name": "a"}]]
    # What only builds need is no package of the lock: installers install all that stands in `packages`.
    assert [package["name"] for package in data["packages"]] == ["a", "b"]


def test_a_dependency_that_is_locked_in_two_versions_is_named_with_them(tmp_path: Path) -> None:
    b = FULL.packages[1]
    lock = replace(FULL, packages=(FULL.packages[0], b, replace(b, version="3")))
    lock_writer.write(lock_file.path_of(tmp_path, "api"), lock)
    data = tomllib.loads(lock_file.path_of(tmp_path, "api").read_text())
    found = data["packages"][0]["dependencies"]
    assert found == [{"name": "b", "version": "2"}, {"name": "b", "version": "3"}]


def test_a_lock_from_before_there_were_direct_requirements_is_read(tmp_path: Path) -> None:
    lock_writer.write(lock_file.path_of(tmp_path, "api"), replace(FULL, direct=None))
    assert lock_file.read(lock_file.path_of(tmp_path, "api")).direct is None


def test_a_lock_from_before_there_were_indexes_is_read(tmp_path: Path) -> None:
    path = lock_file.path_of(tmp_path, "api")
    lock_writer.write(path, FULL)
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("index = ")))
    assert [item.index for item in lock_file.read(path).distributions()] == ["", "", ""]


def test_a_missing_lock_says_to_run_make_vendor(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no lock") as caught:
        lock_file.read(tmp_path / "pylock.api.toml")
    assert "make vendor" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "lock-version = ",
        'lock-version = "1.0"\npackages = []\n',
        'lock-version = "2.0"\npackages = []\n[tool.python-common]\n',
        "\udce9".encode("utf-8", "surrogateescape"),
    ],
)
def test_what_is_no_lock_of_ours_is_refused(tmp_path: Path, text: str | bytes) -> None:
    path = tmp_path / "pylock.api.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=r"pylock\.api\.toml: not a"):
        lock_file.read(path)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_not_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "pylock.app.toml")
    with pytest.raises(UserError, match="it is no file"):
        lock_file.read(tmp_path / "pylock.app.toml")


@pytest.mark.parametrize("name", ["../a-1.tar.gz", "x/a-1.tar.gz", "/etc/passwd", ".git"])
def test_a_path_that_leaves_vendor_is_refused(tmp_path: Path, name: str) -> None:
    path = lock_file.path_of(tmp_path, "api")
    lock_writer.write(path, FULL)
    path.write_text(path.read_text().replace('path = "a-1.tar.gz"', f'path = "{name}"'))
    with pytest.raises(UserError, match=r"leaves vendor/"):
        lock_file.read(path)


@pytest.mark.parametrize(("name", "normal"), [("Foo.Bar_baz", "foo-bar-baz"), ("a--b", "a-b"), ("x", "x")])
def test_names_are_normalised(name: str, normal: str) -> None:
    assert normalize(name) == normal
