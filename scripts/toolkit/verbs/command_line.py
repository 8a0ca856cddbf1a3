"""The command line of every verb: parsed in one place, with mistakes in the two lines of any other error."""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from itertools import chain, pairwise
from typing import NoReturn

from toolkit.core import events, files
from toolkit.core.errors import UserError, combined
from toolkit.project import settings
from toolkit.project.settings import IN_ENVIRONMENT
from toolkit.verbs.running import Run
from toolkit.verbs.table import VERBS

#: Options that are not called as the setting of the makefile, in small letters.
_OPTIONS = {
    "V": "verbosity",
    "CHROOT_MAX_AGE": "max-age",
    "DEB_COMPRESSION": "compression",
    "STAND_MODE": "mode",
    "STAND_SUITE": "suite",
    "STAND_PORT": "port",
}
_FLAGS = frozenset({"APT", "DEV", "DRY_RUN", "INVERT", "JSON", "ONLINE", "STRICT", "TRIAL", "YES"})
_SETTING = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)", re.DOTALL)


class Parser(argparse.ArgumentParser):
    """A parser that raises `UserError`, where argparse prints its usage and exits with status 2."""

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong with the command line."""
        unknown = re.match(r"unrecognized arguments: (--[^\s=]+)", message)
        near = difflib.get_close_matches(unknown[1], self._option_string_actions, n=1) if unknown else []
        if near:
            raise UserError(f"{unknown[1] if unknown else ''} is not an option", f"did you mean {near[0]}?")
        raise UserError(message, f"`{self.prog} --help` lists the options")


def main(argv: Sequence[str]) -> int:
    """Run the verb that the first word names, and return its exit status."""
    if not argv or argv[0] in ("-h", "--help"):
        print("\n".join(["Usage: verb.py VERB [OPTIONS]", "", *(f"  {name:<28}{v.help}" for name, v in VERBS.items())]))
        return 0
    name, *words = argv
    if name not in VERBS:
        raise UserError(f"{name}: no such verb", "`verb.py --help` lists them")
    try:
        return _run(name, words)
    except UserError as error:
        parts = [_with_origin(part, words) for part in error.parts]
        if parts == [*error.parts]:
            raise
        raise combined(parts) from error.__cause__


def _run(name: str, words: Sequence[str]) -> int:
    verb = VERBS[name]
    arguments = parse(name, words)
    run = Run(arguments=arguments, settings=settings.from_arguments(arguments))
    if verb.packaged:
        os.umask(0o022)
    with files.exclusive(run.settings.project, "make vendor") if verb.exclusive else nullcontext():
        status = _load(name)[0](run)
    return status or 0


def _with_origin(error: UserError, words: Sequence[str]) -> UserError:
    """Return an error, whose hint names the settings in it that come from the environment, where nobody sees them."""
    given = [found for word in words if (found := _SETTING.fullmatch(word))]
    # A package build has its settings from the verb that runs it.
    exported = [
        f"{IN_ENVIRONMENT}{name}={value}"
        for name, value in (found.groups() for found in given if not events.is_joined())
        if os.environ.get(f"{IN_ENVIRONMENT}{name}") == value and _is_about(error, name, value)
    ]
    if not exported:
        return error
    hint = f"{error.hint}{'; ' if error.hint else ''}from the environment: {', '.join(exported)}"
    return UserError(error.what, hint, error.details)


def _is_about(error: UserError, name: str, value: str) -> bool:
    said = f"{error.what} {error.hint}"
    return bool(re.search(rf"\b{name}\b", said)) or (value.isidentifier() and value in error.what)


def parse(name: str, words: Sequence[str]) -> argparse.Namespace:
    """Parse the options of a verb; a word `SETTING=value` stands for the option that the setting is."""
    # What follows an option is its value, whatever it looks like.
    pairs = pairwise(["", *words])
    options = [[word] if before.startswith("--") and "=" not in before else _as_options(word) for before, word in pairs]
    return parser(name).parse_args([*chain.from_iterable(options)])


def _as_options(word: str) -> list[str]:
    setting = _SETTING.fullmatch(word)
    if not setting:
        return [word]
    name, value = setting.groups()
    if name in _FLAGS:
        return [f"--{name.lower().replace('_', '-')}"] if settings.flag(name, value) else []
    return [f"--{_OPTIONS.get(name, name.lower().replace('_', '-'))}={value}"]


def parser(name: str) -> argparse.ArgumentParser:
    """Return the parser of a verb's options."""
    result = Parser(prog=name, description=VERBS[name].help)
    settings.add_options(result)
    add_options = _load(name)[1]
    if add_options:
        add_options(result)
    return result


def _load(name: str) -> tuple[Callable[[Run], int | None], Callable[[argparse.ArgumentParser], None] | None]:
    module_name, _, function = VERBS[name].function.partition(":")
    module = importlib.import_module(f"toolkit.verbs.{module_name}")
    return getattr(module, function), getattr(module, f"{function}_options", None)
