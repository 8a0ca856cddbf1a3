#!/usr/bin/env python3
"""Compare two checkouts of the toolkit by their commits: what changed makes nothing slower that people do often.

Each has a reference project and caches of its own. They are measured in one run, in turn, so that what else the machine
does disturbs both alike; ratios are the second to the first, by the clock and by the processor's time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import environments
import measure
import reference
from cases import Bench, Row
from measure import CommandError, Timing

WORK = reference.TOOLKIT / "build" / "bench-compare"
_WANTED = "1.05"


def prepare(bench: Bench) -> None:
    """Vendor and build all, and keep the cache as it is then, before any environment is made."""
    assert bench.project
    bench.make("build")
    _copy(bench.work / "cache", bench.work / "cache-built")


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    # With its hard links, which shutil would make files of.
    subprocess.run(["cp", "--archive", source, target], check=True)


def _first_environment(bench: Bench) -> Timing:
    _copy(bench.work / "cache-built", bench.work / "cache")
    return environments.create(bench, "compared")


def _deb(bench: Bench) -> Timing:
    source = bench.project / "reference_service" / "yc_reference_service" / "__init__.py"
    source.write_text(source.read_text() + "\n# changed\n")
    return bench.make("deb")


CASES: dict[str, Callable[[Bench], Timing]] = {
    "make vendor, unchanged": lambda bench: bench.make("vendor"),
    "make build, everything stored": lambda bench: bench.make("build"),
    "environment, first after a build": _first_environment,
    "environment, again": lambda bench: environments.create(bench, "compared"),
    "make deb, service changed": _deb,
}


def compare(what: str, before: Bench, after: Bench, pairs: int) -> list[Row]:
    """Measure one case in turn; the first run of each does not count."""
    run = CASES[what]
    old: list[Timing] = []
    new: list[Timing] = []
    for number in range(pairs + 1):
        # Whoever is first finds caches of the system colder.
        for bench, found in ((before, old), (after, new)) if number % 2 else ((after, new), (before, old)):
            found.append(run(bench))
    return [
        Row(what, measure.median(new[1:]), "before", measure.median(old[1:]), _WANTED),
        Row("  processor", measure.processor(new[1:]), "before", measure.processor(old[1:]), _WANTED),
    ]


def main(argv: list[str]) -> int:
    """Print two rows a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, help="a checkout of the toolkit; its commit is what counts")
    parser.add_argument("after", type=Path, nargs="?", default=reference.TOOLKIT, help="another one; this by default")
    parser.add_argument("--only", default="", help=f"a part of the names of cases, of: {'; '.join(CASES)}")
    parser.add_argument("--pairs", type=int, default=5, help="how often each is measured")
    arguments = parser.parse_args(argv)
    benches = []
    for name, toolkit in (("before", arguments.before), ("after", arguments.after)):
        (WORK / name).mkdir(parents=True, exist_ok=True)
        benches.append(Bench(WORK / name, toolkit.resolve()))
    try:
        for bench in benches:
            prepare(bench)
        for what in (name for name in CASES if arguments.only in name):
            print(*compare(what, benches[0], benches[1], arguments.pairs), sep="\n", flush=True)
    except CommandError as error:
        print(f"not measured: {error}", file=sys.stderr)
        return 1
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return 0


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C.UTF-8"
    sys.exit(main(sys.argv[1:]))
