"""Verbs that explain: why a distribution is there, the graph of all, and what the project and this machine have."""

from __future__ import annotations

import argparse
import os

from toolkit.core import console, files
from toolkit.core.errors import UserError
from toolkit.model.names import NAME
from toolkit.project.settings import default_of, words
from toolkit.sandbox import confined
from toolkit.vendored import locked
from toolkit.verbs.running import Run

_USAGE = "name a distribution: NAME=flask"


def why_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `why`."""
    group = parser.add_argument_group("options of why")
    group.add_argument(
        "--chains",
        type=parse_limit,
        default=default_of("CHAINS"),
        metavar="NUMBER",
        help="how many to print at most: a number, or all (default: %(default)s)",
    )
    group.add_argument("--name", default="", metavar="NAMES", help="the same as NAME")
    group.add_argument("names", nargs="*", metavar="NAME", help="what to explain: names of distributions")


def why(run: Run) -> None:
    """Print the chains of each name."""
    from toolkit.explain import why

    names = _names(run.arguments)
    if not names:
        raise UserError("NAME is empty", _USAGE)
    graphs = locked.read(run.project, run.settings)
    console.report("\n".join([why.text(graphs, name, run.arguments.chains) for name in names]))


def parse_limit(text: str) -> int:
    """Return how many chains to print: 0 stands for all of them."""
    if text == "all":
        return 0
    if not text.isdecimal() or int(text) == 0:
        raise UserError(f"CHAINS={text}: not a number", "give how many chains to print at most, or all")
    return int(text)


def tree_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `tree`."""
    group = parser.add_argument_group("options of tree")
    group.add_argument("--invert", action="store_true", help="who needs NAME, instead of what it needs")
    group.add_argument("--format", type=_format, default=default_of("FORMAT"), help="text, dot, mermaid or json")
    group.add_argument("--name", default="", metavar="NAMES", help="the same as NAME")
    group.add_argument("names", nargs="*", metavar="NAME", help="what to show: names of distributions")


def tree(run: Run) -> None:
    """Print the trees."""
    from toolkit.explain import tree

    arguments = run.arguments
    names = _names(arguments)
    tree.refuse_inverted_without_name(names, inverted=arguments.invert)
    graphs = locked.read(run.project, run.settings)
    console.report(tree.text(graphs, names, arguments.format, inverted=arguments.invert).rstrip("\n"))


def _format(text: str) -> str:
    from toolkit.explain.tree import FORMATS

    if text not in FORMATS:
        raise UserError(f"FORMAT={text}: no such form", f"write {', '.join(FORMATS[:-1])} or {FORMATS[-1]}: FORMAT=dot")
    return text


def _names(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Return the names of distributions on a command line."""
    names = words(" ".join([arguments.name, *arguments.names]))
    for name in names:
        if not NAME.fullmatch(name):
            raise UserError(f"NAME={name}: no distribution can be called so", _USAGE)
    return names


def graph(run: Run) -> None:
    """Draw a picture of each service."""
    from toolkit.explain import picture

    dist = run.settings.dist
    graphs = locked.read(run.project, run.settings)
    dist.mkdir(parents=True, exist_ok=True)
    for item in graphs:
        path = dist / f"{item.lock.service}.svg"
        files.write_atomic(path, picture.draw(item))
        distributions = list(item.lock.distributions())
        crates = len(item.lock.crates_of(distributions))
        more = f", {crates} crates" if crates else ""
        console.step("GRAPH", f"{path.relative_to(run.settings.project)}: {len(distributions)} distributions{more}")


def info_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `info`."""
    confined.add_options(parser)


def info(run: Run) -> None:
    """Print everything, to paste into a bug report."""
    from toolkit.explain import inventory

    # Settings of the makefile, one a line. A project's own may hold passwords, so they are on no command line.
    lines = os.environ.pop("SETTINGS_TO_SHOW", "").splitlines()
    given = {name.lstrip(): value for name, is_set, value in (line.partition("=") for line in lines) if is_set}
    given.setdefault("NAMESPACE", run.settings.namespace)
    given.setdefault("PACKAGES", " ".join(run.settings.packages))
    given.setdefault("SERVICES", " ".join(run.settings.services))
    sandbox = confined.from_arguments(run.arguments)
    console.report(inventory.text(inventory.sections(run.settings, given, sandbox)))
