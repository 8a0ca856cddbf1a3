"""Files that others made or changed: every verb that meets one gives the same verdict, in one line."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
from pathlib import Path

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from tests.integration.test_develop import home
from tests.integration.workshop import Workshop
from toolkit.core import files
from toolkit.vendored import lock_file

__all__ = ["home"]


def with_member(content: bytes, name: str, data: bytes) -> bytes:
    """Return a .tar.gz with a member more, behind all others."""
    stream = io.BytesIO(gzip.decompress(content))
    with tarfile.open(fileobj=stream, mode="a:") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return gzip.compress(stream.getvalue())


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("evil-1.0/evil.py", "it stands there twice, with different contents"),
        ("evil-1.0/../../outside", "a name with `..`"),
        ("evil-1.0/evil.py/below", "which is not a directory"),
    ],
)
def test_what_stands_behind_the_metadata_of_an_sdist_is_seen_where_it_arrives(
    shop: Workshop, index: LocalIndex, member: str, said: str
) -> None:
    index.add("evil-1.0.tar.gz", with_member(sdists.make_sdist("evil", "1.0"), member, b"other = 1\n"))
    what, hint = shop.service("app", "evil").vendor().error
    assert "evil-1.0.tar.gz" in what and said in what
    assert "do not use it: ask for another version" in hint
    assert not (shop.root / "vendor").exists()


def test_a_lock_with_one_thing_twice_is_refused_by_every_verb(
    shop: Workshop, index: LocalIndex, home: Path, tmp_path: Path
) -> None:
    """Else the second would be checked, and the first be what a wheel is kept under, for all projects."""
    sdists.publish(index, "six", "1.0")
    assert shop.service("app", "six").vendor().status == 0
    path = lock_file.path_of(shop.root / "vendor", "app")
    text = path.read_text()
    [entry] = re.findall(r"(?ms)^\[\[packages\]\].*?(?=^\[\[|^\[tool|\Z)", text)
    other = re.sub(r'sha256 = "\w+"', f'sha256 = "{"0" * 64}"', entry)
    path.write_text(text.replace(entry, other + entry))
    for verb, options in (
        ("check-vendor", ()),
        ("build", ()),
        ("install", ("--destdir", str(tmp_path / "root"))),
        ("create-virtual-environment", ()),
        ("vendor", ()),
    ):
        what, hint = shop.run(verb, *options).error
        assert "pylock.app.toml: not a lock of this toolkit: six==1.0 is in it twice" in what, verb
        assert hint.startswith("restore it from git")
    assert not (tmp_path / "root").exists() and not (home / "project").exists()


def test_an_image_that_was_edited_writes_nothing_outside(
    shop: Workshop, index: LocalIndex, home: Path, tmp_path: Path
) -> None:
    sdists.publish(index, "six", "1.0")
    assert shop.service("app", "six").vendor().status == 0
    assert shop.develop().status == 0
    outside = tmp_path / "outside.py"
    outside.write_text("")
    status = outside.stat()
    for verb, options in (
        ("create-virtual-environment", ("--force",)),
        ("install", ("--destdir", str(tmp_path / "root"))),
    ):
        for description in (files.cache_root() / "store" / "images").rglob("image.json"):
            data = json.loads(description.read_bytes())
            name = "../" * 40 + str(outside).lstrip("/")
            data["files"][name] = [0, status.st_mtime_ns, hashlib.sha256(b"").hexdigest(), False]
            description.write_text(json.dumps(data))
        done = shop.run(verb, *options)
        assert done.status == 0, done.err
        assert "a damaged image of six-1.0" in done.err
    assert (outside.stat().st_ino, outside.stat().st_nlink) == (status.st_ino, 1)
