"""`make vendor` and vendor.txt: wheels by name, archives by URL, and the lines that errors propose."""

from __future__ import annotations

import io
import lzma
import tarfile
from typing import Any

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from tests.integration.workshop import HERE, Workshop
from toolkit.core import files
from toolkit.model.pins import Pinned

TAG = f"cp{HERE.replace('.', '')}"


def names(shop: Workshop, key: str) -> list[str]:
    return [file.name for file in shop.lock().find(key).files]


def without_header(content: bytes) -> bytes:
    """Return a .tar.xz of the same tree as it comes out of a version control system: no PKG-INFO."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(content)) as old, tarfile.open(fileobj=stream, mode="w") as new:
        for member in old.getmembers():
            if not member.name.endswith("/PKG-INFO"):
                new.addfile(member, old.extractfile(member))
    return lzma.compress(stream.getvalue())


def test_wheels_for_several_platforms(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish_wheel(index, "yc-client", "1.0", tag=f"{TAG}-none-macosx_10_6_intel", requires=["unwanted"])
    sdists.publish_wheel(index, "yc-client", "1.0", tag=f"{TAG}-none-linux_x86_64", requires=["unwanted"])
    sdists.publish_wheel(index, "yc-client", "2.0", tag=f"{TAG}-none-linux_x86_64", requires=["unwanted"])
    shop.service("app", "yc-client").write(
        {
            "app/vendor.txt": "yc-client --platform macosx_10_6_intel --no-deps\n"
            "yc-client --platform linux_x86_64 --no-deps\n"
        }
    )
    done = shop.vendor()
    assert done.status == 0, done.err
    assert shop.keys() == ["yc-client==1.0"]
    assert names(shop, "yc-client==1.0") == [
        f"yc_client-1.0-{TAG}-none-linux_x86_64.whl",
        f"yc_client-1.0-{TAG}-none-macosx_10_6_intel.whl",
    ]
    assert index.requests["/simple/unwanted/"] == 0


def test_without_no_deps_what_a_wheel_needs_is_vendored(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish_wheel(index, "binary", "1.0", requires=["wanted"])
    sdists.publish(index, "wanted", "1.0")
    shop.service("app", "binary").write({"app/vendor.txt": "binary\n"})
    assert shop.vendor().status == 0
    kinds = {item.key: item.kind for item in shop.lock().packages}
    assert kinds == {"binary==1.0": "wheels", "wanted==1.0": "sdist"}


def test_a_wheel_of_a_build_tool(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish_wheel(index, "maturin", "1.0")
    sdists.publish(index, "thing", "1.0", build_requires=["maturin>=1,<2"])
    shop.service("app", "thing").write({"app/vendor.txt": "maturin\n"})
    assert shop.vendor().status == 0
    assert (shop.keys(), shop.build_keys()) == (["thing==1.0"], ["maturin==1.0"])
    assert names(shop, "maturin==1.0") == ["maturin-1.0-py3-none-any.whl"]


def test_the_project_s_own_file_is_for_all_services(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish_wheel(index, "binary", "1.0", requires=["unwanted"])
    sdists.publish(index, "thing", "1.0")
    shop.service("app", "binary").service("other", "binary").write({"vendor.txt": "binary --no-deps\n"})
    assert shop.vendor().status == 0
    assert shop.keys() == shop.keys("other") == ["binary==1.0"]
    assert shop.build().status == 0
    shop.write({"vendor.txt": "binary\n"})
    assert "no distribution `unwanted`" in shop.vendor().errors[0][0]
    assert "vendor.txt: changed" in shop.build().error[0]


def test_a_linter_for_the_whole_project_is_taken_as_the_hint_says(shop: Workshop, index: LocalIndex) -> None:
    """Its line stands beside no service; so does the vendor.txt that is to have it."""
    sdists.publish_wheel(index, "linter", "1.0")
    shop.service("app").service("other").write({"dev-requirements.txt": "linter\n"})
    what, hint = shop.vendor().error
    assert "it is there for dev-requirements.txt:1: linter" in what
    assert hint == "add the line linter to vendor.txt to take its wheels"
    shop.write({"vendor.txt": "linter\n"})
    assert shop.vendor().status == 0
    assert shop.dev_keys() == ["linter==1.0"]
    shop.write({"dev-requirements.txt": "", "other/dev-requirements.txt": "linter\n", "vendor.txt": ""})
    assert shop.vendor().error[1] == "add the line linter to other/vendor.txt to take its wheels"


@pytest.mark.parametrize("options", ["", "<2", " --no-deps"])
def test_a_line_that_nothing_requires_is_a_warning_and_takes_nothing(
    shop: Workshop, index: LocalIndex, options: str
) -> None:
    sdists.publish_wheel(index, "extra", "1.0")
    sdists.publish(index, "thing", "1.0")
    shop.service("app", "thing").write({"app/vendor.txt": f"\nextra{options}\n"})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert "app/vendor.txt:2: nothing requires extra, so no wheel of it is taken: remove the line" in done.err
    assert (shop.keys(), shop.build_keys()) == (["thing==1.0"], [])
    assert shop.vendored().keys() == {"pylock.app.toml", "thing-1.0.tar.gz"}


def test_a_line_that_one_service_needs_is_no_warning_for_another(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish_wheel(index, "binary", "1.0")
    shop.service("app").service("second", "binary").write({"app/vendor.txt": "binary\n"})
    done = shop.vendor()
    assert (done.status, done.err) == (0, "")


def test_a_misspelt_line_is_told_with_what_may_be_meant(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "binary", "1.0")
    shop.service("app", "binary").write({"app/vendor.txt": "binnary\n"})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert "app/vendor.txt:1: nothing requires binnary, so no wheel of it is taken: did you mean binary?" in done.err


def test_what_is_taken_for_builds_without_what_it_requires_is_not_shipped(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish_wheel(index, "maturin", "1.0", requires=["unwanted"])
    sdists.publish(index, "thing", "1.0", build_requires=["maturin"])
    shop.service("app", "thing").write({"app/vendor.txt": "maturin --no-deps\n"})
    done = shop.vendor()
    assert (done.status, done.err) == (0, "")
    assert (shop.keys(), shop.build_keys()) == (["thing==1.0"], ["maturin==1.0"])


def test_the_version_of_a_line_counts_for_what_is_required_and_for_what_builds(
    shop: Workshop, index: LocalIndex
) -> None:
    for version in ("1.0", "2.0"):
        sdists.publish_wheel(index, "binary", version)
        sdists.publish_wheel(index, "maturin", version)
    sdists.publish(index, "thing", "1.0", build_requires=["maturin"])
    shop.service("app", "thing", "binary").write({"app/vendor.txt": "binary<2\nmaturin==1.*\n"})
    assert shop.vendor().status == 0
    assert (shop.keys(), shop.build_keys()) == (["binary==1.0", "thing==1.0"], ["maturin==1.0"])
    shop.write({"app/vendor.txt": "binary==3\nmaturin\n"})
    assert shop.vendor().error[0] == "app/vendor.txt:1: no version satisfies `binary==3`"


def test_a_platform_without_a_wheel_is_named_with_the_line(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish_wheel(index, "binary", "1.0", tag=f"{TAG}-{TAG}-manylinux_2_17_x86_64")
    shop.service("app", "binary").write({"app/vendor.txt": "# ours\nbinary --platform manylinux_2_17_aarch64\n"})
    what, hint = shop.vendor().error
    assert what == f"app/vendor.txt:2: binary 1.0 has no wheel for Python {HERE} on manylinux_2_17_aarch64"
    assert f"binary-1.0-{TAG}-{TAG}-manylinux_2_17_x86_64.whl" in hint


def test_an_archive_of_debian(shop: Workshop, index: LocalIndex) -> None:
    name = "python-apt_1.1.0~beta1build1.tar.xz"
    content = without_header(sdists.make_sdist("python-apt", "1.1.0", build_requires=["tool"]))
    url = index.add(name, content, name="elsewhere")
    sdists.publish(index, "tool", "1.0")
    shop.service("app").write({"app/vendor.txt": f"{url}\n"})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert "no sha256 is given for it" in done.err
    locked = shop.lock().find("python-apt==1.1.0")
    assert (locked.kind, locked.files[0].name, locked.build_requires) == ("archive", name, (Pinned("tool", "1.0"),))
    assert shop.vendored()[name] == content


def test_archives_with_the_short_ending(shop: Workshop, index: LocalIndex) -> None:
    thing = index.add("thing-1.0.tgz", sdists.make_sdist("thing", "1.0"), name="elsewhere")
    other = index.add("other-2.0.tgz", sdists.make_sdist("other", "2.0"), name="elsewhere")
    shop.service("app", "other").write({"app/vendor.txt": f"{thing}\n{other}\n"})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert sorted(shop.keys()) == ["other==2.0", "thing==1.0"]
    assert {"other-2.0.tgz", "thing-1.0.tgz"} <= shop.vendored().keys()
    assert shop.build().status == 0


def test_the_hash_of_an_archive_is_held(shop: Workshop, index: LocalIndex) -> None:
    url = index.add("thing-1.0.tar.gz", sdists.make_sdist("thing", "1.0"), name="elsewhere")
    shop.service("app", "thing").write({"app/vendor.txt": f"{url}\n"})
    assert shop.vendor().status == 0
    first = shop.lock().find("thing==1.0").files[0].sha256
    before = shop.vendored()
    index.add("thing-1.0.tar.gz", sdists.make_sdist("thing", "1.0", modules={"evil": ""}), name="elsewhere")
    files.remove(files.cache_root())
    what, _ = shop.vendor("--upgrade", "all").error
    assert what.startswith(f"thing-1.0.tar.gz: {url} is not the file that was promised")
    assert f", not {first}" in what
    assert shop.vendored() == before
    assert index.requests["/simple/thing/"] == 0


def test_the_hash_that_vendor_txt_gives(shop: Workshop, index: LocalIndex) -> None:
    url = index.add("thing-1.0.tar.gz", sdists.make_sdist("thing", "1.0"), name="elsewhere")
    shop.service("app").write({"app/vendor.txt": f"{url}#sha256={'0' * 64}\n"})
    what, hint = shop.vendor().error
    assert what.endswith(f", not {'0' * 64}")
    assert "find out who" in hint
    assert not (shop.root / "vendor").exists()
    assert shop.leftovers() == []


def test_two_archives_of_one_name(shop: Workshop, index: LocalIndex) -> None:
    first = index.add("release.tar.gz", sdists.make_sdist("one", "1.0"), name="elsewhere")
    (shop.root.parent / "release.tar.gz").write_bytes(sdists.make_sdist("two", "1.0"))
    second = (shop.root.parent / "release.tar.gz").as_uri()
    shop.service("app").write({"app/vendor.txt": f"{first}\n{second}\n"})
    what, hint = shop.vendor().error
    assert what.startswith("release.tar.gz: two different archives have this name")
    assert "another name" in hint


def an_archive(index: LocalIndex, name: str, **options: Any) -> str:
    """Publish an archive outside of the index's own pages, and return its URL."""
    content = sdists.make_sdist(name, "1.0", metadata=False, **options)
    return index.add(f"{name}-1.0.tar.gz", content, name="elsewhere")


def test_an_extra_of_an_archive_brings_what_it_requires(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "spam", "1.0")
    url = an_archive(index, "tool", requires=["spam ; extra == 'x'"])
    shop.service("app", "tool[x]").write({"app/vendor.txt": f"{url}\n"})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert shop.keys() == ["spam==1.0", "tool==1.0"]


@pytest.mark.parametrize("asking", ["line", "index", "archive"])
def test_an_archive_of_a_version_that_does_not_fit_is_told_with_its_line(
    shop: Workshop, index: LocalIndex, asking: str
) -> None:
    sdists.publish(index, "wanting", "1.0", requires=["tool>=2"])
    urls = [an_archive(index, "tool"), an_archive(index, "other", requires=["tool>=2"])]
    required, archives = {"line": ("tool>=2", 1), "index": ("wanting", 1), "archive": ("", 2)}[asking]
    shop.service("app", required).write({"app/vendor.txt": "".join(f"{url}\n" for url in urls[:archives])})
    said, hint = shop.vendor().error
    assert "app/vendor.txt:1: tool==1.0" in said
    assert said.endswith("cannot be satisfied together")
    assert hint == "change one of the requirements named above"


def test_an_archive_that_does_not_say_what_it_is(shop: Workshop, index: LocalIndex) -> None:
    content = without_header(sdists.make_sdist("thing", "1.0", files={"pyproject.toml": ""}))
    url = index.add("latest.tar.xz", content, name="elsewhere")
    shop.service("app").write({"app/vendor.txt": f"{url}\n"})
    what, hint = shop.vendor().error
    assert what == "app/vendor.txt:1: latest.tar.xz does not say which distribution it is"
    assert "name-version" in hint


def test_all_that_cannot_be_had_as_source_is_named_at_once(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "thing", "1.0", build_requires=["closed-tool"])
    for name in ("closed", "closed-tool"):
        sdists.publish_wheel(index, name, "1.0")
    shop.service("app", "thing", "closed")
    assert shop.vendor().errors == [
        (
            "closed-tool 1.0 has no sdist; it is there for app/requirements.txt:1: thing => closed-tool 1.0",
            "add the line closed-tool to app/vendor.txt to take its wheels",
        ),
        (
            "closed 1.0 has no sdist; it is there for app/requirements.txt:2: closed",
            "add the line closed to app/vendor.txt to take its wheels",
        ),
    ]
    assert not (shop.root / "vendor").exists()
    shop.write({"app/vendor.txt": "closed\nclosed-tool\n"})
    assert shop.vendor().status == 0
    assert shop.build_keys() == ["closed-tool==1.0"]


def test_crates_that_come_along_can_be_built(shop: Workshop, index: LocalIndex) -> None:
    rust = '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n'
    crates = {"pyproject.toml": rust, "Cargo.toml": "[package]\n", "vendor/serde/.cargo-checksum.json": "{}"}
    sdists.publish(index, "rusty", "1.0", files=crates)
    sdists.publish_wheel(index, "maturin", "1.0", modules={"maturin": ""})
    shop.service("app", "rusty").write({"app/vendor.txt": "maturin\n"})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert shop.lock().find("rusty==1.0").kind == "sdist"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ham spam", "neither a distribution nor a URL"),
        ("ham --flavour x", "unknown option `--flavour`"),
        ("https://host.invalid/ham.exe", "not an archive"),
        ("--no-deps", "options without a name"),
        ("https://[host/ham-1.0.tar.gz", "not a URL"),
        ("https://me:s3/cret@host.invalid/ham-1.0.tar.gz", "not a URL: `https://***@host.invalid/"),
    ],
)
def test_a_line_that_makes_no_sense(shop: Workshop, index: LocalIndex, text: str, what: str) -> None:
    shop.service("app").write({"app/vendor.txt": f"\n{text}\n"})
    said, hint = shop.vendor().error
    assert said.startswith(f"app/vendor.txt:2: {what}")
    assert hint
    assert index.requests.total() == 0


@pytest.mark.parametrize("line", ["My_Lib", "my.lib --no-deps", "my-lib==99.0", "{archive}"])
def test_nothing_takes_the_place_of_a_package_of_the_project(shop: Workshop, index: LocalIndex, line: str) -> None:
    sdists.publish_wheel(index, "my-lib", "99.0")
    archive = index.add("other-9.0.tar.gz", sdists.make_sdist("My.Lib", "9.0"))
    shop.package("my_lib")
    shop.service("app", "my_lib").write({"app/vendor.txt": f"{line.format(archive=archive)}\n"})
    what, _ = shop.vendor().error
    assert "my-lib" in what and "is a package of this project (my_lib/), which nothing may replace" in what
    assert not index.requests["/simple/my-lib/"]
    assert not (shop.root / "vendor").exists()


def test_a_version_of_a_package_of_the_project_is_looked_up_nowhere(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "third", "1.0", requires=["My.LIB>=99"])
    shop.package("my_lib")
    what, hint = shop.service("app", "third", "my_lib").vendor("--resolver", "pip-tools").error
    assert what == "`My.LIB>=99` is required, but my-lib is a package of this project"
    assert "no index is asked" in hint
    assert not index.requests["/simple/my-lib/"]


def test_what_cannot_be_had_is_named_rather_than_the_hook_that_lacks_it(shop: Workshop, index: LocalIndex) -> None:
    hook = '[build-system]\nrequires = ["closed"]\nbuild-backend = "x"\nbackend-path = ["."]\n'
    sdists.publish(index, "asking", "1.0", files={"pyproject.toml": hook, "x.py": "raise SystemExit(1)\n"})
    sdists.publish_wheel(index, "closed", "1.0")
    sdists.publish(index, "thing", "1.0", build_requires=["asking"])
    shop.service("app", "thing")
    what, hint = shop.vendor().error
    assert what == (
        "closed 1.0 has no sdist; it is there for app/requirements.txt:1: thing => asking 1.0 => closed 1.0"
    )
    assert hint == "add the line closed to app/vendor.txt to take its wheels"
