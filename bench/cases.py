"""The cases of the benchmark: what is run, beside what, and which ratio is wanted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import measure
import reference
from measure import Timing

_CONNECTIONS = "16"
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Row:
    """One comparison: seconds of ours and the peer's on the clock, their ratio and the most it should be."""

    what: str
    ours: Timing
    peer: str
    theirs: Timing | None
    wanted: str

    def __str__(self) -> str:
        """Return the row as a line of the report."""
        memory = f"{self.ours.memory:5.0f} MB"
        if not self.theirs:
            return f"{self.what:<34}{self.ours.seconds:9.3f} s {memory}  {'':<36}             (wanted: {self.wanted})"
        ratio = self.ours.seconds / self.theirs.seconds
        peer = f"{self.peer:<36}{self.theirs.seconds:9.3f} s"
        return (
            f"{self.what:<34}{self.ours.seconds:9.3f} s {memory}  {peer}  ratio {ratio:5.2f}  (wanted: {self.wanted})"
        )


@dataclass(frozen=True)
class Size:
    """One comparison of sizes: megabytes of ours and the peer's, their ratio and the most it should be."""

    what: str
    ours: float
    peer: str
    theirs: float
    wanted: str

    def __str__(self) -> str:
        """Return it as a line of the report."""
        peer = f"{self.peer:<36}{self.theirs:8.1f} MB"
        ratio = f"ratio {self.ours / self.theirs:5.2f}  (wanted: {self.wanted})"
        return f"{self.what:<34}{self.ours:8.1f} MB {'':<8}  {peer}  {ratio}"


class Bench:
    """The directory of a run: the reference project, caches, peers' environments, and the log of everything."""

    def __init__(self, work: Path, toolkit: Path = reference.TOOLKIT) -> None:
        self.work, self.toolkit = work, toolkit
        self.log = work / "log"
        self.log.unlink(missing_ok=True)

    @cached_property
    def project(self) -> Path:
        """Return the reference project, vendored: made from the commit that is checked out."""
        directory = reference.create(self.work / "project", self.toolkit)
        self.make("vendor")
        reference.commit(directory)
        return directory

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a command whose caches are the benchmark's own; Python is as it is by itself."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return {**own, "XDG_CACHE_HOME": str(self.work / "cache"), **more}

    def run(self, *argv: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Timing:
        """Measure one command, in the reference project unless told otherwise."""
        words = [str(word) for word in argv]
        return measure.run(words, cwd=cwd or self.project, env=env or self.environment(), log=self.log)

    def make(self, *words: str) -> Timing:
        """Measure `make` in the reference project."""
        return self.run("make", *words, cwd=self.work / "project")

    def cold(self, *words: str) -> Timing:
        """Measure `make` in the reference project with empty caches."""
        self.empty_cache()
        return self.make(*words)

    def empty_cache(self) -> None:
        """Empty the caches of the toolkit, but for the tools it has set up once for this machine."""
        for path in (self.work / "cache" / "python-common").glob("*"):
            if path.name != "tools":
                shutil.rmtree(path, ignore_errors=True)

    def floor(self, vendor: Path, scope: str) -> Timing:
        """Measure a fetch of the files that a vendor directory was made from, and nothing else."""
        return self.run(sys.executable, _HERE / "floor.py", vendor, _CONNECTIONS, scope, cwd=self.work)

    def peer(self, *requirements: str) -> Path:
        """Return the bin directory of an environment with a peer's tools, made once."""
        directory = self.work / f"peer-{requirements[0].split('=')[0]}"
        if not directory.exists():
            venv.create(directory, with_pip=True)
            pip = [str(directory / "bin" / "pip"), "install", "--quiet", *requirements]
            subprocess.run(pip, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return directory / "bin"


def help_(bench: Bench) -> list[Row]:
    """`make help` starts no Python."""
    runs = [bench.make("help") for _ in range(7) if bench.project]
    return [Row("make help", measure.median(runs), "", None, "0.05 s")]


def vendor(bench: Bench) -> list[Row]:
    """Vendoring cold, beside fetching the same files and nothing else; then unchanged."""
    files = bench.project / "vendor"
    # A network has good and bad seconds: of three fetches, some before and some after, the fastest is the floor.
    floors = [bench.floor(files, "everything") for _ in range(2)]
    shutil.rmtree(files)
    cold = bench.cold("vendor")
    floors.append(bench.floor(files, "everything"))
    runtime = min((bench.floor(files, "runtime") for _ in range(3)), key=lambda timing: timing.seconds)
    same = measure.median([bench.make("vendor") for _ in range(5)])
    best = min(floors, key=lambda timing: timing.seconds)
    return [
        Row("make vendor, cold", cold, "fetch of the same files, 16 at once", best, "3"),
        Row("make vendor, cold", cold, "fetch of the runtime sdists alone", runtime, "3"),
        Row("make vendor, unchanged", same, "", None, "0.5 s"),
    ]


def build(bench: Bench) -> list[Row]:
    """All wheels from source, cold, beside uv's offline install of the same vendor directory."""
    cold = bench.cold("build")
    warm = bench.make("build")
    uv = bench.peer("uv") / "uv"
    target = bench.work / "uv-target"
    shutil.rmtree(target, ignore_errors=True)
    shutil.rmtree(bench.work / "uv-cache", ignore_errors=True)
    requirements = bench.project / "reference_service" / "requirements.txt"
    peer = bench.run(
        uv,
        "pip",
        "install",
        "--offline",
        "--no-index",
        "--find-links",
        bench.project / "vendor",
        "--no-binary",
        ":all:",
        "--python",
        "/usr/bin/python3.11",
        "--target",
        target,
        "--requirement",
        requirements,
        env=bench.environment(UV_CACHE_DIR=str(bench.work / "uv-cache")),
    )
    return [
        Row("make build, cold", cold, "uv pip install --no-binary :all:", peer, "0.3"),
        Row("make build, everything stored", warm, "", None, "-"),
    ]


def sandbox(bench: Bench) -> list[Row]:
    """What walls cost: a program that does nothing, and all wheels from source, in turn inside and outside."""
    script = str(_HERE / "walls.py")
    inside, outside = ([bench.run(sys.executable, script, mode) for _ in range(3)] for mode in ("on", "off"))
    builds: dict[str, list[Timing]] = {"on": [], "off": []}
    # The machine's own speed drifts by more than what is looked for.
    for mode in ("on", "off", "off", "on") * 3:
        builds[mode].append(bench.cold("build", f"SANDBOX={mode}"))
    with_walls, without = (measure.median(builds[mode]) for mode in ("on", "off"))
    return [
        Row(
            "100 runs in the sandbox",
            measure.median(inside),
            "100 runs without walls",
            measure.median(outside),
            "+1.5 s",
        ),
        Row("make build, cold", with_walls, "make build SANDBOX=off, cold", without, "1.03"),
    ]


def pip_download(bench: Bench) -> list[Row]:
    """pip's own way to the sdists of the runtime closure (it leaves build requirements out)."""
    cold = bench.cold("vendor", "UPGRADE=all")
    pip = bench.peer("pip") / "pip"
    target = bench.work / "pip-download"
    shutil.rmtree(target, ignore_errors=True)
    peer = bench.run(
        pip,
        "download",
        "--no-cache-dir",
        "--no-binary",
        ":all:",
        "--dest",
        target,
        "--requirement",
        bench.project / "reference_service" / "requirements.txt",
    )
    return [Row("make vendor, cold", cold, "pip download --no-binary :all:", peer, "-")]


def fromager(bench: Bench) -> list[Row]:
    """fromager's bootstrap, which learns the build closure by building it."""
    cold = bench.cold("vendor", "UPGRADE=all")
    ours = bench.make("build")
    tool = bench.peer("fromager") / "fromager"
    work = bench.work / "fromager"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    peer = bench.run(tool, "bootstrap", "-r", bench.project / "reference_service" / "requirements.txt", cwd=work)
    both = Timing(cold.seconds + ours.seconds, cold.cpu + ours.cpu, max(cold.memory, ours.memory))
    return [Row("make vendor build, cold", both, "fromager bootstrap", peer, "-")]
