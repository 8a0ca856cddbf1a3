"""Patches applied to unpacked sources, and to nothing else."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests.unit.archives.test_archive import FILES, hard, info, link, tar
from toolkit.core.errors import UserError
from toolkit.model.lock import Patch
from toolkit.sources import patching
from toolkit.sources.patching import PatchSource

OTHER = b"--- a/src/a.py\n+++ b/src/a.py\n@@ -1 +1 @@\n-a = 1\n+a = 2\n"


def source(directory: Path, *extra: tuple[object, bytes]) -> Path:
    """Return an archive with a few files, and more."""
    plain = [(info(name), content) for name, content in FILES.items()]
    return tar(directory / "pkg-1.tar.gz", *plain, *extra)  # type: ignore[arg-type]


def extract(archive: Path, directory: Path, *texts: bytes) -> Path:
    """Unpack an archive with patches, and return its top."""
    patches = []
    for number, text in enumerate(texts):
        path = directory / f"{number}.patch"
        path.write_bytes(text)
        patch = Patch(path=f"patches/pkg/{number}.patch", sha256=hashlib.sha256(text).hexdigest())
        patches.append(PatchSource(patch=patch, path=path))
    (directory / "tree").mkdir()
    return patching.extract(archive, directory / "tree", patches)


def refused(archive: Path, directory: Path, text: bytes) -> str:
    with pytest.raises(UserError) as caught:
        extract(archive, directory, text)
    assert caught.value.hint
    return caught.value.what


def test_a_file_is_changed_and_is_then_newer_than_all_others(tmp_path: Path) -> None:
    top = extract(source(tmp_path), tmp_path, OTHER, OTHER.replace(b"= 2", b"= 3").replace(b"= 1", b"= 2"))
    assert (top / "src/a.py").read_bytes() == b"a = 3\n"
    assert (top / "src/a.py").stat().st_mtime == 1_700_000_002
    assert (top / "setup.py").stat().st_mtime == 1_700_000_000


def test_files_come_and_go_and_become_programs(tmp_path: Path) -> None:
    text = b"""\
diff --git a/tools/new b/tools/new
new file mode 100755
--- /dev/null
+++ b/tools/new
@@ -0,0 +1 @@
+#!/bin/sh
--- a/setup.py
+++ /dev/null
@@ -1 +0,0 @@
-setup()
diff --git a/src/a.py b/src/a.py
old mode 100644
new mode 100755
"""
    top = extract(source(tmp_path), tmp_path, text)
    found = {str(path.relative_to(top)): os.access(path, os.X_OK) for path in top.rglob("*") if path.is_file()}
    assert found == {"PKG-INFO": False, "src/a.py": True, "tools/new": True}
    assert (top / "tools/new").read_bytes() == b"#!/bin/sh\n"


def test_nothing_is_changed_through_a_link(tmp_path: Path) -> None:
    archive = source(tmp_path, link("pkg-1/away", "src"), link("pkg-1/b.py", "src/a.py"))
    for number, name in enumerate((b"away/a.py", b"b.py")):
        own = tmp_path / str(number)
        own.mkdir()
        what = refused(archive, own, OTHER.replace(b"src/a.py", name))
        assert what.startswith(
            f"patches/pkg/0.patch: {name.decode()}: `{name.decode().partition('/')[0]}` is a symbolic"
        )
        assert (own / "tree/pkg-1/src/a.py").read_bytes() == b"a = 1\n"


def test_a_hard_link_to_what_is_changed_stays_as_it_was(tmp_path: Path) -> None:
    top = extract(source(tmp_path, hard("pkg-1/b.py", "pkg-1/src/a.py")), tmp_path, OTHER)
    assert [(top / name).read_bytes() for name in ("src/a.py", "b.py")] == [b"a = 2\n", b"a = 1\n"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (OTHER.replace(b"src/a.py", b"setup.py/a.py"), "`setup.py` is no directory"),
        (OTHER.replace(b"src/a.py", b"src"), "there is no such file"),
        (b"--- /dev/null\n+++ b/setup.py\n@@ -0,0 +1 @@\n+new\n", "the source has a file of that name already"),
        (b"--- a/setup.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-set()\n", "hunk 1 (line 3) does not fit"),
        (b"diff --git a/setup.py b/setup.py\ndeleted file mode 100644\n", "the file that it removes has more lines"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, text: bytes, what: str) -> None:
    assert what in refused(source(tmp_path), tmp_path, text)


@pytest.mark.parametrize("name", ["a.patch", "gone.patch"])
def test_a_patch_that_is_not_the_locked_one_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.patch").write_bytes(OTHER)
    (tmp_path / "tree").mkdir()
    known = PatchSource(patch=Patch(path=f"patches/pkg/{name}", sha256="0" * 64), path=tmp_path / name)
    with pytest.raises(UserError) as caught:
        patching.extract(source(tmp_path), tmp_path / "tree", [known])
    assert caught.value.what == f"patches/pkg/{name}: not the patch that is locked"
