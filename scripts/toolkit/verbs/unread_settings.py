"""What make was given and cannot use: settings that nothing reads, or not the targets asked for; names of no target.

Of settings, prints one line on standard output when one is an error, which make then stops with; warnings go to
standard error.
"""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.project.settings import IN_ENVIRONMENT
from toolkit.verbs.running import Run

#: What debhelper's makefile build system gives to every makefile.
FOREIGN = frozenset({"AM_UPDATE_INFO_DIR", "INSTALL", "CC", "CXX", "PKG_CONFIG"})
#: Who sets one of these wants packages for other machines.
_ARCHITECTURE = re.compile(r"(DEB_)?((HOST|TARGET|BUILD)_)?ARCH(ITECTURE)?|CROSS_COMPILE", re.IGNORECASE)
_ASSIGNMENT = re.compile(r"^(?:export +|override +)*([A-Za-z_][A-Za-z0-9_]*) *(?:\?|::?|\+)?=", re.MULTILINE)


def read_settings(makefiles: Iterable[str], reads: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    """Return every variable that these makefiles set, each with the targets that read it; none: any may.

    `reads` has the settings that a target reads.
    """
    # A comment may be in any encoding: make looks at bytes.
    texts = [Path(makefile).read_text(encoding="utf-8", errors="replace") for makefile in makefiles]
    names = [name for text in texts for name in _ASSIGNMENT.findall(text)]
    return {name: frozenset(target for target, words in reads.items() if name in words) for name in names}


def find_error(settings: Mapping[str, frozenset[str]], given: Sequence[str], goals: Sequence[str]) -> str:
    """Return, as one line, what is wrong with the names `given` and what to do.

    Empty when each is known, or resembles nothing that is.
    """
    takes_names = settings.get("NAME", frozenset())
    for name in given:
        if name.lower() in takes_names and name not in settings:
            return f'{name} is not a setting, but a target: make {name.lower()} NAME="..." (`make help` lists them)'
        # make takes `idna>=3` for the value 3 of a setting `idna>`.
        if goals and goals[0].removeprefix("common-") in takes_names and not (name in settings or name.isupper()):
            distribution = name.rstrip("<>=!~")
            return f'{name} is not a setting: a requirement with a version is written NAME="{distribution}>=1.2"'
        if _ARCHITECTURE.fullmatch(name) and name not in settings:
            return f"{name}: packages are built for the architecture of this machine: build on one of the other"
        nearest = difflib.get_close_matches(name.upper(), _public(settings), n=1, cutoff=0.7)
        if name not in {*settings, *FOREIGN} and nearest:
            return f"{name} is not a setting: did you mean {nearest[0]}? (`make help` lists them)"
    return ""


def find_warnings(
    settings: Mapping[str, frozenset[str]], given: Sequence[str], goals: Sequence[str], known: Collection[str]
) -> list[str]:
    """Return a line for each name `given` that is not known, or that none of the targets `goals` reads.

    What a target reads that is not among the `known` ones cannot be told.
    """
    verbs = {goal.removeprefix("common-") for goal in goals}
    warnings = []
    for name in given:
        readers = settings.get(name, frozenset())
        if name not in settings and name not in FOREIGN:
            warnings.append(f"{name} has no effect: it is not a setting (`make help` lists them)")
        elif readers and verbs.issubset(known) and not verbs & readers:
            warnings.append(f"{name} has no effect on {_join(verbs)}: it is a setting of {_join(readers)}")
    return warnings


def find_ignored(settings: Mapping[str, frozenset[str]], ignored: Iterable[str], goals: Sequence[str]) -> list[str]:
    """Return a line for each setting in the environment that a target would read under its name there."""
    verbs = {goal.removeprefix("common-") for goal in goals}
    return [
        f"{name} in the environment has no effect: there it is called {IN_ENVIRONMENT}{name}"
        for name in ignored
        if verbs & settings.get(name, frozenset())
    ]


def _public(settings: Iterable[str]) -> list[str]:
    return [name for name in settings if name.isupper()]


def _join(names: Iterable[str]) -> str:
    *first, last = sorted(names)
    return f"{', '.join(first)} and {last}" if first else last


def report_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `unread-settings`."""
    parser.add_argument("--makefiles", nargs="+", default=[], help="the makefiles that were read")
    parser.add_argument("--reads", action="append", default=[], help="a target and what it reads: `build: JOBS`")
    parser.add_argument("--goals", nargs="+", default=[], help="the targets that were asked for")
    parser.add_argument("--given", action="append", default=[], help="a name set on the command line")
    parser.add_argument("--ignored", action="append", default=[], help="a name of the environment that is not read")


def report(run: Run) -> None:
    """Run the check."""
    arguments = run.arguments
    reads = {target: words.split() for target, _, words in (item.partition(":") for item in arguments.reads)}
    settings = read_settings(arguments.makefiles, reads)
    given = [name.rstrip(":+?") for name in arguments.given]
    if error := find_error(settings, given, arguments.goals):
        print(error)
    else:
        warnings = find_warnings(settings, given, arguments.goals, {*reads, "help"})
        for warning in [*warnings, *find_ignored(settings, arguments.ignored, arguments.goals)]:
            console.warn(warning)


def unknown_target_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `unknown-target`."""
    parser.add_argument("target", help="what was asked for")
    parser.add_argument("--targets", nargs="+", default=[], help="what there is")


def unknown_target(run: Run) -> None:
    """Raise `UserError` for a target that no makefile has."""
    target, targets = run.arguments.target, run.arguments.targets
    near = difflib.get_close_matches(target, targets, n=1, cutoff=0.6)
    hint = f"did you mean `make {near[0]}`?" if near else "`make help` lists them"
    raise UserError(f"{target}: there is no such target", hint)
