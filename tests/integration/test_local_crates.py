"""Packages of the project that are compiled from Rust: their crates are vendored as those of an sdist are."""

from __future__ import annotations

import ctypes
import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration import crates, sdists
from tests.integration.crates import Registry
from tests.integration.local_index import LocalIndex
from tests.integration.workshop import HERE, Workshop
from toolkit.build import interpreters
from toolkit.core import files
from toolkit.install import sbom
from toolkit.install.sbom import Materials
from toolkit.vendored import lock_diff

_MANIFEST = """\
[package]
name = "{name}"
version = "{version}"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[dependencies]
{needs}
"""
_LIBRARY = '#[no_mangle]\npub extern "C" fn answer() -> i32 { outer::answer() }\n'
_CRATES = {"inner 0.3.1": [], "only-windows 0.5.1": [], "outer 1.4.0": ["inner", "only-windows"]}


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: LocalIndex) -> Iterator[Registry]:
    """A registry with a crate, one that it needs, and one for machines that nobody builds for; maturin is a wheel."""
    crates.publish_maturin(index)
    with crates.serving() as found:
        found.configure(tmp_path / "cargo")
        monkeypatch.setenv("CARGO_HOME", str(tmp_path / "cargo"))
        found.add("inner", "0.3.1", "pub fn half() -> i32 { 21 }\n")
        windows = {"name": "only-windows", "req": "^0.5", "target": "cfg(windows)"}
        needs = [{"name": "inner", "req": "^0.3"}, windows]
        found.add("outer", "1.4.0", "pub fn answer() -> i32 { inner::half() * 2 }\n", needs=needs)
        found.add("only-windows", "0.5.1")
        yield found


@pytest.fixture
def project(shop: Workshop, registry: Registry) -> Workshop:
    """A service that uses a package of the project which is compiled from Rust, and no Cargo.lock yet."""
    shop.service("app", "rusty").write({"app/vendor.txt": "maturin\n"})
    return shop.write(crates.package("rusty", {"Cargo.toml": _manifest(), "src/lib.rs": _LIBRARY}))


def _manifest(name: str = "rusty", version: str = "1.0.0", needs: str = 'outer = "1"') -> str:
    return _MANIFEST.format(name=name, version=version, needs=needs)


def _lock(registry: Registry) -> str:
    return registry.lock('[[package]]\nname = "rusty"\nversion = "1.0.0"\ndependencies = ["outer"]', _CRATES)


def _vendored(shop: Workshop) -> list[str]:
    return sorted(name for name in shop.vendored() if name.endswith(".crate"))


def _answer(directory: Path, name: str = "rusty") -> int:
    """Return what the library says that was compiled last."""
    wheels = (files.cache_root() / "store").rglob(f"{name}-1.0-*.whl")
    newest = max(wheels, key=lambda path: path.stat().st_mtime_ns)
    target = directory / f"{newest.stat().st_mtime_ns}.so"
    with zipfile.ZipFile(newest) as archive:
        target.write_bytes(archive.read(f"{name}.so"))
    return int(ctypes.CDLL(str(target)).answer())


def test_the_crates_of_a_local_package_are_vendored_and_compiled(
    project: Workshop, registry: Registry, tmp_path: Path
) -> None:
    project.write({"rusty/Cargo.lock": _lock(registry)})
    done = project.vendor()
    assert done.status == 0, done.err
    assert "Cargo.lock" not in done.err
    assert _vendored(project) == ["inner-0.3.1.crate", "outer-1.4.0.crate"]
    (rusty,) = [item for item in project.lock().local if item.name == "rusty"]
    assert (rusty.rust, rusty.crates) == (True, ("inner==0.3.1", "only-windows==0.5.1", "outer==1.4.0"))
    registry.pages.clear()
    built = project.build()
    assert built.status == 0, built.err
    assert _answer(tmp_path) == 42
    assert project.run("check-vendor").status == 0
    assert "inner 0.3.1 in app: a crate of rusty/" in project.run("why", "inner").out


def test_a_change_of_what_crates_there_are_is_noticed_and_one_of_the_version_is_not(
    project: Workshop, registry: Registry
) -> None:
    project.write({"rusty/Cargo.lock": _lock(registry), "rusty/.cargo/config.toml": "[build]\njobs = 1\n"})
    assert project.vendor().status == 0
    before = project.lock()
    registry.add("inner", "0.3.2", "pub fn half() -> i32 { 20 }\n")
    newer = (
        _lock(registry)
        .replace("0.3.1", "0.3.2")
        .replace(registry.checksum("inner", "0.3.1"), registry.checksum("inner", "0.3.2"))
    )
    for change, file in (
        ({"rusty/Cargo.lock": newer}, "rusty/Cargo.lock"),
        ({"rusty/Cargo.toml": _manifest(needs='outer = "1.2"')}, "rusty/Cargo.toml"),
        ({"rusty/.cargo/config.toml": '[build]\nrustflags = "--cfg other"\n'}, "rusty/.cargo/config.toml"),
    ):
        project.write(change)
        what, _ = project.run("check-vendor").error
        assert what == f"{file}: changed since vendor/pylock.app.toml was made"
        assert project.build().status == 1
        assert project.vendor().status == 0
    assert _vendored(project) == ["inner-0.3.2.crate", "outer-1.4.0.crate"]
    (told,) = lock_diff.between([before], [project.lock()])
    assert list(map(str, told.shipped)) == ["* rusty rusty/, with other crates"]
    project.write(
        {
            "rusty/Cargo.lock": newer.replace('version = "1.0.0"', 'version = "1.0.1"', 1),
            "rusty/Cargo.toml": _manifest(version="1.0.1", needs='outer = "1.2"'),
        }
    )
    assert project.run("check-vendor").status == 0
    built = project.build()
    assert built.status == 0, built.err
    # A package that is not compiled any more needs none.
    project.package("rusty")
    assert project.vendor().status == 0
    assert _vendored(project) == []


def test_without_a_cargo_lock_the_line_that_makes_one_is_said_and_vendor_keeps_its_choice(
    project: Workshop, registry: Registry, tmp_path: Path
) -> None:
    done = project.service("second", "rusty").vendor()
    assert done.status == 0, done.err
    assert done.err.count("warning: rusty/Cargo.lock is missing") == 1
    assert "`cargo generate-lockfile --manifest-path rusty/Cargo.toml`" in done.err
    built = project.build()
    assert built.status == 0, built.err
    registry.add("outer", "1.5.0", "pub fn answer() -> i32 { 43 }\n")
    sdists.publish(project.index, "plain", "1.0")
    project.write({"app/requirements.txt": "rusty\nplain\n"})
    assert project.vendor().status == 0
    assert "outer-1.4.0.crate" in _vendored(project)
    assert project.vendor("--upgrade", "all").status == 0
    assert _vendored(project) == ["outer-1.5.0.crate"]
    # One that appears counts, and so does that of cargo itself.
    _cargo(project, "generate-lockfile")
    what, _ = project.run("check-vendor").error
    assert what.startswith("rusty/Cargo.lock: appeared since vendor/pylock.app.toml, vendor/")
    done = project.vendor()
    assert (done.status, "Cargo.lock" in done.err) == (0, False), done.err
    assert project.build().status == 0
    assert _answer(tmp_path) == 43


def test_a_stale_cargo_lock_is_told_with_the_line_that_mends_it(project: Workshop, registry: Registry) -> None:
    registry.add("fresh", "2.0.0", "pub fn more() -> i32 { 0 }\n")
    project.write({"rusty/Cargo.lock": _lock(registry)})
    project.write({"rusty/Cargo.toml": _manifest(needs='outer = "1"\nfresh = "2"')})
    what, hint = project.vendor().error
    assert what.startswith("rusty/Cargo.lock is not that of its Cargo.toml: rusty 1.0.0 requires fresh 2")
    assert hint.startswith("`cargo update --workspace --manifest-path rusty/Cargo.toml` brings it up to date")
    _cargo(project, "update", "--workspace")
    assert project.vendor().status == 0
    assert _vendored(project) == ["fresh-2.0.0.crate", "inner-0.3.1.crate", "outer-1.4.0.crate"]
    assert project.build().status == 0


def test_a_crate_from_git_is_told_without_vendor_txt(project: Workshop, registry: Registry) -> None:
    lock = _lock(registry)
    outer = lock.index('name = "outer"')
    start = lock.index("registry+", outer)
    changed = lock[:start] + "git+https://code.example/outer#abc" + lock[lock.index('"', start) :]
    project.write({"rusty/Cargo.lock": changed})
    what, hint = project.vendor().error
    assert what == "rusty/: its crate outer 1.4.0 comes from git+https://code.example/outer#abc, not from a registry"
    assert hint == "write another release of it into the Cargo.toml that needs it"


@pytest.mark.parametrize("mode", ["on", "off"])
def test_a_workspace_beside_and_above_the_package_is_compiled_with_it(
    project: Workshop, registry: Registry, tmp_path: Path, mode: str
) -> None:
    shared = {
        "shared/Cargo.toml": '[package]\nname = "shared"\nversion = "0.1.0"\nedition = "2021"\n'
        '[dependencies]\nouter = "1"\n',
        "shared/src/lib.rs": "pub fn answer() -> i32 { outer::answer() + if cfg!(more) { 1 } else { 0 } }\n",
    }
    project.write(
        {
            **shared,
            "Cargo.toml": '[workspace]\nmembers = ["rusty", "shared"]\nresolver = "2"\n',
            ".cargo/config.toml": '[build]\nrustflags = ["--cfg", "more"]\n',
            "rusty/Cargo.toml": _manifest(needs='shared = { path = "../shared" }'),
            "rusty/src/lib.rs": _LIBRARY.replace("outer", "shared"),
        }
    )
    _cargo(project, "generate-lockfile")
    done = project.vendor()
    assert (done.status, "Cargo.lock" in done.err) == (0, False), done.err
    assert _vendored(project) == ["inner-0.3.1.crate", "outer-1.4.0.crate"]
    assert {"Cargo.toml", "Cargo.lock", ".cargo/config.toml", "rusty/Cargo.toml", "shared/Cargo.toml"} <= {
        name for name, value in project.lock().inputs.items() if value
    }
    built = project.build("--sandbox", mode)
    assert built.status == 0, built.err
    assert _answer(tmp_path) == 43
    # What is beside the package is a part of what it is built from, and what cargo writes there is not.
    project.write({"shared/src/lib.rs": "pub fn answer() -> i32 { outer::answer() + 2 }\n"})
    _cargo(project, "build", "--release")
    assert project.build("--sandbox", mode).status == 0
    assert _answer(tmp_path) == 44


def test_a_workspace_inside_the_package_is_compiled(project: Workshop, registry: Registry, tmp_path: Path) -> None:
    members = crates.package(
        "rusty",
        {
            "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\nresolver = "2"\n',
            "Cargo.lock": _lock(registry),
            "crates/rusty/Cargo.toml": _manifest(),
            "crates/rusty/src/lib.rs": _LIBRARY,
        },
    )
    project.write(members)
    (project.root / "rusty/src/lib.rs").unlink()
    assert project.vendor().status == 0
    built = project.build()
    assert built.status == 0, built.err
    assert _answer(tmp_path) == 42


def test_what_is_not_in_the_project_or_ignored_by_git_is_told(project: Workshop, registry: Registry) -> None:
    project.write({"rusty/Cargo.lock": _lock(registry), ".gitignore": "Cargo.lock\n"})
    subprocess.run(["git", "init", "--quiet", project.root], check=True)
    what, hint = project.vendor().error
    assert what == "rusty/Cargo.lock: git ignores it, so it would be missing where packages are built"
    assert "git add rusty/Cargo.lock" in hint
    subprocess.run(["git", "-C", project.root, "add", "--force", "rusty/Cargo.lock"], check=True)
    assert project.vendor().status == 0
    project.write({"rusty/Cargo.toml": _manifest(needs='far = { path = "../../far" }')})
    what, _ = project.vendor().error
    assert what == "rusty/Cargo.toml: far is in ../far, where there is no Rust package"


def test_its_crates_are_in_the_bill_of_materials(project: Workshop, registry: Registry) -> None:
    project.write({"rusty/Cargo.lock": _lock(registry)})
    assert project.vendor().status == 0
    assert project.build().status == 0
    wheels = [*(files.cache_root() / "store").rglob("*-1.0-*.whl")]
    here = interpreters.find((HERE,))
    made_of = Materials(service="app", lock=project.lock(), wheels=wheels, interpreter=here, project=project.root)
    bill = json.loads(json.dumps(sbom.document(made_of)))
    assert {"pkg:cargo/inner@0.3.1", "pkg:cargo/outer@1.4.0"} == {
        item["purl"] for item in bill["components"] if item.get("purl", "").startswith("pkg:cargo/")
    }
    (needs,) = [item["dependsOn"] for item in bill["dependencies"] if item["ref"] == "local:rusty"]
    assert needs == ["pkg:cargo/inner@0.3.1", "pkg:cargo/outer@1.4.0"]
    assert [crate.key for crate in made_of.crates] == ["inner==0.3.1", "outer==1.4.0"]


def _cargo(project: Workshop, verb: str, *options: str) -> None:
    manifest = next(path for path in (project.root / "Cargo.toml", project.root / "rusty/Cargo.toml") if path.exists())
    subprocess.run(["cargo", "--quiet", verb, *options, "--manifest-path", manifest], check=True)
