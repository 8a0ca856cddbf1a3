#!/usr/bin/env python3
"""Measure the toolkit beside its peers on the reference set, in one run, and print ratios.

Every figure is taken in this run, with empty caches where it says cold; a ratio compares two things measured next to
each other on the same machine. `--slow` adds the peers that take many minutes (pip download, fromager).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Callable

import cases
import reference
from measure import CommandError

WORK = reference.TOOLKIT / "build" / "bench"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help=f"names of cases, of: {' '.join(cases.CASES)}")
    parser.add_argument("--slow", action="store_true", help="also measure pip download and fromager")
    return parser


def main(argv: list[str]) -> int:
    """Run the chosen cases, print each row as it is known, and keep them all in build/bench/results.json."""
    arguments = build_parser().parse_args(argv)
    names = arguments.only.split() or [name for name in cases.CASES if arguments.slow or name not in cases.SLOW]
    unknown = [name for name in names if name not in cases.CASES]
    if unknown:
        print(f"error: no case {unknown[0]}\n hint: there are {', '.join(cases.CASES)}", file=sys.stderr)
        return 1
    WORK.mkdir(parents=True, exist_ok=True)
    bench = cases.Bench(WORK)
    rows = [row for name in names for row in _run(name, cases.CASES[name], bench)]
    (WORK / "results.json").write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))
    return 0 if rows else 1


def _run(name: str, case: Callable[[cases.Bench], list[cases.Row]], bench: cases.Bench) -> list[cases.Row]:
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
