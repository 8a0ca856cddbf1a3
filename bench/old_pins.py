#!/usr/bin/env python3
"""Build the old pins of old_pins.txt by each rule for the age of what builds them, and tell which share builds.

The rules: `newest`, whatever the requirements allow; `breaking`, the newest release before one that is known to break
sdists of that age; `date`, the newest release at the time of the sdist; `used`, the toolkit's own, is as `breaking`
where the sdist shows that it uses what that release removed. The others are given to the toolkit as lines of a
build-requirements.txt, and hold for all that a pin requires, too. What is known is kept in build/old-pins/results.json
and not measured again. `--write` makes docs/old-pins.md of it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import population
import reference
from cases import Bench
from packaging.requirements import Requirement
from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import InvalidVersion, Version
from pip._internal.models.index import PyPI
from reference import TOOLKIT

WORK = TOOLKIT / "build" / "old-pins"
TABLE = TOOLKIT / "docs" / "old-pins.md"
RULES = ("newest", "breaking", "date", "used")
#: Releases that have broken older sdists, the oldest first, each with its date.
_BREAKING = {
    "setuptools": (
        ("58", "2021-09-05"),
        ("60", "2021-12-20"),
        ("66", "2023-01-16"),
        ("72", "2024-07-29"),
        ("82", "2026-02-08"),
    ),
    "cython": (("3", "2023-07-17"),),
    "numpy": (("2", "2024-06-16"),),
}
#: What builds in other versions may itself be built by other things.
_ROUNDS = 4
_JSON = "application/vnd.pypi.simple.v1+json"
_HEAD = """\
# What builds of old pins

Each line of `bench/old_pins.txt`, releases of 2017 to 2024 that have an sdist, went through `make vendor` and, offline,
`make build` on Python 3.11, with what builds it chosen by four rules:

- **newest**: whatever the requirements allow.
- **breaking**: the newest release before one that is known to break sdists of that age: setuptools 58, 60, 66, 72 and
  82, Cython 3, numpy 2.
- **date**: the newest release at the time of the sdist.
- **used**: as *breaking*, but only where the sdist shows that it uses what was removed. This is the toolkit's own: it
  builds no fewer, and leaves the builds of all others as they were.

The cells have what builds each. `bench/old_pins.py --write` makes this page.

"""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of a pin by a rule: `stage` is where it ended, `builders` what built it, `seconds` with caches."""

    pin: str
    date: str
    rule: str
    stage: str
    builders: str
    seconds: float
    error: str = ""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pins", nargs="*", help="which of them (default: all)")
    parser.add_argument("--rules", default=" ".join(RULES), help="which rules (default: %(default)s)")
    parser.add_argument("--again", action="store_true", help="also those whose result is known")
    parser.add_argument("--write", action="store_true", help="write docs/old-pins.md")
    return parser


def main(argv: list[str]) -> int:
    """Measure what is not known, printing each result."""
    arguments = build_parser().parse_args(argv)
    everything = (TOOLKIT / "bench" / "old_pins.txt").read_text().split()
    rules = arguments.rules.split()
    if unknown := {*arguments.pins, *rules} - {*everything, *RULES}:
        print(f"error: neither in old_pins.txt nor a rule: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 1
    WORK.mkdir(parents=True, exist_ok=True)
    results = _known()
    for pin in arguments.pins or everything:
        for rule in rules:
            if arguments.again or (pin, rule) not in results:
                results[pin, rule] = found = measure(pin, rule)
                _keep(results.values())
                print(found.pin, found.date, rule, found.stage, found.builders, f"{found.seconds:.0f} s", flush=True)
    rows = [[results.get((pin, rule)) for rule in RULES] for pin in everything]
    print(_share(rows))
    if arguments.write:
        TABLE.write_text(_HEAD + "\n".join(_page(rows)) + "\n")
    return 0


def measure(pin: str, rule: str) -> Result:
    """Vendor and build one pin by a rule; its project stays below build/old-pins when it fails."""
    name = f"{pin.replace('==', '-')}.{rule}"
    project = WORK / name
    requirements = WORK / f"{name}.in"
    requirements.write_text(f"{pin}\n")
    bench = Bench(WORK)
    reference.create(project, requirements=requirements)
    start = time.monotonic()
    status, output = population.make(bench, project, "vendor")
    for _ in range(_ROUNDS):
        added = project / "build-requirements.txt"
        before = added.read_text().splitlines() if added.exists() else []
        lock = _lock(project, pin)
        if (status and before) or not (more := sorted({*before, *_lines(rule, lock)})) or more == before:
            break
        added.write_text("\n".join(more) + "\n")
        reference.commit(project)
        status, output = population.make(bench, project, "vendor")
    stage = "vendor"
    if not status:
        stage = "build"
        reference.commit(project)
        status, output = population.make(bench, project, "build")
    stage = stage if status else "built"
    (WORK / f"{name}.log").write_text(output)
    normal, version = _normal(pin)
    result = Result(
        pin=pin,
        date=_uploads(normal).get(version, "")[:10],
        rule=rule,
        stage=stage,
        builders=_builders(project, pin),
        seconds=round(time.monotonic() - start, 1),
        error=population.line(output, r"error: (.*)") if status else "",
    )
    if not status:
        shutil.rmtree(project)
    return result


def _normal(pin: str) -> tuple[str, Version]:
    name, _, version = pin.partition("==")
    return canonicalize_name(name), Version(version)


def _lock(project: Path, pin: str) -> dict[str, Any]:
    """Return the lock; where there is none, as its build could not even be asked, what that may need."""
    try:
        return tomllib.loads((project / "vendor" / "pylock.reference-service.toml").read_text())
    except OSError:
        name, version = _normal(pin)
        own = {"build-dependencies": ["setuptools", "cython"]}
        item = {"name": name, "version": str(version), "sdist": {}, "tool": {"python-common": own}}
        return {"packages": [item], "tool": {"python-common": {}}}


def _builders(project: Path, pin: str) -> str:
    """Return what builds the pin directly, as it was locked."""
    name, _ = _normal(pin)
    item: dict[str, Any] = next((item for item in _lock(project, pin)["packages"] if item["name"] == name), {})
    own = item.get("tool", {}).get("python-common", {})
    direct = {canonicalize_name(Requirement(text).name) for text in own.get("build-dependencies", ())}
    locked = (Requirement(text) for text in own.get("build-requires", ()))
    return " ".join(f"{found.name}{found.specifier}".replace("==", " ") for found in locked if found.name in direct)


def _lines(rule: str, lock: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a build-requirements.txt by which a rule holds for all that a lock has."""
    for item in (*lock["packages"], *lock["tool"]["python-common"].get("build-packages", ())):
        dependencies = item.get("tool", {}).get("python-common", {}).get("build-dependencies", ())
        uploaded = _uploads(item["name"]).get(Version(item["version"]), "")
        if item["name"] == "reference-service" or "sdist" not in item:
            continue
        bounds: Iterable[str] = ()
        if rule == "newest":
            # What is said of a name switches the toolkit's own rule off for it.
            bounds = _BREAKING.keys() & {canonicalize_name(Requirement(text).name) for text in dependencies}
        elif rule == "breaking":
            bounds = _before_breaking(dependencies, uploaded)
        elif rule == "date":
            bounds = _of_the_time(dependencies, uploaded)
        own = f"{item['name']}<"
        # What builds itself needs no other version of itself.
        yield from (f"{item['name']}=={item['version']}: {bound}" for bound in bounds if not bound.startswith(own))


def _before_breaking(dependencies: Sequence[str], uploaded: str) -> Iterator[str]:
    parsed = list(map(Requirement, dependencies))
    for name in sorted({canonicalize_name(requirement.name) for requirement in parsed}):
        own = (each for found in parsed if canonicalize_name(found.name) == name for each in found.specifier)
        release = next((release for release, date in _BREAKING.get(name, ()) if uploaded[:10] < date), "")
        if release and all(each.operator in (">=", ">", "!=") for each in own):
            yield f"{name}<{release}"


def _of_the_time(dependencies: Sequence[str], uploaded: str) -> Iterator[str]:
    for requirement in map(Requirement, dependencies):
        known = _uploads(canonicalize_name(requirement.name))
        older = [version for version, when in known.items() if when <= uploaded and not version.is_prerelease]
        if fitting := [version for version in older if version in requirement.specifier]:
            yield f"{requirement.name}<={max(fitting)}"


@cache
def _uploads(name: str) -> dict[Version, str]:
    """Return when each sdist of a distribution was uploaded, as the index that pip uses tells (PEP 700)."""
    index = os.environ.get("PIP_INDEX_URL") or PyPI.simple_url
    request = urllib.request.Request(f"{index.rstrip('/')}/{name}/", headers={"Accept": _JSON})
    with urllib.request.urlopen(request, timeout=180) as answer:
        files = json.load(answer)["files"]
    found = {}
    for file in files:
        with suppress(InvalidSdistFilename, InvalidVersion):
            found[parse_sdist_filename(file["filename"])[1]] = file.get("upload-time", "")
    return found


def _known() -> dict[tuple[str, str], Result]:
    try:
        return {(item["pin"], item["rule"]): Result(**item) for item in json.loads((WORK / "results.json").read_text())}
    except OSError:
        return {}


def _keep(results: Iterable[Result]) -> None:
    (WORK / "results.json").write_text(json.dumps(list(map(dataclasses.asdict, results)), indent=1))


def _share(rows: Sequence[Sequence[Result | None]]) -> str:
    columns = ([row[number] for row in rows] for number in range(len(RULES)))
    return "; ".join(f"{rule} {_count(column)}" for rule, column in zip(RULES, columns, strict=True))


def _count(column: Sequence[Result | None]) -> str:
    measured = [found for found in column if found]
    built = sum(found.stage == "built" for found in measured)
    return f"{built} of {len(measured)} ({100 * built / max(len(measured), 1):.0f} %)"


def _page(rows: Sequence[Sequence[Result | None]]) -> Iterator[str]:
    yield f"**What builds: {_share(rows)}.**\n"
    yield f"| pin | of | {' | '.join(RULES)} |"
    yield f"|---|---|{'---|' * len(RULES)}"
    for row in rows:
        first = next(filter(None, row), None)
        if first:
            yield f"| {first.pin} | {first.date} | {' | '.join(map(_shown, row))} |"
    failed = [found for row in rows for found in row if found and found.rule == "used" and found.stage != "built"]
    yield from ("", "What does not build by the toolkit's own rule:\n") if failed else ()
    yield from (f"- {found.pin}, at `make {found.stage}`: {found.error}" for found in failed)


def _shown(found: Result | None) -> str:
    if not found:
        return "not measured"
    return found.builders if found.stage == "built" else f"**fails at `make {found.stage}`** {found.builders}".strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
