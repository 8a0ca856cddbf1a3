"""Rust: a service on fastapi and other compiled things, built from source beside uv, by the same toolchain."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import measure
import reference
from cases import Bench, Row
from measure import Timing

_PYTHON = "/usr/bin/python3.11"
#: Debian's toolchain, for both.
_PATH = "/usr/bin:/bin"


def rust(bench: Bench) -> list[Row]:
    """All wheels from source, cold, with the crates there: ours, uv's, and uv's with one target directory for all."""
    project = reference.create(bench.work / "rust", bench.toolkit, reference.HERE / "rust.in")
    bench.empty_cache()
    vendored = bench.run("make", "vendor", cwd=project)
    floor = min((bench.floor(project / "vendor", "everything") for _ in range(2)), key=lambda timing: timing.seconds)
    cargo = bench.work / "cargo"
    _fetch_crates(project / "vendor", cargo)
    bench.empty_cache()
    ours = bench.run("make", "build", cwd=project, env=bench.environment(PATH=_PATH))
    alone = _uv(bench, project, cargo)
    shared = bench.work / "cargo-target"
    shutil.rmtree(shared, ignore_errors=True)
    together = _uv(bench, project, cargo, CARGO_TARGET_DIR=str(shared))
    return [
        Row("make vendor with crates, cold", vendored, "fetch of the same files, 16 at once", floor, "3"),
        Row("make build of Rust, cold", ours, "uv pip install --no-binary :all:", alone, "1"),
        Row("uv, one target directory", together, "uv, one for each sdist", alone, "-"),
        Row("  processor", measure.processor([together]), "uv", measure.processor([alone]), "-"),
    ]


def _fetch_crates(vendor: Path, home: Path) -> None:
    """Fill a CARGO_HOME with what the sdists need on this machine."""
    for path in sorted(vendor.glob("*.tar.gz")):
        with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
            subprocess.run(["tar", "--extract", "--file", str(path), "--directory", scratch], check=True)
            for lock in sorted(Path(scratch).rglob("Cargo.lock")):
                words = ["/usr/bin/cargo", "fetch", "--quiet", "--target", _host(), "--manifest-path"]
                environment = {"CARGO_HOME": str(home), "PATH": _PATH}
                # Some sdists have a second workspace, for tests, that is not whole.
                subprocess.run(
                    [*words, str(lock.with_name("Cargo.toml"))], env=environment, check=False, capture_output=True
                )


def _host() -> str:
    told = subprocess.run(["/usr/bin/rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    return next(line.removeprefix("host: ") for line in told.splitlines() if line.startswith("host: "))


def _uv(bench: Bench, project: Path, cargo: Path, **more: str) -> Timing:
    uv = bench.peer("uv") / "uv"
    target, cache = bench.work / "uv-target", bench.work / "uv-cache"
    for directory in (target, cache):
        shutil.rmtree(directory, ignore_errors=True)
    return bench.run(
        *(uv, "pip", "install", "--no-index", "--find-links", project / "vendor", "--no-binary", ":all:"),
        *("--python", _PYTHON, "--target", target),
        *("--requirement", project / "reference_service" / "requirements.txt"),
        cwd=project,
        env=bench.environment(PATH=_PATH, CARGO_HOME=str(cargo), UV_CACHE_DIR=str(cache), **more),
    )
