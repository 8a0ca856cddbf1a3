#!/usr/bin/env python3
"""Look for settings on make's command line that nothing reads, or that the targets asked for do not read.

Prints one line on standard output when there is an error, which make then stops with; warnings go to standard error.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from toolkit.core import console

#: What debhelper's makefile build system gives to every makefile.
FOREIGN = frozenset({"AM_UPDATE_INFO_DIR", "INSTALL", "CC", "CXX", "PKG_CONFIG"})
_SECTION = re.compile(r"#@ Settings of (.*)")
_ASSIGNMENT = re.compile(r"(?:export +|override +)*([A-Za-z_][A-Za-z0-9_]*) *(?:\?|::?|\+)?=")
_EVERY_TARGET = frozenset({"every target"})


def read_settings(makefiles: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return every variable that these makefiles set, each with the targets that read it (`every target`: all)."""
    settings: dict[str, frozenset[str]] = {}
    for name in makefiles:
        targets = _EVERY_TARGET
        for line in Path(name).read_text(encoding="utf-8").splitlines():
            if section := _SECTION.match(line):
                targets = frozenset(re.split(r", | and ", section[1]))
            elif line.startswith("#@"):
                targets = _EVERY_TARGET
            elif assignment := _ASSIGNMENT.match(line):
                # The section of a setting tells who reads it, not where else it is assigned.
                other = settings.get(assignment[1], targets)
                settings[assignment[1]] = other if targets == _EVERY_TARGET else targets
    return settings


def find_error(settings: Iterable[str], given: Sequence[str]) -> str:
    """Return, as one line, what is wrong with the names `given` and what to do.

    Empty when each is known, or resembles nothing that is.
    """
    for name in given:
        nearest = difflib.get_close_matches(name.upper(), _public(settings), n=1, cutoff=0.7)
        if name not in {*settings, *FOREIGN} and nearest:
            return f"{name} is not a setting: did you mean {nearest[0]}? (`make help` lists them)"
    return ""


def find_warnings(settings: Mapping[str, frozenset[str]], given: Sequence[str], goals: Sequence[str]) -> list[str]:
    """Return a line for each name `given` that is not known, or that none of the targets `goals` reads."""
    verbs = {goal.removeprefix("common-") for goal in goals}
    known = frozenset().union(*settings.values()) | {"check-vendor", "clean", "help", "setup"}
    warnings = []
    for name in given:
        readers = settings.get(name, _EVERY_TARGET)
        if name not in settings and name not in FOREIGN:
            warnings.append(f"{name} has no effect: it is not a setting (`make help` lists them)")
        elif readers != _EVERY_TARGET and verbs <= known and not verbs & readers:
            warnings.append(f"{name} has no effect on {_join(verbs)}: it is a setting of {_join(readers)}")
    return warnings


def _public(settings: Iterable[str]) -> list[str]:
    return [name for name in settings if name.isupper()]


def _join(names: Iterable[str]) -> str:
    *first, last = sorted(names)
    return f"{', '.join(first)} and {last}" if first else last


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description="Look for settings on make's command line that have no effect.")
    parser.add_argument("--makefiles", nargs="+", default=[], help="the makefiles that were read")
    parser.add_argument("--goals", nargs="+", default=[], help="the targets that were asked for")
    parser.add_argument("--given", nargs="+", default=[], help="the names set on the command line")
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the check."""
    arguments = build_parser().parse_args(argv)
    settings = read_settings(arguments.makefiles)
    given = [name.rstrip(":+?") for name in arguments.given]
    if error := find_error(settings, given):
        print(error)
    else:
        for warning in find_warnings(settings, given, arguments.goals):
            console.warn(warning)
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
