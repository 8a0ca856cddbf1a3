"""The cases of development environments, beside uv, which makes an environment and fills it by `uv pip sync`."""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path

import measure
from cases import Bench, Row
from measure import Timing

_PYTHON = "/usr/bin/python3.11"


def develop(bench: Bench) -> list[Row]:
    """An environment from a warm wheel store, made for the first time, again elsewhere, and brought up to date."""
    create(bench, "first")
    images = bench.work / "cache" / "python-common" / "store" / "images"
    shutil.rmtree(images, ignore_errors=True)
    first = create(bench, "first")
    _uv(bench)
    ours, theirs = [], []
    for _ in range(7):
        ours.append(create(bench, "again"))
        theirs.append(_uv(bench))
    same = measure.median([create(bench, "again", keep=True) for _ in range(5)])
    peer = measure.median(theirs)
    return [
        Row("environment, warm wheel store", measure.median(ours), "uv venv + uv pip sync, warm cache", peer, "1.5"),
        Row("the same, no image of a wheel yet", first, "uv venv + uv pip sync, warm cache", peer, "-"),
        Row("environment, unchanged", same, "", None, "0.5 s"),
    ]


def binary(bench: Bench) -> list[Row]:
    """Wheels of the locked versions from the index, with empty caches on both sides."""
    ours, theirs = [], []
    for _ in range(3):
        for cached in ("files", "store/images"):
            shutil.rmtree(bench.work / "cache" / "python-common" / cached, ignore_errors=True)
        ours.append(create(bench, "binary", "--binary"))
        shutil.rmtree(_uv_cache(bench), ignore_errors=True)
        theirs.append(_uv(bench))
    # A network has good and bad seconds; each side has had both.
    best, peer = (min(timings, key=lambda timing: timing.seconds) for timings in (ours, theirs))
    middle, others = measure.median(ours), measure.median(theirs)
    return [
        Row("environment --binary, cold, best", best, "uv venv + uv pip sync, cold, best", peer, "1.2"),
        Row("environment --binary, cold, median", middle, "uv venv + uv pip sync, cold, median", others, "1.2"),
    ]


def create(bench: Bench, name: str, *options: str, keep: bool = False) -> Timing:
    """Measure the making of an environment; with `keep`, of one that is there already."""
    home = bench.work / "environments"
    if not keep:
        shutil.rmtree(home / name, ignore_errors=True)
    return bench.run(
        bench.project / "common" / "create-virtual-environment",
        "--project",
        bench.project,
        "--name",
        name,
        "--python",
        _PYTHON,
        *options,
        env=bench.environment(WORKON_HOME=str(home)),
    )


def _uv(bench: Bench) -> Timing:
    """Measure uv: both its commands in one shell."""
    uv, target = bench.peer("uv") / "uv", bench.work / "uv-environment"
    shutil.rmtree(target, ignore_errors=True)
    both = f"'{uv}' venv --quiet --python {_PYTHON} '{target}' && '{uv}' pip sync --quiet '{_pins(bench)}'"
    environment = bench.environment(UV_CACHE_DIR=str(_uv_cache(bench)), VIRTUAL_ENV=str(target))
    return bench.run("sh", "-c", both, env=environment)


def _uv_cache(bench: Bench) -> Path:
    return bench.work / "uv-sync-cache"


def _pins(bench: Bench) -> Path:
    """Return a file with the pins of the lock, and with the pip that our environment has besides."""
    path = bench.work / "pins.txt"
    data = tomllib.loads((bench.project / "vendor" / "pylock.reference-service.toml").read_text())
    pip = next(Path("/usr/share/python-wheels").glob("pip-*.whl")).name.split("-")[1]
    lines = [f"{item['name']}=={item['version']}" for item in data["packages"]]
    path.write_text(os.linesep.join([*lines, f"pip=={pip}", ""]))
    return path
