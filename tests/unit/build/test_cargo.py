"""cargo's directory source, its settings, and its stand-in."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
import tomllib
from pathlib import Path

import pytest

from toolkit.build import cargo
from toolkit.build.cargo import CrateSource
from toolkit.core.errors import UserError
from toolkit.model.crates import CRATES_IO
from toolkit.model.lock import Crate

PACKAGE = '[package]\nname = "app"\nversion = "0.1.0"\n'
PACKAGE_LOCK = f"[{PACKAGE[:9]}]{PACKAGE[9:]}"


def archive(tmp_path: Path, top: str = "outer-1.0.0", name: str = "src/lib.rs", link: str = "") -> CrateSource:
    path = tmp_path / "outer-1.0.0.crate"
    with tarfile.open(path, "w:gz") as made:
        member = tarfile.TarInfo(f"{top}/{name}")
        if link:
            member.type, member.linkname = tarfile.SYMTYPE, link
        made.addfile(member, io.BytesIO())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return CrateSource(crate=Crate(name="outer", version="1.0.0", sha256=digest, source=CRATES_IO), path=path)


def stub(line: object, source: str = CRATES_IO) -> CrateSource:
    text = line if isinstance(line, str) else json.dumps(line)
    crate = Crate(name="far", version="2.0.0", sha256="f" * 64, source=source, index_line=text)
    return CrateSource(crate=crate, path=None)


def test_a_crate_is_unpacked_with_the_checksum_of_its_archive(tmp_path: Path) -> None:
    source = archive(tmp_path)
    cargo.lay_out([source], tmp_path / "crates")
    directory = tmp_path / "crates" / "outer-1.0.0"
    assert sorted(os.listdir(tmp_path / "crates")) == ["outer-1.0.0"]
    assert (directory / "src" / "lib.rs").exists()
    checksum = json.loads((directory / ".cargo-checksum.json").read_text())
    assert checksum == {"files": {}, "package": source.crate.sha256}


@pytest.mark.parametrize(
    ("top", "name", "link", "what"),
    [
        ("other-1.0.0", "a", "", "it holds other-1.0.0, not outer-1.0.0"),
        (".", "a", "", "not outer-1.0.0"),
        ("outer-1.0.0", "../../../escaped", "", "escaped"),
        ("outer-1.0.0", "a", "/etc/passwd", "a link out of the archive"),
    ],
)
def test_a_crate_that_is_not_what_it_says_is_refused(tmp_path: Path, top: str, name: str, link: str, what: str) -> None:
    with pytest.raises(UserError, match=what):
        cargo.lay_out([archive(tmp_path, top, name, link)], tmp_path / "crates")
    assert not (tmp_path / "escaped").exists()


def test_a_crate_with_other_bytes_is_refused(tmp_path: Path) -> None:
    source = archive(tmp_path)
    (tmp_path / "outer-1.0.0.crate").write_bytes(b"other")
    with pytest.raises(UserError, match="not the crate that is locked"):
        cargo.lay_out([source], tmp_path / "crates")


def test_a_stub_says_what_the_registry_says(tmp_path: Path) -> None:
    line = {
        "deps": [
            {"name": "plain", "req": "^1", "features": ["a"], "optional": False, "default_features": False},
            {"name": "new", "package": "old", "req": "=2.0", "optional": True, "target": "cfg(windows)"},
            {"name": "cc", "req": "*", "kind": "build"},
            {"name": "tested", "req": "*", "kind": "dev"},
        ],
        "features": {"a": ["b", 'plain/"x']},
        "features2": {"b": ["dep:new"]},
        "links": "far",
    }
    cargo.lay_out([stub(line)], tmp_path / "crates")
    directory = tmp_path / "crates" / "far-2.0.0"
    assert tomllib.loads((directory / "Cargo.toml").read_text()) == {
        "package": {"name": "far", "version": "2.0.0", "edition": "2021", "links": "far"},
        "dependencies": {"plain": {"version": "^1", "features": ["a"], "optional": False, "default-features": False}},
        "target": {
            "cfg(windows)": {
                "dependencies": {
                    "new": {
                        "version": "=2.0",
                        "package": "old",
                        "features": [],
                        "optional": True,
                        "default-features": True,
                    }
                }
            }
        },
        "build-dependencies": {"cc": {"version": "*", "features": [], "optional": False, "default-features": True}},
        "features": {"a": ["b", 'plain/"x'], "b": ["dep:new"]},
    }
    assert (directory / "src" / "lib.rs").read_text() == ""
    assert json.loads((directory / ".cargo-checksum.json").read_text())["package"] == "f" * 64


def test_a_stub_of_another_registry_names_it(tmp_path: Path) -> None:
    other = "sparse+https://own.example/"
    cargo.lay_out([stub({"deps": [{"name": "near", "req": "1"}]}, other)], tmp_path / "crates")
    found = tomllib.loads((tmp_path / "crates" / "far-2.0.0" / "Cargo.toml").read_text())
    assert found["dependencies"]["near"]["registry-index"] == other


@pytest.mark.parametrize("line", ["[]", "{", '{"deps": 5}', {"deps": [{"name": "a"}]}, {"features": {"a": "b"}}])
def test_a_line_that_makes_no_sense_is_an_error(tmp_path: Path, line: object) -> None:
    with pytest.raises(UserError, match="no sound line of an index"):
        cargo.lay_out([stub(line)], tmp_path / "crates")


def test_every_registry_is_the_directory() -> None:
    other = "sparse+https://own.example/"
    found = tomllib.loads(cargo.settings([stub("{}"), stub("{}", other)], "/build/crates"))
    assert found["net"]["offline"] is True
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
    assert cargo.is_locked(tmp_path) is locked


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
    script.write_text(cargo.stand_in(str(real), "/a b/config.toml", locked=True))
    for path in (real, script):
        path.chmod(0o755)
    done = subprocess.run([script, *words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == called


def test_without_a_cargo_lock_versions_may_be_chosen_among_what_is_there() -> None:
    assert cargo.stand_in("cargo", "", locked=False).endswith('exec cargo --offline "$@"\n')


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
