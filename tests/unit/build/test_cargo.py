"""cargo's directory source, its settings, and its stand-in."""

import json
import os
import subprocess
import tomllib
from pathlib import Path

import pytest

from toolkit.build import cargo, uncompiled
from toolkit.build.crate_layout import CrateSource
from toolkit.model.crates import CRATES_IO
from toolkit.model.lock import Crate

PACKAGE = '[package]\nname = "app"\nversion = "0.1.0"\n'
PACKAGE_LOCK = f"[{PACKAGE[:9]}]{PACKAGE[9:]}"


def stub(line: object, source: str = CRATES_IO) -> CrateSource:
    text = line if isinstance(line, str) else json.dumps(line)
    crate = Crate(name="far", version="2.0.0", sha256="f" * 64, source=source, index_line=text)
    return CrateSource(crate=crate, path=None)


def test_every_registry_is_the_directory() -> None:
    other = "sparse+https://own.example/"
    found = tomllib.loads(cargo.settings([stub("{}"), stub("{}", other)], "/build/crates", {"our own": other}))
    assert found["net"]["offline"] is True
    assert found["registries"] == {"our own": {"index": other}}
    assert found["source"] == {
        "crates-io": {"replace-with": "vendored"},
        other: {"registry": other, "replace-with": "vendored"},
        "vendored": {"directory": "/build/crates"},
    }


@pytest.mark.parametrize(
    ("files", "locked"),
    [
        ({}, False),
        ({"Cargo.lock": PACKAGE_LOCK}, True),
        ({"Cargo.lock": PACKAGE_LOCK + '[[package]]\nname = "left-out"\nversion = "1.0.0"\n'}, False),
        ({"fuzz/Cargo.lock": PACKAGE_LOCK}, False),
        ({"Cargo.lock": "not TOML"}, True),
    ],
)
def test_a_lock_of_packages_that_are_left_out_is_not_frozen(
    tmp_path: Path, files: dict[str, str], locked: bool
) -> None:
    for name, text in {"Cargo.toml": PACKAGE, **files}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    os.mkfifo(tmp_path / "setup.py")
    assert cargo.is_locked(cargo.workspaces(tmp_path, tmp_path), ()) is locked


@pytest.mark.parametrize(
    ("words", "called"),
    [
        (["build", "--release"], "--frozen --config /a b/config.toml build --release"),
        (["--config", "x", "an-alias"], "--frozen --config /a b/config.toml --config x an-alias"),
        (["--version"], "--frozen --config /a b/config.toml --version"),
    ],
)
def test_the_stand_in_asks_for_nothing_that_is_not_there(tmp_path: Path, words: list[str], called: str) -> None:
    real = tmp_path / "real cargo"
    real.write_text('#!/bin/sh\necho "$*"\n')
    script = tmp_path / "cargo"
    script.write_text(cargo.stand_in(str(real), "/a b/config.toml", "/none", locked=True))
    for path in (real, script):
        path.chmod(0o755)
    done = subprocess.run([script, *words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == called


def test_without_a_cargo_lock_versions_may_be_chosen_among_what_is_there() -> None:
    assert '\ncargo --offline "$@"\n' in cargo.stand_in("cargo", "", "/none", locked=False)


@pytest.mark.parametrize(
    ("words", "lacks"),
    [
        ("rustc --lib --manifest-path rust/Cargo.toml --release -- --crate-type cdylib", ("rust/Cargo.toml",)),
        ("build --manifest-path=rust/Cargo.toml", ("rust/Cargo.toml",)),
        ("--quiet build", ("Cargo.toml",)),
        ("rustc -- --manifest-path rust/Cargo.toml", ("Cargo.toml",)),
        # These compile nothing that a wheel has.
        ("metadata --manifest-path rust/Cargo.toml", ()),
        ("metadata -- build", ()),
        ("build --manifest-path tests/fixture/Cargo.toml", ()),
    ],
)
def test_rust_that_did_not_compile_is_told_by_its_manifest(tmp_path: Path, words: str, lacks: tuple[str, ...]) -> None:
    tree, record = tmp_path / "source", tmp_path / "a record"
    for directory in ("", "rust", "tests/fixture"):
        (tree / directory).mkdir(parents=True, exist_ok=True)
        (tree / directory / "Cargo.toml").touch()
    real, script = tmp_path / "real", tmp_path / "cargo"
    script.write_text(cargo.stand_in(str(real), "", str(record), locked=True))
    for status, expected in ((101, lacks), (0, ())):
        real.write_text(f"#!/bin/sh\nexit {status}\n")
        for path in (real, script):
            path.chmod(0o755)
        assert subprocess.run([script, *words.split()], cwd=tree, check=False).returncode == status
        assert uncompiled.read(record, tree)[0] == expected


def test_link_flags_are_those_of_the_distribution_but_for_the_format_of_gcc() -> None:
    places = cargo.Places(home="/home/.cargo", source="/source", hidden={"/source": "source"})
    version = "rustc 1.90.0\nhost: riscv64gc-unknown-linux-gnu\n"
    found = cargo.Toolchain(cargo=Path("/usr/bin/cargo"), version=version)
    flags = ["-Wl,-z,relro", "-flto=auto", "-ffat-lto-objects", "-Wl,-z,now"]
    shipped = cargo.environment(places, found, flags, cheap=False)
    assert shipped["CARGO_TARGET_RISCV64GC_UNKNOWN_LINUX_GNU_LINKER"] == "cc"
    assert [flag for flag in shipped["CARGO_ENCODED_RUSTFLAGS"].split("\x1f") if "link-arg" in flag] == [
        "-Clink-arg=-Wl,-z,relro",
        "-Clink-arg=-Wl,-z,now",
    ]
    assert "link-arg" not in cargo.environment(places, found, flags, cheap=True)["CARGO_ENCODED_RUSTFLAGS"]


def test_a_developers_toolchain_is_not_chosen_by_the_directory_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "toolchain"
    (home / "bin").mkdir(parents=True)
    (tmp_path / "proxies").mkdir()
    scripts = {
        tmp_path / "proxies" / "rustc": f"[ ! -e rust-toolchain.toml ] && echo {home}",
        home / "bin" / "rustc": "echo rustc 1.90.0",
    }
    for path, text in scripts.items():
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    (tmp_path / "rust-toolchain.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}/proxies:{os.environ['PATH']}")
    found = cargo.toolchain(str(tmp_path / "nothing"))
    assert found.home == home
    assert found.cargo == home / "bin" / "cargo"
    assert found.version == "rustc 1.90.0\n"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("git+https://code.example/x#abc", {"git": "https://code.example/x"}),
        ("git+https://code.example/x?branch=a%2Fb#abc", {"git": "https://code.example/x", "branch": "a/b"}),
        ("git+ssh://git@code.example/x.git?rev=1f#1f", {"git": "ssh://git@code.example/x.git", "rev": "1f"}),
    ],
)
def test_a_git_repository_is_replaced_as_cargo_knows_it(source: str, said: dict[str, str]) -> None:
    found = tomllib.loads(cargo.settings([stub("{}", source)], "/build/crates", {}))
    assert found["source"][source] == {**said, "replace-with": "vendored"}
