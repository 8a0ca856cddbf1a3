"""How a verb builds: its options, apart from what builds, which takes a while to load."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.core import files
from toolkit.core.errors import UserError
from toolkit.model.names import NAME, normalize
from toolkit.project.settings import Settings, default_of, number
from toolkit.sandbox import confined
from toolkit.sandbox.confined import Sandbox

#: `EXTENSIONS` where anything, or nothing, may lack an extension.
OPTIONAL, REQUIRED = "optional", "required"


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """How to build: `jobs` at once, `store` the wheel store's directory, `python` the interpreter asked for (or "").

    `extensions` has what may lack an extension that did not compile: names, or a word for all or for none.
    """

    jobs: int
    store: Path
    python: str = ""
    extensions: str = OPTIONAL
    sandbox: Sandbox = field(default_factory=confined.default)

    def may_lack(self, name: str) -> bool:
        """Tell whether a distribution may lack an extension that did not compile."""
        words = self.extensions.split()
        return OPTIONAL in words or normalize(name) in map(normalize, words)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every verb that builds."""
    group = parser.add_argument_group("build options")
    add_jobs(group)
    add_store(group)
    add_extensions(group)
    confined.add_options(group)
    group.add_argument(
        "--python", default="", help="the interpreter to build for (default: the first one there of .python-version)"
    )


def add_jobs(parser: argparse._ActionsContainer) -> None:
    """Add the option for how many builds run at once."""
    parser.add_argument(
        "--jobs",
        "-j",
        type=number("JOBS", "a number of jobs", 4),
        default=os.cpu_count() or 1,
        help="how many builds run at once (default: all cores)",
    )


def add_extensions(parser: argparse._ActionsContainer, other: str = OPTIONAL) -> None:
    """Add the option for what distributions can do without."""
    parser.add_argument(
        "--extensions",
        type=lambda text: _extensions(text or other),
        default=other,
        metavar="WORDS",
        help=f"what may lack an extension that did not compile, which is a warning then and else an error: {OPTIONAL}, "
        f"{REQUIRED}, or names of distributions (default: %(default)s)",
    )


def _extensions(text: str) -> str:
    for word in text.split():
        if word not in (OPTIONAL, REQUIRED) and not NAME.fullmatch(word):
            raise UserError(
                f"EXTENSIONS={text}: {word} is no name of a distribution",
                f"write {OPTIONAL}, {REQUIRED}, or names with blanks between",
            )
    return text


def add_store(parser: argparse._ActionsContainer) -> None:
    """Add the option that names the wheel store."""
    parser.add_argument(
        "--wheel-store",
        default=default_of("WHEEL_STORE"),
        metavar="DIR",
        help="where built wheels are kept between projects; empty: only in build/ (default: store/ in the cache)",
    )


def options_from(arguments: argparse.Namespace, settings: Settings) -> BuildOptions:
    """Return the build options of a parsed command line; not every verb has a choice of the interpreter."""
    python = vars(arguments).get("python", "")
    used = confined.from_arguments(arguments)
    return BuildOptions(
        jobs=arguments.jobs,
        store=store(arguments.wheel_store, settings),
        python=python,
        extensions=vars(arguments).get("extensions", OPTIONAL),
        sandbox=used,
    )


def store(given: str, settings: Settings) -> Path:
    """Return the directory of the wheel store that a WHEEL_STORE names."""
    if not given:
        return settings.build / "wheel-store"
    return files.cache_root() / "store" if given == "default" else Path(given).expanduser().absolute()
