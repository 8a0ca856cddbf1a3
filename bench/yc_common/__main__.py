"""Measure yc_common beside the library underneath each part, in one run: `python -m bench.yc_common [part ...]`.

Prints both times and their ratio. Each pair is measured in alternation, in CPU time of the thread, and the best of the
rounds counts: what else the machine does then disturbs both alike, and little. Imports are measured as a whole process.
"""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

ROUNDS = 25
Work = Callable[[], object]


def seconds(work: Work, count: int) -> float:
    """Return the CPU seconds of one call in this thread, from `count` of them: what others run does not add to it."""
    began = time.thread_time()
    for _ in range(count):
        work()
    return (time.thread_time() - began) / count


def compare(name: str, ours: Work, plain: Work, peer: str, count: int, scale: float = 1e6, unit: str = "us") -> None:
    """Print the best times of both, measured in turn."""
    pairs = [(seconds(ours, count), seconds(plain, count)) for _ in range(ROUNDS)]
    best, other = min(first for first, _ in pairs), min(second for _, second in pairs)
    row(name, f"{best * scale:.2f} {unit}", f"{other * scale:.2f} {unit}", peer, best / other)


def row(name: str, ours: str, plain: str, peer: str, ratio: float) -> None:
    """Print one line of the table."""
    print(f"{name:<34}{ours:>12}{plain:>14}   {ratio:5.2f}   {peer}", flush=True)


def measure_import() -> None:
    """Compare a new process that imports ours with one that imports what lies underneath.

    Byte code is there, as in an installed package, whatever this environment does about it.
    """
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        _measure_import(environment)


def _measure_import(environment: dict[str, str]) -> None:
    core = "import yc_common.config, yc_common.logging, yc_common.service"
    peer = "import asyncio, structlog, msgspec"
    times: dict[str, list[tuple[float, float]]] = {core: [], peer: [], "pass": []}
    for program in times:
        subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    for _ in range(15):
        for program, found in times.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True, env=environment)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            found.append((time.perf_counter() - began, cpu))
    walls = {program: min(wall for wall, _ in found) * 1e3 for program, found in times.items()}
    cpus = {program: statistics.median(cpu for _, cpu in found) * 1e3 for program, found in times.items()}
    for name, kind in (("import, whole process, best", walls), ("import, CPU time, median", cpus)):
        row(
            name,
            f"{kind[core]:.0f} ms",
            f"{kind[peer]:.0f} ms",
            f"{peer} (bare: {kind['pass']:.0f} ms)",
            kind[core] / kind[peer],
        )
    sizes = [_resident(program, environment) for program in (core, peer)]
    row("resident after import", f"{sizes[0]:.1f} MB", f"{sizes[1]:.1f} MB", "", sizes[0] / sizes[1])


def _resident(program: str, environment: dict[str, str]) -> float:
    show = f"{program}\nimport resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    done = subprocess.run([sys.executable, "-c", show], check=True, capture_output=True, text=True, env=environment)
    return int(done.stdout) / 1024


def measure_logging() -> None:
    """Compare a JSON line with five fields and a request id: ours, and structlog with the same encoder."""
    import structlog

    from yc_common import config, logging

    null = os.open(os.devnull, os.O_WRONLY)
    logging.setup(logging.LogSettings(format="json", rate=10**9), descriptor=null, capture=False)
    for number in range(3):
        config.Secret(f"a secret of a service, number {number}")
    ours = logging.get("bench")
    processors = structlog.processors

    def encode(event: Any, **_: Any) -> bytes:
        return msgspec.json.encode(event)

    plain = structlog.wrap_logger(
        structlog.BytesLogger(open(os.devnull, "wb")),  # noqa: SIM115 - lives as long as the process
        [
            structlog.contextvars.merge_contextvars,
            processors.add_log_level,
            processors.format_exc_info,
            processors.TimeStamper(fmt="iso", utc=True),
            processors.JSONRenderer(serializer=encode),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
    ).bind(logger="bench")
    structlog.contextvars.bind_contextvars(request_id="0123456789abcdef")
    fields: dict[str, Any] = {"method": "GET", "path": "/orders/7", "status": 200, "seconds": 0.0123}
    with logging.context(request_id="0123456789abcdef"):
        compare(
            "log line, JSON",
            lambda: ours.info("request", **fields),
            lambda: plain.info("request", **fields),
            "structlog + msgspec, no masking or limit",
            1000,
        )
        compare(
            "log line below the level",
            lambda: ours.debug("request", **fields),
            lambda: plain.debug("request", **fields),
            "structlog",
            5000,
        )


def measure_config() -> None:
    """Compare 200 keys from a file: ours with the place of each, and PyYAML with msgspec."""
    import yaml

    from yc_common import config

    make: Any = type(config.Section)
    kinds: list[tuple[Any, str]] = [
        (int, "42"),
        (str, "some text"),
        (float, "1.5"),
        (bool, "true"),
        (list[str], "[a, b]"),
    ]
    inner = {
        f"section_{number}": make(
            f"Part{number}",
            (config.Section,),
            {"__module__": __name__, "__annotations__": {f"key_{key}": kinds[key % 5][0] for key in range(20)}},
        )
        for number in range(10)
    }
    whole = make("Whole", (config.Section,), {"__module__": __name__, "__annotations__": inner})
    text = "".join(f"{name}:\n" + "".join(f"  key_{key}: {kinds[key % 5][1]}\n" for key in range(20)) for name in inner)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "config.yaml")
        file.write_text(text)
        os.utime(file, (1, 1))

        def plain() -> object:
            return msgspec.convert(yaml.load(file.read_text(), Loader=yaml.CSafeLoader), whole)

        compare(
            "configuration of 200 keys",
            lambda: config.load(whole, "bench", directory=directory, environment={}),
            plain,
            "yaml.CSafeLoader + msgspec",
            5,
            1e3,
            "ms",
        )


def measure_http() -> None:
    """Compare a small GET over a kept connection: ours, and a bare aiohttp session."""
    import aiohttp

    from yc_common import http
    from yc_common.testing import Peer

    with Peer() as peer, asyncio.Runner() as runner:
        client = http.Client(peer.url)
        session = runner.run(_session())

        async def plain() -> None:
            async with session.get(peer.url) as response:
                await response.read()

        async def many(work: Callable[[], Any]) -> None:
            for _ in range(100):
                await work()

        compare(
            "HTTP GET (100, one connection)",
            lambda: runner.run(many(lambda: client.get("/"))),
            lambda: runner.run(many(plain)),
            f"aiohttp {aiohttp.__version__}",
            1,
            1e3,
            "ms",
        )
        runner.run(client.close())
        runner.run(session.close())


async def _session() -> Any:
    import aiohttp

    return aiohttp.ClientSession()


def measure_metrics() -> None:
    """Compare a page of 200 series: ours, and prometheus_client."""
    from prometheus_client import generate_latest

    from yc_common import metrics

    family = metrics.counter("bench_total", "Something counted", ["kind"])
    for number in range(200):
        family.labels(kind=str(number)).inc()
    compare(
        "metrics page, 200 series",
        metrics.render,
        lambda: generate_latest(metrics.REGISTRY),
        "prometheus_client",
        5,
        1e3,
        "ms",
    )


PARTS = {
    "import": measure_import,
    "logging": measure_logging,
    "config": measure_config,
    "http": measure_http,
    "metrics": measure_metrics,
}


def main() -> None:
    """Measure the named parts, or all."""
    print(f"Python {sys.version.split()[0]}\n{'':<34}{'yc_common':>12}{'underneath':>14}   ratio   underneath is")
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main()
