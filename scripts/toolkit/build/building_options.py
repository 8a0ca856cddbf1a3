"""How a verb builds: its options, apart from what builds, which takes a while to load."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.core import files
from toolkit.core.errors import UserError
from toolkit.project.settings import Settings, default_of, number
from toolkit.sandbox import confined
from toolkit.sandbox.confined import Sandbox

#: The values of `EXTENSIONS`.
EXTENSIONS = ("optional", "required")


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """How to build: `jobs` at once, `store` the wheel store's directory, `python` the interpreter asked for (or "").

    `extensions` is what becomes of a wheel that lacks some which did not compile, see `EXTENSIONS`.
    """

    jobs: int
    store: Path
    python: str = ""
    extensions: str = "optional"
    sandbox: Sandbox = field(default_factory=confined.default)


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


def add_extensions(parser: argparse._ActionsContainer, other: str = EXTENSIONS[0]) -> None:
    """Add the option for what a distribution can do without."""
    parser.add_argument(
        "--extensions",
        type=_extensions(other),
        default=other,
        metavar="|".join(EXTENSIONS),
        help="what to do where a distribution does without an extension that did not compile: a warning, or an error "
        "(default: %(default)s)",
    )


def _extensions(other: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text and text not in EXTENSIONS:
            raise UserError(f"EXTENSIONS={text}: nothing that can be done", f"write {' or '.join(EXTENSIONS)}")
        return text or other

    return read


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
        extensions=vars(arguments).get("extensions", EXTENSIONS[0]),
        sandbox=used,
    )


def store(given: str, settings: Settings) -> Path:
    """Return the directory of the wheel store that a WHEEL_STORE names."""
    if not given:
        return settings.build / "wheel-store"
    return files.cache_root() / "store" if given == "default" else Path(given).expanduser().absolute()
