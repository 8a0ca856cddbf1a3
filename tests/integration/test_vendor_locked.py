"""Locked hashes bind `make vendor`: other bytes, or another index, under a locked name end it until asked for."""

from __future__ import annotations

import hashlib

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex, serving
from tests.integration.test_vendor_faults import refused
from tests.integration.workshop import HERE, Workshop
from toolkit.core import files

TAG = f"cp{HERE.replace('.', '')}"


@pytest.fixture
def locked(shop: Workshop, index: LocalIndex) -> Workshop:
    """Return a project whose vendor/ has `lib` 1.0, and whose requirements ask for `more` besides now."""
    index.add("maker-1.0.tar.gz", sdists.make_backend("maker", "1.0"))
    index.add("lib-1.0.tar.gz", sdists.make_sdist_with_backend("lib", "1.0", "maker"))
    for version in ("1.0", "2.0"):
        sdists.publish(index, "more", version)
    shop.service("app", "lib")
    assert shop.vendor().status == 0
    shop.write({"app/requirements.txt": "lib\nmore\n"})
    # As for a colleague, whose cache has nothing of it.
    files.remove(files.cache_root())
    return shop


def replace(index: LocalIndex, filename: str, content: bytes = b"") -> tuple[str, str]:
    """Put another file under a name, and return both hashes, the old one first."""
    old = index.file(filename)
    assert old
    name, version = filename.split("-")[:2]
    if filename.endswith(".whl"):
        content = content or sdists.make_wheel(
            name, version, modules={name: "OTHER = 1\n"}, tag=filename.split("-", 2)[2][:-4]
        )
    content = content or sdists.make_sdist(name, version.removesuffix(".tar.gz"), modules={name: "OTHER = 1\n"})
    index.add(filename, content)
    return hashlib.sha256(old.content).hexdigest(), hashlib.sha256(content).hexdigest()


def upgraded(shop: Workshop, name: str) -> None:
    """See that an upgrade of a name accepts what is there now."""
    done = shop.vendor("--upgrade", name)
    assert done.status == 0, done.err


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_another_sdist_under_a_locked_version(locked: Workshop, index: LocalIndex, resolver: str) -> None:
    old, new = replace(index, "lib-1.0.tar.gz")
    said, hint = refused(locked, "--resolver", resolver)
    assert said.startswith("lib-1.0.tar.gz: not the file that vendor/pylock.app.toml has locked: http")
    assert old in said and new in said
    assert "make vendor UPGRADE=lib" in hint
    # All versions may move, but this one has not.
    sdists.publish(index, "maker", "1.1")
    assert refused(locked, "--resolver", resolver, "--upgrade", "all")[0] == said
    upgraded(locked, "lib")
    assert locked.keys() == ["lib==1.0", "more==2.0"]


def test_another_sdist_of_a_build_requirement(locked: Workshop, index: LocalIndex) -> None:
    _, new = replace(index, "maker-1.0.tar.gz", sdists.make_backend("maker", "1.0", files={"evil.py": ""}))
    said, hint = refused(locked)
    assert said.startswith("maker-1.0.tar.gz: not the file") and new in said
    assert "UPGRADE=maker" in hint
    upgraded(locked, "maker")


def test_all_that_was_replaced_is_told_at_once(locked: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "other", "1.0")
    locked.write({"app/requirements.txt": "lib\nother\n"})
    assert locked.vendor().status == 0
    locked.write({"app/requirements.txt": "lib\nother\nmore\n"})
    for name in ("lib", "other"):
        replace(index, f"{name}-1.0.tar.gz")
    done = locked.vendor()
    assert "(and 1 more, above)" in done.error[0]
    assert "lib-1.0.tar.gz: not the file" in done.err and "other-1.0.tar.gz: not the file" in done.err
    # All of what is named is asked for by one command.
    upgraded(locked, "lib other")


def test_an_index_without_hashes_is_held_to_those_of_the_lock(shop: Workshop) -> None:
    with serving(as_html=True) as index:
        sdists.publish(index, "lib", "1.0")
        sdists.publish(index, "more", "1.0")
        shop.service("app", "lib")
        assert shop.vendor("--index-url", index.url).status == 0
        files.remove(files.cache_root())
        old, new = replace(index, "lib-1.0.tar.gz")
        entry = index.file("lib-1.0.tar.gz")
        assert entry
        entry.listed_sha256 = ""
        shop.write({"app/requirements.txt": "lib\nmore\n"})
        said, _ = refused(shop, "--index-url", index.url)
        assert old in said and new in said


def test_a_hash_in_another_lock_of_the_project_binds_too(locked: Workshop, index: LocalIndex) -> None:
    locked.write({"app/requirements.txt": "lib\n"}).service("second", "lib")
    replace(index, "lib-1.0.tar.gz")
    said, _ = refused(locked)
    assert said.startswith("lib-1.0.tar.gz: not the file that vendor/pylock.app.toml has locked")


def test_what_moves_to_another_version_may_be_what_it_will(locked: Workshop, index: LocalIndex) -> None:
    replace(index, "lib-1.0.tar.gz")
    sdists.publish(index, "lib", "2.0")
    locked.write({"app/requirements.txt": "lib>1\n"})
    assert locked.vendor().status == 0
    assert locked.keys() == ["lib==2.0"]


def test_another_kind_of_sdist_in_the_place_of_the_locked_one(locked: Workshop, index: LocalIndex) -> None:
    old = index.file("lib-1.0.tar.gz")
    assert old
    index.remove("lib-1.0.tar.gz")
    index.add("lib-1.0.zip", sdists.as_zip(old.content))
    said, hint = refused(locked)
    assert said.startswith("lib 1.0: vendor/pylock.app.toml has locked lib-1.0.tar.gz; http")
    assert said.endswith("has another sdist of it, lib-1.0.zip") and "UPGRADE=lib" in hint
    upgraded(locked, "lib")


def binary(shop: Workshop, index: LocalIndex, *tags: str) -> Workshop:
    """Return a project that takes the wheels of `binary`."""
    for tag in tags:
        sdists.publish_wheel(index, "binary", "1.0", tag=tag)
    sdists.publish(index, "more", "1.0")
    shop.service("app", "binary").write({"app/vendor.txt": "binary --platform manylinux_2_17_x86_64\n"})
    assert shop.vendor().status == 0
    shop.write({"app/requirements.txt": "binary\nmore\n"})
    return shop


def test_another_wheel_under_a_locked_name(shop: Workshop, index: LocalIndex) -> None:
    binary(shop, index, "py3-none-any")
    old, new = replace(index, "binary-1.0-py3-none-any.whl")
    said, hint = refused(shop)
    assert said.startswith("binary-1.0-py3-none-any.whl: not the file") and old in said and new in said
    assert "UPGRADE=binary" in hint
    upgraded(shop, "binary")


def test_a_wheel_that_is_added_to_a_locked_release_is_not_taken_unasked(shop: Workshop, index: LocalIndex) -> None:
    binary(shop, index, "py3-none-any")
    better = sdists.publish_wheel(index, "binary", "1.0", tag=f"{TAG}-{TAG}-manylinux_2_17_x86_64")
    assert shop.vendor().status == 0
    assert [file.name for file in shop.lock().find("binary==1.0").files] == ["binary-1.0-py3-none-any.whl"]
    upgraded(shop, "binary")
    assert [file.name for file in shop.lock().find("binary==1.0").files] == [better]


def test_a_wheel_that_vendor_txt_asks_for_is_taken_beside_the_locked_ones(shop: Workshop, index: LocalIndex) -> None:
    binary(shop, index, f"{TAG}-{TAG}-manylinux_2_17_x86_64", f"{TAG}-{TAG}-manylinux_2_17_aarch64")
    shop.write({"app/vendor.txt": "".join(f"binary --platform manylinux_2_17_{m}\n" for m in ("x86_64", "aarch64"))})
    assert shop.vendor().status == 0
    assert len(shop.lock().find("binary==1.0").files) == 2


def test_a_source_in_the_place_of_locked_wheels_is_no_attack(shop: Workshop, index: LocalIndex) -> None:
    binary(shop, index, "py3-none-any")
    sdists.publish(index, "binary", "1.0")
    shop.write({"app/vendor.txt": ""})
    assert shop.vendor().status == 0
    assert shop.lock().find("binary==1.0").kind == "sdist"


def test_wheels_for_development_are_held_to_the_lock(shop: Workshop, index: LocalIndex) -> None:
    tag = f"{TAG}-{TAG}-manylinux_2_17_x86_64"
    sdists.publish(index, "lib", "1.0")
    wheel = sdists.publish_wheel(index, "lib", "1.0", tag=tag)
    sdists.publish(index, "more", "1.0")
    shop.service("app", "lib")
    assert shop.vendor().status == 0
    shop.write({"app/requirements.txt": "lib\nmore\n"})
    # One that was added since fits better, and is one that nobody has seen.
    sdists.publish_wheel(index, "lib", "1.0", tag=f"{TAG}-{TAG}-manylinux_2_28_x86_64")
    assert shop.vendor().status == 0
    assert [file.name for file in shop.lock().find("lib==1.0").offered] == [wheel]
    shop.write({"app/requirements.txt": "lib\nmore<2\n"})
    old, new = replace(index, wheel)
    said, _ = refused(shop)
    assert said.startswith(f"{wheel}: not the file") and old in said and new in said
    upgraded(shop, "lib")
    assert len(shop.lock().find("lib==1.0").offered) == 1


def test_an_archive_by_its_url(shop: Workshop, index: LocalIndex) -> None:
    url = index.add("direct-1.0.tar.gz", sdists.make_sdist("direct", "1.0"), name="elsewhere")
    sdists.publish(index, "more", "1.0")
    shop.service("app", "direct").write({"app/vendor.txt": f"{url}\n"})
    assert shop.vendor().status == 0
    shop.write({"app/requirements.txt": "direct\nmore\n"})
    content = sdists.make_sdist("direct", "1.0", files={"evil.py": ""})
    old = index.file("direct-1.0.tar.gz")
    assert old
    index.add("direct-1.0.tar.gz", content, name="elsewhere")
    files.remove(files.cache_root())
    said, hint = refused(shop)
    assert hashlib.sha256(old.content).hexdigest() in said and hashlib.sha256(content).hexdigest() in said
    assert "UPGRADE=direct" in hint
    upgraded(shop, "direct")
    # Another URL is a change that the team has written down itself.
    moved = index.add("other-1.0.tar.gz", sdists.make_sdist("direct", "1.0"), name="elsewhere")
    shop.write({"app/vendor.txt": f"{moved}\n"})
    assert shop.vendor().status == 0


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_a_name_that_comes_from_another_index(shop: Workshop, index: LocalIndex, resolver: str) -> None:
    contents = {version: sdists.make_sdist("lib", version) for version in ("1.0", "2.0")}
    index.add("lib-1.0.tar.gz", contents["1.0"])
    shop.service("app", "lib")
    assert shop.vendor("--resolver", resolver).status == 0
    with serving() as second:
        # The same file, then a newer one: whoever has the name there need not be who has it here.
        for version in contents:
            second.add(f"lib-{version}.tar.gz", contents[version])
            shop.write({"app/requirements.txt": f"lib=={version}\n"})
            options = ("--resolver", resolver, "--index-url", second.url, "--extra-index-url", index.url)
            said, hint = refused(shop, *options)
            assert (
                said
                == f"lib: vendor/pylock.app.toml has locked it from {index.url}; it would now come from {second.url}"
            )
            assert "UPGRADE=lib" in hint
        assert shop.vendor(*options, "--upgrade", "lib").status == 0
        assert shop.lock().find("lib==2.0").index == second.url


def test_the_address_of_an_index_may_end_in_a_slash_in_a_lock(locked: Workshop, index: LocalIndex) -> None:
    path = locked.root / "vendor" / "pylock.app.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f'index = "{index.url}"', f'index = "{index.url}/"'), encoding="utf-8")
    locked.write({"app/requirements.txt": "lib\n"})
    assert locked.run("check-vendor", "--online").status == 0
    locked.write({"app/requirements.txt": "lib\nmore\n"})
    assert locked.vendor().status == 0


def test_a_lock_from_before_locks_had_an_index_is_no_obstacle(locked: Workshop) -> None:
    path = locked.root / "vendor" / "pylock.app.toml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("index = ")), encoding="utf-8")
    # Nothing is fetched, nor the lock rewritten, only to add it.
    locked.write({"app/requirements.txt": "lib\n"})
    before = locked.vendored()
    assert locked.vendor().out == "  VENDOR  vendor/ is up to date\n"
    assert locked.vendored() == before
    locked.write({"app/requirements.txt": "lib\nmore\n"})
    assert locked.vendor().status == 0
    assert locked.lock().find("lib==1.0").index == locked.index.url


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_what_is_gone_from_the_index_stays_as_vendor_has_it(locked: Workshop, index: LocalIndex, resolver: str) -> None:
    for filename in ("lib-1.0.tar.gz", "maker-1.0.tar.gz"):
        index.remove(filename)
    sdists.publish(index, "lib", "2.0")
    before = locked.lock().find("lib==1.0")
    done = locked.vendor("--resolver", resolver)
    assert done.status == 0, done.err
    assert locked.keys() == ["lib==1.0", "more==2.0"]
    assert locked.lock().find("lib==1.0") == before
    for filename in ("lib-1.0.tar.gz", "maker-1.0.tar.gz"):
        assert done.err.count(f"warning: {filename}: no index has it any more; it stays, as it is locked") == 1
    assert locked.run("check-vendor").status == 0
    upgraded(locked, "lib")
    assert locked.keys() == ["lib==2.0", "more==2.0"]


def test_what_is_gone_is_old_enough_for_any_date(locked: Workshop, index: LocalIndex) -> None:
    index.remove("lib-1.0.tar.gz")
    sdists.publish(index, "lib", "2.0")
    assert locked.vendor("--exclude-newer", "2026-11-01").status == 0
    assert locked.keys() == ["lib==1.0", "more==2.0"]


@pytest.mark.parametrize("status", [404, 410])
def test_a_name_that_is_gone_as_a_whole_stays_too(locked: Workshop, index: LocalIndex, status: int) -> None:
    index.fails("/simple/lib/", "status", status=status)
    assert locked.vendor().status == 0
    assert locked.keys() == ["lib==1.0", "more==2.0"]


def test_what_is_gone_and_damaged_here_is_not_taken(locked: Workshop, index: LocalIndex) -> None:
    index.remove("lib-1.0.tar.gz")
    sdists.publish(index, "lib", "2.0")
    (locked.root / "vendor" / "lib-1.0.tar.gz").write_bytes(sdists.make_sdist("lib", "1.0", files={"evil.py": ""}))
    assert locked.vendor().status == 0
    assert locked.keys() == ["lib==2.0", "more==2.0"]


def test_a_wheel_that_is_gone_stays(shop: Workshop, index: LocalIndex) -> None:
    binary(shop, index, "py3-none-any")
    index.remove("binary-1.0-py3-none-any.whl")
    sdists.publish_wheel(index, "binary", "2.0")
    files.remove(files.cache_root())
    done = shop.vendor()
    assert done.status == 0, done.err
    assert shop.lock().find("binary==1.0").kind == "wheels"
    assert "binary-1.0-py3-none-any.whl: no index has it any more" in done.err


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_what_was_withdrawn_stays_with_a_warning(locked: Workshop, index: LocalIndex, resolver: str) -> None:
    entry = index.file("lib-1.0.tar.gz")
    assert entry
    entry.yanked = True
    sdists.publish(index, "lib", "2.0")
    done = locked.vendor("--resolver", resolver)
    assert done.status == 0, done.err
    assert locked.keys() == ["lib==1.0", "more==2.0"]
    assert done.err.count("lib-1.0.tar.gz: its authors have withdrawn (yanked) it; it stays") == 1


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
@pytest.mark.parametrize("as_html", [False, True])
def test_what_was_withdrawn_and_is_asked_for_is_taken_with_a_warning(
    shop: Workshop, index: LocalIndex, resolver: str, as_html: bool
) -> None:
    index.as_html = as_html
    sdists.publish(index, "lib", "1.0", build_requires=["maker==1.0"], yanked="it \x1b[2J loses files")
    sdists.publish(index, "lib", "2.0")
    index.add("maker-1.0.tar.gz", sdists.make_backend("maker", "1.0"), yanked="unsafe")
    shop.service("app", "lib==1.0")
    done = shop.vendor("--resolver", resolver)
    assert done.status == 0, done.err
    told = [("lib", "it \\x1b[2J loses files"), ("maker", "unsafe")]
    assert done.err.splitlines() == [
        f"warning: {name}-1.0.tar.gz: its authors have withdrawn (yanked) it: `{why}`; "
        f"`make why NAME={name}` shows what asks for just this version"
        for name, why in told
    ]
    assert shop.lock().find("lib==1.0")


@pytest.mark.parametrize(
    ("resolver", "line", "what"),
    [
        ("uv", "lib", "app/requirements.txt:1: `lib` is"),
        ("pip-tools", "lib", "app/requirements.txt:1: `lib` is"),
        ("uv", "lib>=2", "app/requirements.txt:1: `lib>=2` is"),
        # pip takes it for that.
        ("uv", "lead", "app/requirements.txt:1: `lib==2.0`, which lead requires, is"),
    ],
)
def test_releases_that_are_all_withdrawn_are_told_with_what_takes_one(
    shop: Workshop, index: LocalIndex, resolver: str, line: str, what: str
) -> None:
    sdists.publish(index, "lib", "1.0", yanked=True)
    sdists.publish(index, "lib", "2.0", yanked="it loses files")
    sdists.publish(index, "lead", "1.0", requires=["lib==2.0"])
    said, hint = shop.service("app", line).vendor("--resolver", resolver).error
    assert said.startswith(f"{what} satisfied only by releases that their authors have withdrawn (yanked): ")
    assert "2.0 (`it loses files`)" in said
    assert hint.endswith("add a line that names it: lib==2.0")
    shop.write({"app/requirements.txt": f"{line}\nlib==2.0\n"})
    assert shop.vendor("--resolver", resolver).status == 0
    assert shop.lock().find("lib==2.0")


def test_a_release_that_is_withdrawn_among_others_that_do_not_fit_is_told(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "lib", "1.0", yanked=True)
    sdists.publish(index, "lib", "2.0")
    said, _ = shop.service("app", "lib<2").vendor().error
    assert said.endswith("`lib<2` is satisfied only by releases that their authors have withdrawn (yanked): 1.0")


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_a_build_that_only_withdrawn_releases_satisfy_is_told_with_what_takes_one(
    shop: Workshop, index: LocalIndex, resolver: str
) -> None:
    sdists.publish(index, "helper", "1.0", yanked="broken")
    sdists.publish(index, "lib", "1.0", build_requires=["helper"])
    shop.service("app", "lib")
    said, hint = shop.vendor("--resolver", resolver).error
    assert (
        "building lib 1.0: `helper` is satisfied only by releases that their authors have withdrawn (yanked): " in said
    )
    assert hint == "add the line lib: helper==1.0 to app/build-requirements.txt to build with that"
    shop.write({"app/build-requirements.txt": "lib: helper==1.0\n"})
    done = shop.vendor("--resolver", resolver)
    assert done.status == 0, done.err
    assert "helper-1.0.tar.gz: its authors have withdrawn (yanked) it: `broken`" in done.err
