#!/usr/bin/env python3
"""Measure the toolkit beside its peers on the reference set, in one run, and print ratios.

Every figure is taken in this run, with empty caches where it says cold; a ratio compares two things measured next to
each other on the same machine. `--slow` adds what takes many minutes (dh-virtualenv, sbuild, ...).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence

import cases
import environments
import packages
import reference
import rust
from cases import Bench, Row, Size
from measure import CommandError

WORK = reference.TOOLKIT / "build" / "bench"
CASES: Mapping[str, Callable[[Bench], Sequence[Row | Size]]] = {
    "help": cases.help_,
    "vendor": cases.vendor,
    "build": cases.build,
    "sandbox": cases.sandbox,
    "develop": environments.develop,
    "binary": environments.binary,
    "deb": packages.deb,
    "source": packages.source,
    "start": packages.start,
    "size": packages.size,
    "sbuild": packages.sbuild,
    "pip-download": cases.pip_download,
    "fromager": cases.fromager,
    "rust": rust.rust,
}
SLOW = ("size", "sbuild", "pip-download", "fromager", "rust")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help=f"names of cases, of: {' '.join(CASES)}")
    parser.add_argument("--slow", action="store_true", help="also measure what takes many minutes")
    return parser


def main(argv: list[str]) -> int:
    """Run the chosen cases, print each row as it is known, and keep them all in build/bench/results.json."""
    arguments = build_parser().parse_args(argv)
    names = arguments.only.split() or [name for name in CASES if arguments.slow or name not in SLOW]
    unknown = [name for name in names if name not in CASES]
    if unknown:
        print(f"error: no case {unknown[0]}\n hint: there are {', '.join(CASES)}", file=sys.stderr)
        return 1
    WORK.mkdir(parents=True, exist_ok=True)
    bench = Bench(WORK)
    rows = [row for name in names for row in _run(name, CASES[name], bench)]
    (WORK / "results.json").write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))
    return 0 if rows else 1


def _run(name: str, case: Callable[[Bench], Sequence[Row | Size]], bench: Bench) -> Sequence[Row | Size]:
    try:
        rows = case(bench)
    except CommandError as error:
        print(f"{name}: not measured: {error}", file=sys.stderr)
        return []
    for row in rows:
        print(row, flush=True)
    return rows


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C.UTF-8"
    sys.exit(main(sys.argv[1:]))
