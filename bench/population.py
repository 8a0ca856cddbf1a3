#!/usr/bin/env python3
"""Build every distribution of population.txt from a requirements.txt of one line, with no configuration, and tell all.

Each is vendored, then built offline from its sdists, in a project of its own; caches are shared, so what builds many is
built once. What is known is kept in bench/population.json, as all of it takes hours, and is not measured again.
`--write` makes docs/population.md of it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import reference
from cases import Bench
from reference import TOOLKIT

WORK = TOOLKIT / "build" / "population"
TABLE = TOOLKIT / "docs" / "population.md"
RESULTS = TOOLKIT / "bench" / "population.json"
_SECONDS = 14400
_HEAD = """\
# What builds

The distributions of `bench/population.txt`, which are among the most downloaded of those that have an sdist. Each went
from a `requirements.txt` of one line, with no configuration, through `make vendor` and, offline, `make build`, on a
Debian machine that had the packages which `make vendor` said it needs. Where they are cmake, ninja-build or patchelf,
Build-Depends had them, as `make vendor APT=1` writes it; all else was built as if they were not there. Seconds are by
the clock, of two busy processors, with caches that all share: what builds others is built once.
`bench/population.py --write` makes this page.

"""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one name: `stage` is where it ended (`built`, or the verb that failed), with that verb's error.

    `files` and `crates` are those of vendor/; `packages` are Debian's, which `make vendor` says that Build-Depends
    lacks; `seconds` are those of both verbs, with shared caches.
    """

    name: str
    version: str
    stage: str
    files: int
    crates: int
    seconds: float
    packages: str = ""
    error: str = ""
    hint: str = ""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which of them (default: all)")
    parser.add_argument("--again", action="store_true", help="also those whose result is known")
    parser.add_argument("--failed", action="store_true", help="also those that did not build")
    parser.add_argument("--apt", action="store_true", help="let `make vendor APT=1` write Build-Depends first")
    parser.add_argument("--vendor-only", action="store_true", help="do not build")
    parser.add_argument("--write", action="store_true", help="write docs/population.md")
    return parser


def main(argv: list[str]) -> int:
    """Measure what is not known, printing each result."""
    arguments = build_parser().parse_args(argv)
    population = (TOOLKIT / "bench" / "population.txt").read_text().split()
    if unknown := set(arguments.names) - set(population):
        print(f"error: not in population.txt: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 1
    WORK.mkdir(parents=True, exist_ok=True)
    results = _known()
    for name in arguments.names or population:
        known = results.get(name)
        if known and not arguments.again and not (arguments.failed and known.stage != "built"):
            continue
        verbs: list[tuple[str, ...]] = [("vendor", "APT=1")] if arguments.apt else []
        verbs += [("vendor",)] if arguments.vendor_only else [("vendor",), ("build",)]
        results[name] = measure(name, verbs)
        _keep(results)
        print(_row(results[name]), flush=True)
    found = [results[name] for name in population if name in results]
    print(_share(found))
    if arguments.write:
        TABLE.write_text(_HEAD + "\n".join(_page(found, [name for name in population if name not in results])))
    return 0


def measure(name: str, verbs: Sequence[tuple[str, ...]]) -> Result:
    """Vendor one distribution and build it; its project stays below build/population when it fails."""
    project = WORK / name
    requirements = WORK / f"{name}.in"
    requirements.write_text(f"{name}\n")
    bench = Bench(WORK)
    reference.create(project, requirements=requirements)
    start, stage, output, packages = time.monotonic(), "vendor", "", ""
    for words in verbs:
        stage = words[0]
        status, output = make(bench, project, *words)
        packages = packages or lacking(output)
        if status:
            break
        reference.commit(project)
    else:
        stage = "built" if stage == "build" else "vendored"
    files = sorted(path.name for path in (project / "vendor").glob("*")) if (project / "vendor").is_dir() else []
    failed = stage in ("vendor", "build")
    result = Result(
        name=name,
        version=_version(project, name),
        stage=stage,
        files=sum(not file.startswith("pylock.") for file in files),
        crates=sum(file.endswith(".crate") for file in files),
        seconds=round(time.monotonic() - start, 1),
        packages=packages,
        error=line(output, r"error: (.*)") if failed else "",
        hint=line(output, r" hint: (.*)") if failed else "",
    )
    (WORK / f"{name}.log").write_text(output)
    if not failed:
        shutil.rmtree(project)
    return result


def make(bench: Bench, project: Path, *words: str) -> tuple[int, str]:
    """Return the status and the output of `make`; one without an end is a failure."""
    try:
        done = subprocess.run(
            ["make", *words],
            cwd=project,
            env=bench.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, f"error: {words[0]} took longer than {_SECONDS} s\n hint: none\n"
    return done.returncode, done.stdout


def _version(project: Path, name: str) -> str:
    try:
        lock = tomllib.loads((project / "vendor" / "pylock.reference-service.toml").read_text())
    except OSError:
        return ""
    normal = re.sub(r"[-_.]+", "-", name).lower()
    return next((item["version"] for item in lock["packages"] if item["name"] == normal), "")


def lacking(output: str) -> str:
    """Return the Debian packages that `make vendor` has named, or written; of each group the first."""
    named, written = line(output, r"Build-Depends lacks (.*)"), line(output, r"control: Build-Depends: (.*)")
    relations = [re.sub(r" \([^()]*\)$", "", part) for part in (*named.split("; "), *written.split(", "))]
    return " ".join(dict.fromkeys(relation.split()[0] for relation in relations if relation))


def line(output: str, pattern: str) -> str:
    found = re.search(pattern, output)
    return found[1] if found else ""


def _known() -> dict[str, Result]:
    try:
        return {item["name"]: Result(**item) for item in json.loads(RESULTS.read_text())}
    except OSError:
        return {}


def _keep(results: dict[str, Result]) -> None:
    RESULTS.write_text(json.dumps(list(map(dataclasses.asdict, results.values())), indent=1) + "\n")


def _share(found: Sequence[Result]) -> str:
    built = [item for item in found if item.stage in ("built", "vendored")]
    plain = [item for item in found if not item.crates]
    first = [item for item in built if not item.crates]
    share = 100 * len(built) / max(len(found), 1)
    return (
        f"{len(built)} of {len(found)} ({share:.1f} %); without Rust crates {len(first)} of {len(plain)}; "
        f"ended at `make vendor`: {sum(item.stage == 'vendor' for item in found)}, "
        f"at `make build`: {sum(item.stage == 'build' for item in found)}"
    )


def _page(found: Sequence[Result], untried: Sequence[str]) -> Iterator[str]:
    yield f"**{_share(found)}.**\n"
    if untried:
        yield f"Not measured yet: {', '.join(untried)}.\n"
    yield "| distribution | version | files | crates | Debian packages | seconds | result |"
    yield "|---|---|---|---|---|---|---|"
    yield from map(_row, found)
    yield ""
    yield from _failures(found)


def _failures(found: Iterable[Result]) -> Iterator[str]:
    failed = [item for item in found if item.error]
    if failed:
        yield "## What did not, and what the message says\n"
    for item in failed:
        yield f"- **{item.name}**, `make {item.stage}`: {item.error}. Hint: {item.hint}."
    yield ""


def _row(item: Result) -> str:
    result = item.stage if item.stage in ("built", "vendored") else f"fails at `make {item.stage}`"
    cells = (item.name, item.version, item.files, item.crates, item.packages, f"{item.seconds:.0f}", result)
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
