"""Rust: the crates of a Cargo.lock are vendored, and compiled without a network."""

from __future__ import annotations

import ctypes
import difflib
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration import crates, sdists
from tests.integration.crates import Registry
from tests.integration.local_index import LocalIndex
from tests.integration.workshop import Workshop
from toolkit.core import files
from toolkit.model.crates import CRATES_IO

_MANIFEST = """\
[package]
name = "rusty"
version = "1.0.0"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[dependencies]
called-so = { package = "outer-crate", version = "1" }

[target.'cfg(windows)'.dependencies]
only-windows = { version = "0.5", features = ["asked"] }
"""
_LIBRARY = """\
#[no_mangle]
pub extern "C" fn answer() -> i32 { called_so::answer() }
"""
_ROOT = '[[package]]\nname = "rusty"\nversion = "1.0.0"\ndependencies = ["only-windows", "outer-crate"]'


def _patch(name: str, old: str, new: str) -> str:
    """Return a patch that makes of a file's text another one."""
    before, after = (text.splitlines(keepends=True) for text in (old, new))
    return "".join(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}"))


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry with a crate that is needed, one that it needs, and two for machines that nobody builds for."""
    with crates.serving() as found:
        found.configure(tmp_path / "cargo")
        monkeypatch.setenv("CARGO_HOME", str(tmp_path / "cargo"))
        found.add("inner-crate", "0.3.1+build", "pub fn half() -> i32 { 21 }\n")
        found.add(
            "outer-crate",
            "1.4.0",
            "pub fn answer() -> i32 { inner_crate::half() * 2 }\n",
            needs=[
                {"name": "inner-crate", "req": "^0.3"},
                {"name": "mac", "package": "only-macos", "req": "^2", "target": 'cfg(target_os = "macos")'},
            ],
        )
        found.add("only-macos", "2.0.0", "compile_error!();")
        found.add("only-windows", "0.5.1", features={"asked": ["more"], "more": [], "unasked": []})
        yield found


def _files(registry: Registry, **changes: str) -> dict[str, str]:
    packages = {
        "inner-crate 0.3.1+build": [],
        "only-macos 2.0.0": [],
        "only-windows 0.5.1": [],
        "outer-crate 1.4.0": ["inner-crate", "only-macos"],
    }
    members = {"Cargo.toml": _MANIFEST, "Cargo.lock": registry.lock(_ROOT, packages), "src/lib.rs": _LIBRARY}
    return members | changes


def _vendored(shop: Workshop) -> list[str]:
    return sorted(name for name in shop.vendored() if name.endswith(".crate"))


def _library() -> bytes:
    """Return what was compiled last."""
    wheels = (files.cache_root() / "store").rglob("rusty-1.0-*.whl")
    with zipfile.ZipFile(max(wheels, key=lambda path: path.stat().st_mtime_ns)) as archive:
        return archive.read("rusty.so")


def _service(shop: Workshop) -> Workshop:
    return shop.service("app", "rusty").write({"app/vendor.txt": "maturin\n"})


#: As setuptools-rust does it for an extension that is optional.
_GOES_ON = """
import subprocess, tiny_backend
get_requires_for_build_wheel = tiny_backend.get_requires_for_build_wheel
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    words = ["rustc", "--lib", "--manifest-path", "Cargo.toml", "--release", "--", "--crate-type", "cdylib"]
    if subprocess.run(["cargo", *words]).returncode != 0:
        print("Build optional Rust extension rusty failed.")
    return tiny_backend.build_wheel(wheel_directory)
"""


@pytest.mark.parametrize(("library", "is_told"), [("pub fn answer() -> i32 { gone() }\n", True), ("", False)])
def test_an_optional_extension_that_did_not_compile_is_told(
    shop: Workshop, index: LocalIndex, registry: Registry, library: str, *, is_told: bool
) -> None:
    system = '[build-system]\nrequires = ["maturin"]\nbuild-backend = "optional"\nbackend-path = ["."]\n'
    rust = {
        "Cargo.toml": _MANIFEST.partition("[dependencies]")[0],
        "Cargo.lock": registry.lock('[[package]]\nname = "rusty"\nversion = "1.0.0"\n', {}),
        "src/lib.rs": library,
    }
    crates.publish_maturin(index)
    sdists.publish(index, "rusty", "1.0", files={"optional.py": _GOES_ON, "pyproject.toml": system, **rust})
    assert _service(shop).vendor().status == 0
    text = "rusty 1.0: its wheel lacks what did not compile: Cargo.toml"
    for _ in range(2):
        done = shop.build()
        assert done.status == 0, done.err
        assert (f"warning: {text}\n" in done.err) is is_told
    required = shop.build("--extensions", "required")
    assert required.error[0] == text if is_told else required.status == 0


def test_the_crates_are_those_of_the_patched_source(shop: Workshop, index: LocalIndex, registry: Registry) -> None:
    alone = _MANIFEST.partition("[dependencies]")[0]
    without = {
        "Cargo.toml": alone,
        "Cargo.lock": registry.lock('[[package]]\nname = "rusty"\nversion = "1.0.0"\n', {}),
        "src/lib.rs": '#[no_mangle]\npub extern "C" fn answer() -> i32 { 1 }\n',
    }
    crates.publish(index, "rusty", without)
    patch = "".join(_patch(name, without[name], new) for name, new in _files(registry).items())
    done = _service(shop).write({"patches/rusty/outer.patch": patch}).vendor()
    assert done.status == 0, done.err
    assert _vendored(shop) == ["inner-crate-0.3.1+build.crate", "outer-crate-1.4.0.crate"]
    built = shop.build()
    assert built.status == 0, built.err


def test_a_rust_distribution_is_built_from_vendored_crates(
    shop: Workshop, index: LocalIndex, registry: Registry, tmp_path: Path
) -> None:
    crates.publish(index, "rusty", _files(registry))
    done = _service(shop).vendor()
    assert done.status == 0, done.err
    # Those of other systems are known, not fetched.
    assert _vendored(shop) == ["inner-crate-0.3.1+build.crate", "outer-crate-1.4.0.crate"]
    lock = shop.lock()
    assert [crate.key for crate in lock.crates if not crate.file] == ["only-macos==2.0.0", "only-windows==0.5.1"]
    assert lock.find("rusty==1.0").crates == tuple(crate.key for crate in lock.crates)
    (known,) = [crate.index_line for crate in lock.crates if crate.name == "only-windows"]
    assert "asked" in known and "more" in known and "unasked" not in known

    registry.pages.clear()
    built = shop.build()
    assert built.status == 0, built.err
    content = _library()
    (tmp_path / "rusty.so").write_bytes(content)
    assert ctypes.CDLL(str(tmp_path / "rusty.so")).answer() == 42
    assert not any(word in content for word in (b"/build/", str(tmp_path).encode(), str(Path.home()).encode()))


def test_crates_that_an_sdist_brings_itself_are_compiled_like_any_other(
    shop: Workshop, index: LocalIndex, registry: Registry
) -> None:
    checksum = '{"files": {}, "package": "%s"}' % ("0" * 64)
    own = '[package]\nname = "outer-crate"\nversion = "1.4.0"\n'
    lock = registry.lock('[[package]]\nname = "rusty"\nversion = "1.0.0"\ndependencies = ["outer-crate"]', {})
    locked = f'[[package]]\nname = "outer-crate"\nversion = "1.4.0"\nsource = "{CRATES_IO}"\n'
    members = {
        "Cargo.toml": _MANIFEST.partition("[target")[0],
        "Cargo.lock": f'{lock}\n{locked}checksum = "{"0" * 64}"\n',
        "src/lib.rs": _LIBRARY.replace("called_so::answer()", "{ assert!(called_so::answer() > 0); 42 }"),
        ".cargo/config.toml": '[source.crates-io]\nreplace-with = "own"\n[source.own]\ndirectory = "own"\n',
        "own/outer-crate/Cargo.toml": own,
        "own/outer-crate/.cargo-checksum.json": checksum,
        "own/outer-crate/src/lib.rs": "pub fn answer() -> i32 { 42 }\n",
    }
    crates.publish(index, "rusty", members)
    assert _service(shop).vendor().status == 0
    assert _vendored(shop) == []
    assert shop.lock().find("rusty==1.0").rust
    built = shop.build()
    assert built.status == 0, built.err
    content = _library()
    # A message of a panic names its file.
    assert b"src/lib.rs" in content and b"/build/" not in content
    assert b"debug_info" in content


@pytest.mark.parametrize("mode", ["on", "off"])
def test_what_cargo_is_told_beside_the_sources_changes_nothing(
    shop: Workshop, index: LocalIndex, registry: Registry, mode: str
) -> None:
    crates.publish(index, "rusty", _files(registry))
    assert _service(shop).vendor().status == 0
    assert shop.build("--sandbox", mode).status == 0
    expected = _library()
    settings = """\
[build]
rustc = "/nowhere/rustc"
rustc-wrapper = "/usr/bin/sccache"
incremental = true
[target.'cfg(all())']
linker = "/nowhere/mold"
rustflags = ["-Ctarget-cpu=native"]
[source.crates-io]
replace-with = "mirror"
[source.mirror]
registry = "sparse+https://mirror.example/index/"
"""
    crates.publish(index, "rusty", {**_files(registry), ".cargo/config.toml": settings})
    shutil.rmtree(shop.root / "vendor")
    assert shop.vendor().status == 0
    # What whoever builds has for other projects, above the directory of the build.
    shop.write({".cargo/config.toml": "[build\n", "Cargo.toml": "[workspace]\n"})
    built = shop.build("--sandbox", mode)
    assert built.status == 0, built.err
    assert _library() == expected


@pytest.mark.parametrize("mode", ["on", "off"])
def test_two_builds_of_the_same_sources_give_the_same_wheel(
    shop: Workshop, index: LocalIndex, registry: Registry, mode: str
) -> None:
    crates.publish(index, "rusty", _files(registry))
    assert _service(shop).vendor().status == 0
    found = []
    for _ in range(2):
        files.remove(files.cache_root() / "store")
        assert shop.build("--sandbox", mode).status == 0
        (wheel,) = (files.cache_root() / "store").rglob("rusty-1.0-*.whl")
        found.append(wheel.read_bytes())
    assert found[0] == found[1]


def test_what_several_need_of_a_crate_that_nobody_compiles_is_all_known(
    shop: Workshop, index: LocalIndex, registry: Registry
) -> None:
    registry.add("only-windows", "0.5.2", features={"asked": ["more"], "more": [], "unasked": ["far"], "far": []})
    members = _files(registry, **{"Cargo.lock": ""})
    for name, feature in (("rusty", "asked"), ("dusty", "unasked")):
        needs = {
            "inner-crate 0.3.1+build": [],
            "only-macos 2.0.0": [],
            "only-windows 0.5.2": [],
            "outer-crate 1.4.0": ["inner-crate", "only-macos"],
        }
        manifest = _MANIFEST.replace("rusty", name).replace("asked", feature)
        lock = registry.lock(_ROOT.replace("rusty", name), needs)
        crates.publish(index, name, members | {"Cargo.toml": manifest, "Cargo.lock": lock})
    shop.service("app", "rusty", "dusty").write({"app/vendor.txt": "maturin\n"})
    assert shop.vendor().status == 0
    built = shop.build()
    assert built.status == 0, built.err
    # Without one of them the other's need is known alone.
    shop.service("app", "dusty").write({"app/vendor.txt": "maturin\n"})
    assert shop.vendor().status == 0
    (known,) = [crate.index_line for crate in shop.lock().crates if crate.name == "only-windows"]
    assert "unasked" in known and '"asked"' not in known


def test_the_registry_is_asked_whether_it_has_what_is_locked(
    shop: Workshop, index: LocalIndex, registry: Registry
) -> None:
    crates.publish(index, "rusty", _files(registry))
    assert _service(shop).vendor().status == 0
    done = shop.run("check-vendor", "--online")
    assert done.status == 0, done.err
    assert f"{len([*shop.lock().distributions()]) + 4} locked files, all as there" in done.out
    page = registry.pages["/index/ou/te/outer-crate"]
    registry.pages["/index/ou/te/outer-crate"] = page.replace(b'"yanked": false', b'"yanked": true')
    done = shop.run("check-vendor", "--online")
    assert done.status == 0, done.err
    assert "warning: the crate outer-crate==1.4.0: its authors have withdrawn it (yanked)" in done.err
    digest = json.loads(page)["cksum"]
    registry.pages["/index/ou/te/outer-crate"] = page.replace(digest.encode(), b"0" * 64)
    what, hint = shop.run("check-vendor", "--online").error
    assert what.startswith(f"the crate outer-crate==1.4.0: its sha256 is {'0' * 64} on {registry.url}/index/, the lock")
    assert "who put it there" in hint
    del registry.pages["/index/ou/te/outer-crate"]
    what, _ = shop.run("check-vendor", "--online").error
    assert what == f"the crate outer-crate==1.4.0: {registry.url}/index/ does not have it"
    lock = shop.root / "vendor" / "pylock.app.toml"
    named = 'name = "outer-crate"\n'
    lock.write_text(lock.read_text().replace(named, f'{named}source = "sparse+https://other.example/"\n'))
    what, _ = shop.run("check-vendor", "--online").error
    assert "sparse+https://other.example/" in what


def test_crates_of_two_registries_are_compiled_together(
    shop: Workshop, index: LocalIndex, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.add("own-crate", "1.0.0", "pub fn own() -> i32 { 0 }\n")
    own = f"sparse+{registry.url}/index/"
    monkeypatch.setenv("CARGO_REGISTRIES_OUR_OWN_INDEX", own)
    packages = {"inner-crate 0.3.1+build": [], "outer-crate 1.4.0": ["inner-crate", "only-macos"]}
    packages |= {"only-macos 2.0.0": [], "only-windows 0.5.1": []}
    root = _ROOT.replace('"outer-crate"', '"outer-crate", "own-crate"')
    lock = registry.lock(root, {**packages, "own-crate 1.0.0": []})
    place = lock.index('name = "own-crate"')
    manifest = '[dependencies.own-crate]\nversion = "1"\nregistry = "our-own"\n'
    members = {
        "Cargo.toml": f"{_MANIFEST}\n{manifest}",
        "Cargo.lock": lock[:place] + lock[place:].replace(CRATES_IO, own),
        "src/lib.rs": _LIBRARY.replace("called_so::answer()", "called_so::answer() + own_crate::own()"),
    }
    crates.publish(index, "rusty", members)
    done = _service(shop).vendor()
    assert done.status == 0, done.err
    assert {crate.name: crate.source for crate in shop.lock().crates}["own-crate"] == own
    built = shop.build()
    assert built.status == 0, built.err


def test_conditions_that_an_sdist_turns_on_hold_in_its_build(
    shop: Workshop, index: LocalIndex, registry: Registry
) -> None:
    members = _files(registry)
    members["Cargo.toml"] = members["Cargo.toml"].replace("cfg(windows)", "cfg(own_unstable)")
    members[".cargo/config.toml"] = '[build]\nrustflags = ["--cfg", "own_unstable"]\n'
    members["src/lib.rs"] = f'#[cfg(not(own_unstable))]\ncompile_error!("off");\nuse only_windows as _;\n{_LIBRARY}'
    crates.publish(index, "rusty", members)
    assert _service(shop).vendor().status == 0
    assert "only-windows-0.5.1.crate" in _vendored(shop)
    built = shop.build()
    assert built.status == 0, built.err


def test_vendoring_again_asks_no_registry(shop: Workshop, index: LocalIndex, registry: Registry) -> None:
    crates.publish(index, "rusty", _files(registry))
    assert _service(shop).vendor().status == 0
    before = shop.vendored()
    registry.asked.clear()
    sdists.publish(index, "plain", "1.0")
    shop.write({"app/requirements.txt": "rusty\nplain\n"})
    assert shop.vendor().status == 0
    assert [path for path in registry.asked if path != "/index/config.json"] == []
    assert _vendored(shop) == sorted(name for name in before if name.endswith(".crate"))


def test_crates_that_nothing_needs_any_more_go(shop: Workshop, index: LocalIndex, registry: Registry) -> None:
    crates.publish(index, "rusty", _files(registry))
    sdists.publish(index, "plain", "1.0")
    assert _service(shop).vendor().status == 0
    shop.service("app", "plain").write({"app/vendor.txt": ""})
    assert shop.vendor().status == 0
    assert _vendored(shop) == []
    assert shop.lock().crates == ()


def test_a_changed_crate_is_refused(shop: Workshop, index: LocalIndex, registry: Registry) -> None:
    crates.publish(index, "rusty", _files(registry))
    assert _service(shop).vendor().status == 0
    (shop.root / "vendor" / "outer-crate-1.4.0.crate").write_bytes(b"other")
    what, _ = shop.build().error
    assert "vendor/outer-crate-1.4.0.crate: has 5 bytes" in what


@pytest.mark.parametrize(
    ("members", "what"),
    [
        ({"outer-crate-1.4.0/Cargo.toml": '[package]\nname = "inner-crate"\nversion = "1.4.0"\n'}, "inner-crate 1.4.0"),
        ({"outer-crate-1.4.0/Cargo.toml": "", "../x": ""}, "a name with `..`"),
    ],
)
def test_a_crate_that_is_none_is_refused_before_anything_is_built(
    shop: Workshop, index: LocalIndex, registry: Registry, members: dict[str, str], what: str
) -> None:
    registry.add("outer-crate", "1.4.0", content=crates.archive(members))
    packages: dict[str, list[str]] = {"only-windows 0.5.1": [], "outer-crate 1.4.0": []}
    crates.publish(index, "rusty", _files(registry, **{"Cargo.lock": registry.lock(_ROOT, packages)}))
    said, _ = _service(shop).vendor().error
    assert "outer-crate-1.4.0.crate: " in said and what in said
    assert said.endswith("rusty 1.0 is there for app/requirements.txt:1: rusty")
    assert not (shop.root / "vendor").exists()


def test_another_file_than_cargo_lock_means_is_refused(shop: Workshop, index: LocalIndex, registry: Registry) -> None:
    crates.publish(index, "rusty", _files(registry))
    registry.pages["/files/outer-crate/1.4.0/download"] = b"other"
    what, hint = _service(shop).vendor().error
    assert "outer-crate-1.4.0.crate" in what and "is not the file that was promised" in what
    assert "do not use it" in hint
    assert not (shop.root / "vendor").exists()


@pytest.mark.parametrize(
    "change", [{"deps": [5]}, {"deps": None}, {"features": {"a": 5}}, {"features": [1]}, {"links": 5}]
)
def test_a_line_of_a_crate_that_nobody_compiles_is_read_by_type_too(
    shop: Workshop, index: LocalIndex, registry: Registry, change: dict[str, object]
) -> None:
    crates.publish(index, "rusty", _files(registry))
    path = "/index/on/ly/only-windows"
    registry.pages[path] = json.dumps({**json.loads(registry.pages[path]), **change}).encode()
    what, hint = _service(shop).vendor().error
    assert what.startswith("only-windows 0.5.1: its line in the registry's index")
    assert "the registry that has it" in hint
    assert not (shop.root / "vendor").exists()


def test_without_a_cargo_lock_the_newest_crates_that_fit_are_chosen_and_kept(
    shop: Workshop, index: LocalIndex, registry: Registry
) -> None:
    members = _files(registry)
    del members["Cargo.lock"]
    crates.publish(index, "rusty", members)
    done = _service(shop).vendor()
    assert done.status == 0, done.err
    assert _vendored(shop) == ["inner-crate-0.3.1+build.crate", "outer-crate-1.4.0.crate"]
    assert shop.build().status == 0
    # A newer one counts when it is asked for.
    registry.add("outer-crate", "1.5.0", "pub fn answer() -> i32 { 42 }\n")
    sdists.publish(index, "plain", "1.0")
    shop.write({"app/requirements.txt": "rusty\nplain\n"})
    assert shop.vendor().status == 0
    assert "outer-crate-1.4.0.crate" in _vendored(shop)
    assert shop.vendor("--upgrade", "rusty").status == 0
    assert _vendored(shop) == ["outer-crate-1.5.0.crate"]
    assert shop.build().status == 0


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("stale", "rusty 1.0: its Cargo.lock is not that of its Cargo.toml: rusty 1.0.0 requires absent"),
        ("git", "rusty 1.0: its crate outer-crate 1.4.0 comes from git+https://code.example/outer"),
        ("registry", "rusty 1.0: it takes crates from the registry `sparse+https://other.example/`"),
        ("no checksum", "rusty 1.0: its Cargo.lock has no checksum of the crate inner-crate 0.3.1+build"),
        ("broken", "rusty 1.0: Cargo.lock: not a Cargo.lock"),
    ],
)
def test_what_cannot_be_had_is_told_with_a_line_that_works(
    shop: Workshop, index: LocalIndex, registry: Registry, change: str, what: str
) -> None:
    members = _files(registry)
    lock = members["Cargo.lock"]
    outer = lock.index('name = "outer-crate"')
    if change == "stale":
        members["Cargo.toml"] += '\n[dependencies.absent]\nversion = "1"\n'
    elif change == "git":
        changed = lock[outer:].replace(CRATES_IO, "git+https://code.example/outer?rev=1#abc")
        members["Cargo.lock"] = lock[:outer] + changed
    elif change == "registry":
        members["Cargo.lock"] = lock[:outer] + lock[outer:].replace(CRATES_IO, "sparse+https://other.example/")
    elif change == "no checksum":
        members["Cargo.lock"] = "\n".join(line for line in lock.splitlines() if not line.startswith("checksum"))
    else:
        members["Cargo.lock"] = "version = ["
    crates.publish(index, "rusty", members)
    said, _ = _service(shop).vendor().error
    assert said.startswith(what)
    assert not (shop.root / "vendor").exists()
    sdists.publish_wheel(index, "rusty", "1.0")
    shop.write({"app/vendor.txt": "maturin\nrusty\n"})
    assert shop.vendor().status == 0


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"Cargo.lock": "version = 5\n"}, "Cargo.lock: its format is version 5, and 4 is the newest known here"),
        (
            {"Cargo.toml": f'{_MANIFEST}[dev-dependencies]\nfar = {{ path = "../../far" }}\n'},
            "Cargo.toml: far is in ../../far, where there is no Rust package",
        ),
        (
            {"Cargo.toml": f'{_MANIFEST}[workspace]\nmembers = ["gone"]\n'},
            "Cargo.toml: its member gone has no Cargo.toml",
        ),
        (
            {"Cargo.toml": f'{_MANIFEST}[patch.crates-io]\nouter-crate = {{ git = "https://code.example/outer" }}\n'},
            "its Cargo.toml replaces the crate outer-crate by one of `https://code.example/outer`, not of a registry",
        ),
        (
            {"Cargo.toml": _MANIFEST.replace('"asked"]', '"later"]').replace("cfg(windows)", "cfg(unix)")},
            "its Cargo.lock is not that of its Cargo.toml: only-windows 0.5.1 requires inner-crate ^0.9, of which it",
        ),
    ],
)
def test_what_cargo_would_not_take_is_told_before_the_build_with_what_was_tried(
    shop: Workshop, index: LocalIndex, registry: Registry, changes: dict[str, str], what: str
) -> None:
    later = {"name": "inner-crate", "req": "^0.9", "optional": True}
    registry.add("only-windows", "0.5.1", needs=[later], features={"asked": [], "later": ["dep:inner-crate"]})
    crates.publish(index, "rusty", _files(registry, **changes))
    said, hint = _service(shop).vendor().error
    assert said.startswith(f"rusty 1.0: {what}")
    assert said.endswith("; it is there for app/requirements.txt:1: rusty")
    assert hint == "use another version of rusty, or of what requires it, or leave it out"
    assert not (shop.root / "vendor").exists()
    sdists.publish_wheel(index, "rusty", "1.0")
    _, hint = shop.vendor().error
    assert hint == "add the line rusty to app/vendor.txt to take its wheels"
    shop.write({"app/vendor.txt": "maturin\nrusty\n"})
    assert shop.vendor().status == 0


def test_crates_that_an_sdist_should_bring_and_leaves_out_are_vendored(
    shop: Workshop, index: LocalIndex, registry: Registry
) -> None:
    settings = '[source.crates-io]\nreplace-with = "own"\n[source.own]\ndirectory = "own"\n'
    crates.publish(index, "rusty", _files(registry, **{".cargo/config.toml": settings}))
    assert _service(shop).vendor().status == 0
    assert _vendored(shop) == ["inner-crate-0.3.1+build.crate", "outer-crate-1.4.0.crate"]
    built = shop.build()
    assert built.status == 0, built.err


@pytest.mark.parametrize("change", ["more than needed", "own version", "git patch"])
def test_a_cargo_lock_that_cargo_corrects_without_a_network_is_taken(
    shop: Workshop, index: LocalIndex, registry: Registry, change: str
) -> None:
    members = _files(registry)
    if change == "more than needed":
        members["Cargo.toml"] = members["Cargo.toml"].partition("[target")[0]
    elif change == "own version":
        members["Cargo.toml"] = members["Cargo.toml"].replace("1.0.0", "1.0.1")
    else:
        place = "https://code.example/unused"
        members["Cargo.toml"] += f'\n[patch.crates-io]\nunused = {{ git = "{place}" }}\n'
        source = f"git+{place}#{'0' * 40}"
        members["Cargo.lock"] += f'\n[[patch.unused]]\nname = "unused"\nversion = "1.0.0"\nsource = "{source}"\n'
    crates.publish(index, "rusty", members)
    done = _service(shop).vendor()
    assert done.status == 0, done.err
    assert _vendored(shop) == ["inner-crate-0.3.1+build.crate", "outer-crate-1.4.0.crate"]
    built = shop.build()
    assert built.status == 0, built.err


def test_a_crate_from_git_that_no_machine_compiles_has_only_to_be_known(
    shop: Workshop, index: LocalIndex, registry: Registry
) -> None:
    members = _files(registry)
    git = '{ git = "https://code.example/windows", tag = "v/1", features = ["asked"] }'
    members["Cargo.toml"] = members["Cargo.toml"].replace('{ version = "0.5", features = ["asked"] }', git)
    source = f"git+https://code.example/windows?tag=v%2F1#{'0' * 40}"
    blocks = members["Cargo.lock"].split("\n\n")
    (place,) = [number for number, block in enumerate(blocks) if 'name = "only-windows"' in block]
    entry = f'[[package]]\nname = "{{}}"\nversion = "0.5.1"\nsource = "{source}"\n'
    # What it needs itself, nobody knows.
    blocks[place] = entry.format("only-windows") + 'dependencies = ["windows-base"]\n\n' + entry.format("windows-base")
    members["Cargo.lock"] = "\n\n".join(blocks).replace("version = 3", "version = 4", 1)
    crates.publish(index, "rusty", members)
    done = _service(shop).vendor()
    assert done.status == 0, done.err
    known = [crate.key for crate in shop.lock().crates if crate.source == source]
    assert known == ["only-windows==0.5.1", "windows-base==0.5.1"]
    assert _vendored(shop) == ["inner-crate-0.3.1+build.crate", "outer-crate-1.4.0.crate"]
    assert shop.run("check-vendor", "--online").status == 0
    built = shop.build()
    assert built.status == 0, built.err
    assert b"answer" in _library()


def test_suites_whose_rust_is_too_old_are_told(shop: Workshop, index: LocalIndex, registry: Registry) -> None:
    registry.add("new-crate", "1.0.0", rust="1.80")
    registry.add("win-crate", "1.0.0", rust="1.95")
    manifest = _MANIFEST.replace("[dependencies]", '[dependencies]\nnew-crate = "1"')
    manifest = manifest.replace("[target", "[target.'cfg(windows)'.dependencies]\nwin-crate = \"1\"\n[target", 1)
    manifest = manifest.replace("\n[target.'cfg(windows)'.dependencies]\nonly-windows", "\nonly-windows")
    root = _ROOT.replace('["only', '["new-crate", "only').replace('"]', '", "win-crate"]')
    packages: dict[str, list[str]] = {
        "new-crate 1.0.0": [],
        "win-crate 1.0.0": [],
        "inner-crate 0.3.1+build": [],
        "only-macos 2.0.0": [],
        "only-windows 0.5.1": [],
        "outer-crate 1.4.0": ["inner-crate", "only-macos"],
    }
    lock = registry.lock(root, packages)
    crates.publish(index, "rusty", _files(registry, **{"Cargo.toml": manifest, "Cargo.lock": lock}))
    shop.write({"debian/control": "Source: app\nBuild-Depends: cargo\n", "app/vendor.txt": "maturin\n"})
    shop.service("app", "rusty")
    done = shop.vendor("--suites", "noble forky bookworm other")
    assert done.status == 0, done.err
    found = shop.lock().find("rusty==1.0")
    # That of Windows is compiled nowhere.
    assert (found.rust_version, found.rust_version_of) == ("1.80", "new-crate 1.0.0")
    noble, bookworm = [line for line in done.err.splitlines() if "the Rust of" in line]
    assert "noble (cargo: 1.75" in noble and "rusty 1.0 (1.80, which new-crate 1.0.0 asks for)" in noble
    assert "in vendor.txt: rusty" in done.err and "leave noble out of SUITES" in done.err
    assert "bookworm (cargo: 1.63" in bookworm
    assert "write `cargo-web | cargo` in the place of `cargo`" in done.err
    # It is said until it is done.
    again = shop.write({"debian/control": "Source: app\nBuild-Depends: cargo-web | cargo\n"}).vendor(
        "--suites", "noble"
    )
    assert "up to date" in again.out and "the Rust of noble" in again.err
    assert "the Rust" not in shop.vendor("--suites", "bookworm trixie forky").err


def test_a_yanked_crate_is_taken_where_a_cargo_lock_names_it_and_is_chosen_by_nothing_else(
    shop: Workshop, index: LocalIndex, registry: Registry
) -> None:
    members = _files(registry)
    registry.add("outer-crate", "1.4.0", "pub fn answer() -> i32 { 42 }\n", yanked=True)
    registry.add("only-windows", "0.5.1", features={"asked": []}, yanked=True)
    packages: dict[str, list[str]] = {"only-windows 0.5.1": [], "outer-crate 1.4.0": []}
    members["Cargo.lock"] = registry.lock(_ROOT, packages)
    crates.publish(index, "rusty", members)
    done = _service(shop).vendor()
    assert done.status == 0, done.err
    assert (
        "rusty 1.0: it is compiled with crates that their authors have withdrawn (yanked): outer-crate 1.4.0;"
        in done.err
    )
    assert _vendored(shop) == ["outer-crate-1.4.0.crate"]
    assert shop.build().status == 0
    shutil.rmtree(shop.root / "vendor")
    del members["Cargo.lock"]
    crates.publish(index, "rusty", members)
    said, _ = shop.vendor().error
    assert said.startswith("rusty 1.0.0 requires outer-crate 1, of which the registry has no version that its authors")
    registry.add("outer-crate", "1.3.0", "pub fn answer() -> i32 { 42 }\n")
    registry.add("only-windows", "0.5.0", features={"asked": []})
    assert shop.vendor().status == 0
    assert _vendored(shop) == ["outer-crate-1.3.0.crate"]
    # One that is locked stays.
    registry.add("outer-crate", "1.3.0", "pub fn answer() -> i32 { 42 }\n", yanked=True)
    registry.add("outer-crate", "1.3.1", "pub fn answer() -> i32 { 42 }\n")
    sdists.publish(index, "plain", "1.0")
    assert shop.write({"app/requirements.txt": "rusty\nplain\n"}).vendor().status == 0
    assert _vendored(shop) == ["outer-crate-1.3.0.crate"]


def test_without_a_cargo_lock_crates_are_chosen_that_the_rust_of_all_suites_compiles(
    shop: Workshop, index: LocalIndex, registry: Registry
) -> None:
    registry.add("outer-crate", "1.5.0", "pub fn answer() -> i32 { 42 }\n", rust="1.64")
    members = _files(registry)
    del members["Cargo.lock"]
    crates.publish(index, "rusty", members)
    shop.write({"debian/control": "Source: app\nBuild-Depends: cargo\n"})
    done = _service(shop).vendor("--suites", "noble bookworm")
    assert done.status == 0, done.err
    assert "outer-crate-1.4.0.crate" in _vendored(shop)
    assert "the Rust of" not in done.err
    assert shop.build().status == 0
    assert shop.vendor("--upgrade", "rusty", "--suites", "noble").status == 0
    assert _vendored(shop) == ["outer-crate-1.5.0.crate"]


def test_the_rust_of_an_sdist_that_brings_its_crates_is_known(
    shop: Workshop, index: LocalIndex, registry: Registry
) -> None:
    own = {
        "vendor/inner-crate/.cargo-checksum.json": "{}",
        "Cargo.toml": _MANIFEST.replace("[lib]", 'rust-version = "1.90"\n[lib]'),
    }
    crates.publish(index, "rusty", _files(registry, **own))
    crates.publish(index, "odd", _files(registry, **{**own, "Cargo.toml": "[package"}))
    shop.service("app", "rusty", "odd").write({"app/vendor.txt": "maturin\n"})
    assert shop.vendor().status == 0
    found = shop.lock().find("rusty==1.0")
    assert (found.crates, found.rust_version, found.rust_version_of) == ((), "1.90", "rusty 1.0.0")
    assert shop.lock().find("odd==1.0").rust_version == ""
