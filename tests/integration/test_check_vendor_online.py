"""`make check-vendor ONLINE=1`: locks that somebody has edited, files and all, against the index."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex, serving
from tests.integration.workshop import HERE, Done, Workshop
from toolkit.core import files

TAG = f"cp{HERE.replace('.', '')}"


@pytest.fixture
def vendored(shop: Workshop, index: LocalIndex) -> Workshop:
    """Return a project with an sdist, of which there is a wheel, what builds it, a wheel, and an archive by URL."""
    index.add("maker-1.0.tar.gz", sdists.make_backend("maker", "1.0"))
    index.add("lib-1.0.tar.gz", sdists.make_sdist_with_backend("lib", "1.0", "maker"))
    sdists.publish_wheel(index, "lib", "1.0", tag=f"{TAG}-{TAG}-manylinux_2_17_x86_64")
    sdists.publish_wheel(index, "binary", "1.0")
    url = index.add("direct-1.0.tar.gz", sdists.make_sdist("direct", "1.0"), name="elsewhere")
    shop.service("app", "lib", "binary", "direct").write({"app/vendor.txt": f"binary\n{url}\n"})
    done = shop.vendor()
    assert done.status == 0, done.err
    return shop


def checked(shop: Workshop, *options: str) -> Done:
    return shop.run("check-vendor", "--online", *options)


def edit(shop: Workshop, filename: str, content: bytes) -> str:
    """Put another file into vendor/ and its hash and size into the lock, as an attacker would; return the hash."""
    vendor = shop.root / "vendor"
    old = (vendor / filename).read_bytes()
    lock = vendor / "pylock.app.toml"
    new = hashlib.sha256(content).hexdigest()
    text = lock.read_text(encoding="utf-8").replace(hashlib.sha256(old).hexdigest(), new)
    lock.write_text(text.replace(f"size = {len(old)}\n", f"size = {len(content)}\n"), encoding="utf-8")
    (vendor / filename).write_bytes(content)
    assert shop.run("check-vendor").status == 0
    return new


def in_lock(shop: Workshop, old: str, new: str) -> None:
    path = shop.root / "vendor" / "pylock.app.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_what_is_as_on_the_index(vendored: Workshop) -> None:
    files.remove(files.cache_root())
    before = vendored.vendored()
    done = checked(vendored)
    assert done.status == 0, done.err
    assert done.out.splitlines()[-1] == f"  CHECK   {vendored.index.url}: 5 locked files, all as there"
    assert vendored.vendored() == before


def test_without_the_option_nobody_is_asked(vendored: Workshop, index: LocalIndex) -> None:
    index.requests.clear()
    assert vendored.run("check-vendor").status == 0
    assert index.requests.total() == 0


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("lib-1.0.tar.gz", sdists.make_sdist_with_backend("lib", "1.0", "maker", modules={"lib": "EVIL = 1\n"})),
        ("maker-1.0.tar.gz", sdists.make_backend("maker", "1.0", files={"evil.py": ""})),
        ("binary-1.0-py3-none-any.whl", sdists.make_wheel("binary", "1.0", modules={"binary": "EVIL = 1\n"})),
        ("direct-1.0.tar.gz", sdists.make_sdist("direct", "1.0", files={"evil.py": ""})),
    ],
)
def test_a_hash_that_was_edited_together_with_its_file(vendored: Workshop, filename: str, content: bytes) -> None:
    new = edit(vendored, filename, content)
    entry = vendored.index.file(filename)
    assert entry
    said, hint = checked(vendored).error
    assert filename in said and new in said and hashlib.sha256(entry.content).hexdigest() in said
    assert hint.startswith("do not build from it")


def test_everything_is_listed(vendored: Workshop) -> None:
    edit(
        vendored, "lib-1.0.tar.gz", sdists.make_sdist_with_backend("lib", "1.0", "maker", modules={"lib": "EVIL = 1\n"})
    )
    edit(vendored, "direct-1.0.tar.gz", sdists.make_sdist("direct", "1.0", files={"evil.py": ""}))
    done = checked(vendored)
    assert done.error[0].endswith("(and 1 more, above)")
    assert "lib-1.0.tar.gz" in done.err and "direct-1.0.tar.gz" in done.err


def test_a_wheel_for_development(vendored: Workshop, index: LocalIndex) -> None:
    [wheel] = vendored.lock().find("lib==1.0").offered
    in_lock(vendored, wheel.sha256, "0" * 64)
    said, _ = checked(vendored).error
    assert said.startswith(f"{wheel.name} (a wheel for development): its sha256 is {wheel.sha256} on {index.url}")


def test_a_size_alone(vendored: Workshop, index: LocalIndex) -> None:
    entry = index.file("lib-1.0.tar.gz")
    assert entry
    digest = hashlib.sha256(entry.content).hexdigest()
    index.add("lib-1.0.tar.gz", entry.content + b"\0", listed_sha256=digest)
    assert f"has {len(entry.content) + 1} bytes on {index.url}, the lock says" in checked(vendored).error[0]


def test_a_version_that_no_index_has(vendored: Workshop, index: LocalIndex) -> None:
    content = sdists.make_sdist_with_backend("lib", "1.1", "maker")
    edit(vendored, "lib-1.0.tar.gz", content)
    in_lock(vendored, 'name = "lib"\nversion = "1.0"', 'name = "lib"\nversion = "1.1"')
    in_lock(vendored, "lib-1.0.tar.gz", "lib-1.1.tar.gz")
    (vendored.root / "vendor" / "lib-1.0.tar.gz").rename(vendored.root / "vendor" / "lib-1.1.tar.gz")
    done = checked(vendored)
    assert f"vendor/lib-1.1.tar.gz: not on {index.url}, nor any other file of lib 1.1" in done.err


def test_a_file_of_another_distribution(vendored: Workshop, index: LocalIndex) -> None:
    # The index has it, with just this hash.
    content = sdists.make_sdist("evil", "1.0")
    index.add("evil-1.0.tar.gz", content)
    edit(vendored, "lib-1.0.tar.gz", content)
    in_lock(vendored, '"lib-1.0.tar.gz"', '"evil-1.0.tar.gz"')
    (vendored.root / "vendor" / "lib-1.0.tar.gz").rename(vendored.root / "vendor" / "evil-1.0.tar.gz")
    assert "vendor/evil-1.0.tar.gz: not a file of lib 1.0" in checked(vendored).err


def test_a_file_that_is_gone(vendored: Workshop, index: LocalIndex) -> None:
    index.remove("lib-1.0.tar.gz")
    said, _ = checked(vendored).error
    assert said == f"vendor/lib-1.0.tar.gz: not on {index.url}, it has lib-1.0-{TAG}-{TAG}-manylinux_2_17_x86_64.whl"


def test_a_file_that_was_withdrawn_is_a_warning(vendored: Workshop, index: LocalIndex) -> None:
    entry = index.file("lib-1.0.tar.gz")
    assert entry
    entry.yanked = True
    done = checked(vendored)
    assert done.status == 0
    assert done.err == (
        f"warning: vendor/lib-1.0.tar.gz: its authors have withdrawn (yanked) it: see why on {index.url}\n"
    )


def test_an_index_that_only_the_lock_names_is_not_asked(vendored: Workshop) -> None:
    content = sdists.make_sdist_with_backend("lib", "1.0", "maker", modules={"lib": "EVIL = 1\n"})
    edit(vendored, "lib-1.0.tar.gz", content)
    with serving() as evil:
        evil.add("lib-1.0.tar.gz", content)
        in_lock(vendored, f'version = "1.0"\nindex = "{vendored.index.url}"', f'version = "1.0"\nindex = "{evil.url}"')
        said, hint = checked(vendored).error
        assert f"locked from {evil.url}, which is not one of the indexes in use: {vendored.index.url}" in said
        assert "see who locked it so" in hint
        assert evil.requests.total() == 0


def test_a_name_of_an_earlier_index_that_is_locked_from_a_later_one(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "lib", "1.0")
    with serving() as public:
        sdists.publish(public, "lib", "9.0")
        sdists.publish(public, "other", "1.0")
        shop.service("app", "lib", "other")
        options = ("--extra-index-url", public.url)
        # As somebody would edit the lock, with the file.
        assert shop.vendor(*options, "--index-strategy", "best-match").status == 0
        said, hint = checked(shop, *options).error
        assert said == f"lib==9.0: locked from {public.url}, but {index.url}, which comes before that, has lib too"
        assert hint.startswith("do not build from it")
        assert checked(shop, *options, "--index-strategy", "best-match").status == 0


def test_an_archive_that_no_file_of_the_project_names(vendored: Workshop, index: LocalIndex) -> None:
    in_lock(vendored, "/files/direct-1.0.tar.gz", "/other/direct-1.0.tar.gz")
    assert "which no file of the project names" in checked(vendored).error[0]
    assert not index.requests["/other/direct-1.0.tar.gz"]


def test_an_index_without_hashes_is_asked_for_the_files(vendored: Workshop, index: LocalIndex) -> None:
    entry = index.file("lib-1.0.tar.gz")
    assert entry
    entry.listed_sha256 = ""
    assert checked(vendored).status == 0
    edit(
        vendored, "lib-1.0.tar.gz", sdists.make_sdist_with_backend("lib", "1.0", "maker", modules={"lib": "EVIL = 1\n"})
    )
    assert "lib-1.0.tar.gz" in checked(vendored).error[0]


def test_credentials_are_those_of_vendor(shop: Workshop, tmp_path: Path) -> None:
    with serving(credentials="user:s3cret") as index:
        sdists.publish(index, "lib", "1.0")
        shop.service("app", "lib")
        options = ("--index-url", index.with_credentials())
        assert shop.vendor(*options).status == 0
        done = checked(shop, *options)
        assert done.status == 0, done.err
        assert "s3cret" not in done.out + done.err


def test_an_index_that_does_not_answer_is_an_error(vendored: Workshop, index: LocalIndex) -> None:
    index.fails("/simple/lib/", "status", status=403)
    said, _ = checked(vendored).error
    assert said == f"{index.url}/lib/ answers 403 Forbidden"


def test_what_is_wrong_here_comes_first(vendored: Workshop, index: LocalIndex) -> None:
    (vendored.root / "vendor" / "lib-1.0.tar.gz").write_bytes(b"")
    index.requests.clear()
    assert checked(vendored).error[0].startswith("vendor/lib-1.0.tar.gz: has 0 bytes")
    assert index.requests.total() == 0
