"""Whatever stands in the files of a Rust source tree gives a value, or one `UserError` of one line."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.foreign_values import lines, one_error, tables, toml
from tests.unit.rust_trees import SHA256, SOURCE, Registry, line
from toolkit.crates import cargo_index, cargo_lock, cargo_workspace, crate_closure, crate_resolution
from toolkit.crates.cargo_workspace import Workspace

KEYS = (
    *("package", "name", "version", "dependencies", "build-dependencies", "dev-dependencies", "features", "target"),
    *("workspace", "members", "exclude", "path", "optional", "default-features", "patch", "resolver", "edition"),
    *("tool", "maturin", "manifest-path", "setuptools-rust", "ext-modules", "bins", "source", "checksum", "metadata"),
    *("root", "args", "rust-version", "default", "cfg(unix)"),
)
#: What makes more of a generated table than the error that a name is missing.
PACKAGE = b'[package]\nname = "app"\nversion = "0.1.0"\n'
PATHS = st.sampled_from(["Cargo.toml", "a/Cargo.toml", "a/b/Cargo.toml", "../Cargo.toml", ".cargo/config.toml"])


def workspaces(files: dict[str, bytes]) -> tuple[Workspace, ...]:
    names = cargo_workspace.wanted(files, "some-1.tar.gz")
    return cargo_workspace.of_files({name: files[name] for name in names}, list(files), "some-1.tar.gz")


@given(st.dictionaries(PATHS, tables(*KEYS), max_size=4), tables(*KEYS), tables(*KEYS))
def test_any_files_of_a_tree(found: dict[str, Any], settings: dict[str, Any], lock: dict[str, Any]) -> None:
    files = {path: toml(table) for path, table in found.items()}
    files |= {"pyproject.toml": toml({"tool": settings}), "Cargo.lock": toml({"package": [lock], **lock})}
    with one_error():
        for workspace in workspaces(files):
            crate_closure.stale(workspace)
            crate_closure.needed(workspace, Registry(line("six", "1.0.0")), ["linux"])
            crate_resolution.resolve(workspace, Registry(line("six", "1.0.0")), SOURCE)


@given(tables(*KEYS), tables(*KEYS))
def test_any_dependencies_and_features_of_a_package(dependencies: dict[str, Any], features: dict[str, Any]) -> None:
    package = {"name": "app", "version": "0.1.0"}
    content = toml({"package": package, "dependencies": dependencies, "features": features})
    with one_error():
        (workspace,) = workspaces({"Cargo.toml": content, "Cargo.lock": b"[[package]]\n" + PACKAGE.partition(b"\n")[2]})
        crate_closure.needed(workspace, Registry(), ["linux"])


@given(lines("[package]", "[[package]]", "name = ", "dependencies", "workspace", "setup", "RustExtension(", "'x'"))
def test_any_bytes(content: bytes) -> None:
    for name in ("Cargo.toml", "Cargo.lock", "pyproject.toml", "setup.py", ".cargo/config"):
        with one_error():
            workspaces({"Cargo.toml": PACKAGE, name: content})
    with one_error():
        cargo_lock.parse(content, "Cargo.lock")
    list(cargo_index.releases(content, "six"))


@given(tables("deps", "features", "features2", "vers", "cksum", "yanked", "v", "rust_version", "name", "req", "kind"))
def test_any_line_of_an_index(found: dict[str, Any]) -> None:
    entry = {**found, "name": "six", "vers": "1.0.0", "cksum": SHA256}
    lock = '[[package]]\nname = "app"\nversion = "0.1.0"\ndependencies = ["six"]\n[[package]]\nname = "six"\n'
    lock += f'version = "1.0.0"\nsource = "{SOURCE}"\n'
    with one_error():
        (workspace,) = workspaces({"Cargo.toml": PACKAGE + b'[dependencies]\nsix = "1"\n', "Cargo.lock": lock.encode()})
        crate_closure.needed(workspace, lambda name: json.dumps(entry).encode(), ["linux"])
    with one_error():
        crate_resolution.resolve(workspace, lambda name: json.dumps({**entry, "name": name}).encode(), SOURCE, "1.85")
