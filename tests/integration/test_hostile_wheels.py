"""A wheel that is not sound is refused by every verb that meets it, in one line; nothing is written outside."""

from __future__ import annotations

import hashlib
import re
import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration import sdists
from tests.integration.debian_project import make_project
from tests.integration.local_index import LocalIndex
from tests.integration.test_deb import _is_ready
from tests.integration.workshop import Workshop
from tests.wheel_files import make_wheel
from toolkit.core import files
from toolkit.model.lock import Distribution, VendoredFile
from toolkit.vendored import lock_file
from toolkit.vendoring import lock_writer

NAME = "evil-1.0-py3-none-any.whl"
UP = "../" * 30
HOSTILE = {
    "a member outside": (f"{UP}{{outside}}", "leads out of the environment"),
    "data outside": (f"evil-1.0.data/data/{UP}{{outside}}", "leads out of the environment"),
    "an absolute name": ("/{outside}", "leads out of the environment"),
    "the interpreter": ("evil-1.0.data/scripts/python3", "`bin/python3` replaces the environment's own"),
    "no scheme": ("evil-1.0.data/bogus/x", "there is no installation scheme `bogus`"),
    "a line feed": ("a\nb.py", r"`a\nb.py` has characters that nobody sees in its name"),
    "a link": ("link", "`link` is a symbolic link"),
}


def hostile(directory: Path, name: str, outside: Path) -> bytes:
    member = zipfile.ZipInfo(HOSTILE[name][0].format(outside=str(outside).lstrip("/")))
    member.external_attr = ((stat.S_IFLNK if name == "a link" else stat.S_IFREG) | 0o755) << 16
    return make_wheel(directory / "made", "evil", {"evil.py": ""}, raw=[(member, b"#!/bin/sh\n")]).read_bytes()


def put_into_vendor(shop: Workshop, content: bytes) -> None:
    """Replace a vendored wheel and its hash in the lock, as somebody would who can write to the repository."""
    (shop.root / "vendor" / NAME).write_bytes(content)
    path = lock_file.path_of(shop.root / "vendor", "app")
    lock = shop.lock()
    file = VendoredFile(name=NAME, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    packages = (replace(item, files=(file,)) if item.name == "evil" else item for item in lock.packages)
    lock_writer.write(path, replace(lock, packages=tuple(packages)))


@pytest.mark.parametrize("name", HOSTILE)
def test_on_arrival(shop: Workshop, index: LocalIndex, tmp_path: Path, name: str) -> None:
    index.add(NAME, hostile(tmp_path, name, tmp_path / "outside"))
    shop.service("app", "evil").write({"app/vendor.txt": "evil\n"})
    what, hint = shop.vendor().error
    assert what.startswith(f"{NAME} looks like an attack: ")
    assert HOSTILE[name][1] in what
    assert hint == "do not use this version, whoever published it: ask for another one"
    assert not (shop.root / "vendor").exists()
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_out_of_vendor(shop: Workshop, index: LocalIndex, tmp_path: Path, name: str) -> None:
    sdists.publish_wheel(index, "evil", "1.0")
    shop.service("app", "evil").write({"app/vendor.txt": "evil\n"})
    assert shop.vendor().status == 0
    put_into_vendor(shop, hostile(tmp_path, name, tmp_path / "outside"))
    root = tmp_path / "root"
    for verb, options in (
        ("check-vendor", ()),
        ("build", ()),
        ("install", ("--destdir", str(root))),
        ("create-virtual-environment", ()),
    ):
        what, hint = shop.run(verb, *options).error
        assert what.startswith(f"vendor/{NAME} looks like an attack: "), verb
        assert HOSTILE[name][1] in what
        assert "do not use it" in hint
    assert not root.exists()
    assert not (tmp_path / "outside").exists()


def test_a_file_that_record_does_not_tell_of(shop: Workshop, index: LocalIndex, tmp_path: Path) -> None:
    sdists.publish_wheel(index, "evil", "1.0")
    shop.service("app", "evil").write({"app/vendor.txt": "evil\n"})
    assert shop.vendor().status == 0
    other = make_wheel(
        tmp_path / "made", "evil", {"evil.py": "1"}, record=lambda text: re.sub(r"=\w{4}", "=AAAA", text, count=1)
    )
    put_into_vendor(shop, other.read_bytes())
    assert "`evil.py` is not what RECORD says" in shop.run("check-vendor").error[0]
    what, _ = shop.run("install", "--destdir", str(tmp_path / "root")).error
    assert f"{NAME} looks like an attack: `evil.py` is not what RECORD says" in what
    assert not (tmp_path / "root").exists()


SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n'
BACKEND = """
import base64, hashlib, os, zipfile
from tiny_backend import *
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    members = {
        %r: b"x",
        "evil-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\\nName: evil\\nVersion: 1.0\\n",
        "evil-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\\nTag: py3-none-any\\n",
    }
    rows = []
    for name, data in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        rows.append(f"{name},sha256={digest},{len(data)}")
    members["evil-1.0.dist-info/RECORD"] = "\\n".join([*rows, "evil-1.0.dist-info/RECORD,,"]).encode()
    with zipfile.ZipFile(os.path.join(wheel_directory, "evil-1.0-py3-none-any.whl"), "w") as wheel:
        for name, data in members.items():
            wheel.writestr(name, data)
    return "evil-1.0-py3-none-any.whl"
"""


@pytest.mark.parametrize("name", ["a member outside", "data outside", "the interpreter", "no scheme"])
def test_out_of_a_build(shop: Workshop, index: LocalIndex, tmp_path: Path, name: str) -> None:
    member = HOSTILE[name][0].format(outside=str(tmp_path / "outside").lstrip("/"))
    sdists.publish(index, "evil", "1.0", files={"own.py": BACKEND % member, "pyproject.toml": SYSTEM})
    shop.service("app", "evil")
    assert shop.vendor().status == 0
    for verb, options in (("build", ()), ("install", ("--destdir", str(tmp_path / "root")))):
        what, hint = shop.run(verb, *options).error
        assert what.startswith(f"evil 1.0: its build made {NAME}, which looks like an attack: "), verb
        assert HOSTILE[name][1] in what
        assert "do not use this version" in hint
    assert not list((files.cache_root() / "store").rglob("evil*.whl"))
    assert not (tmp_path / "outside").exists() and not (tmp_path / "root").exists()


@pytest.mark.skipif(not _is_ready(), reason="Debian packages are missing: `make setup` installs them")
def test_make_deb_and_install_refuse_it(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    outside = tmp_path / "outside"
    content = hostile(tmp_path, "a member outside", outside)
    (project.root / "vendor" / NAME).write_bytes(content)
    path = lock_file.path_of(project.root / "vendor", "api-service")
    lock = lock_file.read(path)
    file = VendoredFile(name=NAME, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    evil = Distribution(name="evil", version="1.0", kind="wheels", files=(file,))
    lock_writer.write(path, replace(lock, packages=(*lock.packages, evil)))
    project.commit()
    for words in (["deb"], ["install", f"DESTDIR={tmp_path / 'root'}"]):
        done = project.make(*words)
        assert done.returncode != 0
        assert f"error: vendor/{NAME} looks like an attack: `{UP}" in done.stdout, done.stdout
        assert "Traceback" not in done.stdout
    assert not outside.exists() and not (tmp_path / "root").exists()
    assert not list(project.root.glob("dist/*.deb"))
