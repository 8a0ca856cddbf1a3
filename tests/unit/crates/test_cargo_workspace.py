"""Where the Rust packages of a source tree are, and which of them are built."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from tests.unit.rust_trees import dependency, manifest, tree
from toolkit.core.errors import UserError
from toolkit.crates import cargo_workspace
from toolkit.crates.rust_builds import RustBuild

LOCK = 'version = 4\n[[package]]\nname = "app"\nversion = "0.1.0"\n'


def test_a_package_at_the_top_is_built_with_its_lock() -> None:
    files = {"Cargo.toml": manifest(more='serde = "1"'), "Cargo.lock": LOCK}
    (found,) = tree(files)
    assert (found.directory, found.builds, [*found.members]) == ("", {"": RustBuild()}, [""])
    assert found.packages[""].dependencies == (dependency("serde", requirement="1"),)
    assert [item.name for item in found.lock or ()] == ["app"]
    assert (found.resolver, found.vendored) == (2, False)


def test_maturin_names_the_manifest_and_features() -> None:
    settings = (
        '[tool.maturin]\nmanifest-path = "rust/x/Cargo.toml"\nfeatures = ["a", "pyo3/b"]\nno-default-features = true'
    )
    (found,) = tree({"pyproject.toml": settings, "rust/x/Cargo.toml": manifest(), "Cargo.toml": manifest("other")})
    build = RustBuild(manifest="rust/x/Cargo.toml", features=("a", "pyo3/b"), default_features=False)
    assert (found.directory, found.builds, found.lock) == ("rust/x", {"rust/x": build}, None)


def test_arguments_of_old_maturin_are_those_of_cargo() -> None:
    settings = '[tool.maturin]\ncargo-extra-args = "--no-default-features --features a,b -F c"'
    (found,) = tree({"pyproject.toml": settings, "Cargo.toml": manifest()})
    assert found.builds == {"": RustBuild(features=("a", "b", "c"), default_features=False)}


def test_setuptools_rust_may_build_several_workspaces() -> None:
    settings = "".join(f'[[tool.setuptools-rust.ext-modules]]\npath = "{name}/Cargo.toml"\n' for name in "ab")
    found = tree({"pyproject.toml": settings, "a/Cargo.toml": manifest("a"), "b/Cargo.toml": manifest("b")})
    assert [item.directory for item in found] == ["a", "b"]


def test_setup_py_is_read_not_run() -> None:
    setup = """
from setuptools_rust import RustBin, RustExtension
ARGS = ["--no-default-features"]
if os.environ.get("MORE"):
    ARGS = computed()
setup(rust_extensions=[
    RustExtension("x", "x/Cargo.toml", features=["one"]),
    RustBin("y", path="y/Cargo.toml", args=ARGS),
    setuptools_rust.RustExtension("z", path=somewhere()),
])
"""
    files = {"setup.py": setup, **{f"{name}/Cargo.toml": manifest(name) for name in "xy"}, "Cargo.toml": manifest()}
    builds = {directory: build for item in tree(files) for directory, build in item.builds.items()}
    assert builds == {
        "x": RustBuild(manifest="x/Cargo.toml", features=("one",)),
        "y": RustBuild(manifest="y/Cargo.toml", default_features=False),
        "": RustBuild(),
    }


def test_without_a_word_the_manifest_nearest_to_the_top_counts() -> None:
    files = {
        "pyproject.toml": "[tool.maturin]\nfeatures = ['f']",
        "rust/Cargo.toml": manifest(),
        "tests/x/y/Cargo.toml": "?",
    }
    (found,) = tree(files)
    assert found.builds == {"rust": RustBuild(manifest="rust/Cargo.toml", features=("f",))}


def test_members_of_a_workspace_and_what_they_inherit() -> None:
    root = """
[workspace]
members = ["crates/*"]
exclude = ["crates/away"]
resolver = "1"
[workspace.package]
version = "3.1.0"
rust-version = "1.80"
[workspace.dependencies]
helper = { path = "crates/helper", version = "3" }
big = { package = "big-crate", version = "2", default-features = false, features = ["x"] }
"""
    app = """
[package]
name = "app"
version.workspace = true
rust-version = { workspace = true }
[dependencies]
helper.workspace = true
big = { workspace = true, features = ["y"], optional = true }
[target.'cfg(windows)'.build-dependencies]
win = { version = "1", package = "windows-sys" }
[dev-dependencies]
outside = { path = "../../side/outside" }
"""
    files = {
        "pyproject.toml": '[tool.maturin]\nmanifest-path = "crates/app/Cargo.toml"',
        "Cargo.toml": root,
        "crates/app/Cargo.toml": app,
        "crates/helper/Cargo.toml": manifest("helper"),
        "crates/away/Cargo.toml": manifest("away"),
        "side/outside/Cargo.toml": manifest("outside"),
        "side/unused/Cargo.toml": "not TOML",
    }
    (found,) = tree(files)
    assert list(found.builds) == ["crates/app"]
    assert found.members == {"crates/app", "crates/helper", "side/outside"}
    assert found.packages.keys() == found.members
    assert (found.resolver, found.packages["crates/app"].rust_version) == (1, "1.80")
    own = found.packages["crates/app"]
    assert own.version == "3.1.0"
    assert own.dependencies == (
        dependency("helper", requirement="3", path="crates/helper"),
        dependency("big-crate", key="big", requirement="2", features=("y", "x"), default_features=False, optional=True),
        dependency("outside", kind="dev", path="side/outside"),
        dependency("windows-sys", key="win", requirement="1", kind="build", target="cfg(windows)"),
    )


def test_all_members_of_a_workspace_without_a_package_are_built() -> None:
    files = {"Cargo.toml": '[workspace]\nmembers = ["a/**", "c"]', "c/Cargo.toml": manifest("c")}
    files |= {"a/b/Cargo.toml": manifest("b"), "d/Cargo.toml": manifest("d")}
    (found,) = tree(files)
    assert set(found.builds) == {"a/b", "c"}


def test_packages_that_stand_in_for_others_are_known() -> None:
    stand_ins = '[patch.some]\none = { path = "one" }\nb = { package = "two", git = "https://code.example/two" }\n'
    replaced = '[replace]\n"three:1.0.0" = { path = "three" }\n"https://some.example#four@1.0.0" = { path = "gone" }\n'
    files = {
        "Cargo.toml": manifest(more=stand_ins + replaced),
        **{f"{name}/Cargo.toml": manifest(name) for name in ("one", "three")},
    }
    (found,) = tree(files)
    assert {*found.packages} == {"", "one", "three"}
    assert {*found.members} == {""}
    assert [(item.name, item.path, item.elsewhere) for item in found.patches] == [
        ("one", "one", ""),
        ("two", None, "https://code.example/two"),
        ("three", "three", ""),
        ("four", "gone", ""),
    ]
    assert found.absent == ("some-1.tar.gz: Cargo.toml: four is in gone, where there is no Rust package",)


@pytest.mark.parametrize(
    "more",
    [
        'x = { path = "../../x" }',
        'x = { path = "../../x", optional = true }',
        '[dev-dependencies]\nx = { path = "../../x" }',
        "[target.'cfg(windows)'.dependencies]\nx = { path = \"../../x\" }",
        '[patch.crates-io]\nx = { path = "../../x" }',
    ],
)
def test_a_package_that_is_not_in_the_tree_is_told_wherever_it_is_named(more: str) -> None:
    (found,) = tree({"Cargo.toml": manifest(more=more)})
    assert found.absent == ("some-1.tar.gz: Cargo.toml: x is in ../../x, where there is no Rust package",)


def test_of_a_package_beside_the_members_what_is_compiled_has_to_be_there() -> None:
    beside = 'a = { path = "a" }\nb = { path = "b", optional = true }\n[dev-dependencies]\nc = { path = "c" }'
    (found,) = tree(
        {"Cargo.toml": manifest(more='beside = { path = "beside" }'), "beside/Cargo.toml": manifest(more=beside)}
    )
    assert found.absent == ("some-1.tar.gz: beside/Cargo.toml: a is in beside/a, where there is no Rust package",)


def test_members_that_are_named_have_to_be_there_and_are_so_where_they_are_excluded() -> None:
    table = '[workspace]\nmembers = ["crates/a", "crates/gone", "more/*"]\nexclude = ["crates", "more/b"]\n'
    files = {
        "Cargo.toml": table,
        **{f"{path}/Cargo.toml": manifest(path[-1]) for path in ("crates/a", "more/b", "more/c")},
    }
    (found,) = tree(files)
    assert {*found.members} == {"crates/a", "more/c"}
    assert found.absent == ("some-1.tar.gz: Cargo.toml: its member crates/gone has no Cargo.toml",)


def test_each_directory_that_a_pattern_of_members_matches_has_to_be_one() -> None:
    table = '[workspace]\nmembers = ["crates/*"]\nexclude = ["crates/none"]\n'
    others = ("crates/none/x", "crates/.hidden/x", "crates/README.md", "crates/a/src/lib.rs", "crates/gone/src/lib.rs")
    files = {"Cargo.toml": table, "crates/a/Cargo.toml": manifest("a"), **dict.fromkeys(others, "")}
    (found,) = tree(files)
    assert {*found.members} == {"crates/a"}
    assert found.absent == ("some-1.tar.gz: Cargo.toml: its member crates/gone has no Cargo.toml",)


@pytest.mark.parametrize(
    "files",
    [
        {"vendor/one/.cargo-checksum.json": "{}", "vendor/one/Cargo.toml": "not TOML"},
        {".cargo/config.toml": '[source.here]\ndirectory = "vendor"', "vendor/one/README": ""},
        {".cargo/config": '[source.here]\nlocal-registry = "vendor"', "vendor/one-1.0.0.crate": ""},
    ],
)
def test_crates_inside_the_tree_are_seen(files: dict[str, str]) -> None:
    (found,) = tree({"Cargo.toml": manifest(), **files})
    assert found.vendored


def test_a_directory_of_crates_that_an_sdist_leaves_out_brings_none() -> None:
    (found,) = tree({"Cargo.toml": manifest(), ".cargo/config.toml": '[source.here]\ndirectory = "vendor"'})
    assert not found.vendored


def test_other_settings_of_cargo_bring_no_crates() -> None:
    (found,) = tree({"Cargo.toml": manifest(), ".cargo/config.toml": "[build]\nrustflags = []"})
    assert not found.vendored


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[package", "some-1.tar.gz: Cargo.toml: not a TOML file: "),
        ("[package]\nversion = '1.0.0'", "some-1.tar.gz: Cargo.toml: package.name is missing"),
        ("[package]\nname = '..'", "some-1.tar.gz: Cargo.toml: package.name is not as it can be: `'..'`"),
        (manifest(more="a = 3"), "some-1.tar.gz: Cargo.toml: dependencies.a is no table: `3`"),
        (manifest(more="a = '==1'"), "some-1.tar.gz: Cargo.toml: no requirement of a version: `==1`"),
        (manifest(more="a.workspace = true"), "some-1.tar.gz: Cargo.toml: workspace.dependencies is missing"),
        (
            "[package]\nname = 'a'\nworkspace = '..'",
            "some-1.tar.gz: ../Cargo.toml is missing, of which other files tell",
        ),
        ("[workspace]\nmembers = 'a'", "some-1.tar.gz: Cargo.toml: workspace.members is no list: `'a'`"),
    ],
)
def test_what_makes_no_sense_is_one_error(content: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        tree({"Cargo.toml": content})
    assert caught.value.what.startswith(message)


def test_an_sdist_is_read(tmp_path: Path) -> None:
    path = tmp_path / "some-1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in {"Cargo.toml": manifest(), "Cargo.lock": LOCK, "src/lib.rs": ""}.items():
            member = tarfile.TarInfo(f"some-1/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    (found,) = cargo_workspace.read(path, path.name)
    assert (list(found.packages), len(found.lock or ())) == ([""], 1)


def test_far_more_than_anybody_has_is_refused() -> None:
    settings = "".join(f'[[tool.setuptools-rust.ext-modules]]\npath = "{n}/Cargo.toml"\n' for n in range(201))
    with pytest.raises(UserError, match="builds more than 200 Rust packages"):
        tree({"pyproject.toml": settings, **{f"{n}/Cargo.toml": manifest() for n in range(201)}})
    with pytest.raises(UserError, match="far too many patterns of members"):
        tree({"Cargo.toml": f"[workspace]\nmembers = {[f'{n}*' for n in range(51)]}"})
    with pytest.raises(UserError, match=r"more than 5000 files Cargo\.toml"):
        tree({f"{n}/Cargo.toml": "" for n in range(5001)})
    assert cargo_workspace.wanted(["a/" * 33 + "Cargo.toml"], "some-1.tar.gz") == []
