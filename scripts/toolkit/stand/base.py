"""What the stands have in common: how they are asked for, how they are entered, and what each of them can do."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from toolkit.core import console, process
from toolkit.core.errors import UserError
from toolkit.project.settings import Settings

KINDS = ("container", "remote", "vagrant")


@dataclass(frozen=True, kw_only=True)
class Options:
    """A stand as it is asked for; `port` 0 and the empty texts leave the choice to the stand.

    `host` is where a remote one is, `ansible` another ansible-playbook than the toolkit's own; `label` tells stands of
    one project apart.
    """

    kind: str = "container"
    mode: str = "tmux"
    suite: str = ""
    host: str = ""
    port: int = 0
    ansible: str = ""
    mirror: str = ""
    max_age: int = 7
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Access:
    """The way into a stand by ssh: the name of its host, its user, and a configuration (none: the user's own)."""

    host: str
    user: str
    config: Path | None = None

    @property
    def options(self) -> list[str]:
        """Return the options of ssh that lead there."""
        return ["-F", str(self.config)] if self.config else []

    def command(self, *words: str, terminal: bool = False) -> list[str]:
        """Return the command that runs another one there; without one, a shell."""
        return [
            "ssh",
            *self.options,
            *(["-t"] if terminal else ["-o", "BatchMode=yes"] if words else []),
            self.host,
            *([shlex.join(words)] if words else []),
        ]

    def read(self, *words: str) -> str:
        """Run a command there and return what it printed."""
        return process.read(self.command(*words))


class Stand(Protocol):
    """A stand of a project, which may or may not be there yet."""

    def up(self) -> tuple[str, ...]:
        """Make it where there is none, start it and provision it; return the tasks that changed something."""

    def access(self) -> Access:
        """Return the way into it. Raises `UserError` when it does not run."""

    def destroy(self) -> None:
        """End it, and remove all that belongs to it; one that is not there is no error."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """How a service fares: whether it runs, how it ended, and how each of the addresses answers that it listens on."""

    name: str
    running: bool
    ended: str
    listens: Mapping[str, str]

    @property
    def text(self) -> str:
        """Return it in a line."""
        places = [f"{place} ({answer})" if answer else place for place, answer in self.listens.items()]
        listens = f", listens on {', '.join(places)}" if places else ""
        return f"{self.name}: {'running' if self.running else self.ended}{listens}"


def statuses(access: Access) -> list[Status]:
    """Ask a stand how all its services fare."""
    # It is no error here that one does not run.
    shown = access.read("sh", "-c", "stand-services status --json || test $? = 1")
    return [Status(**item) for item in json.loads(shown)]


def enter(access: Access, *words: str) -> NoReturn:
    """Go into a stand: this process becomes its ssh."""
    command = access.command(*words, terminal=True)
    sys.stdout.flush()
    console.debug(f"+ {shlex.join(command)}")
    os.execvp(command[0], command)


def wait(access: Access, is_alive: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until a stand lets in. Raises `UserError` with what ssh said when it does not."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            access.read("true")
            return
        except process.CommandError as error:
            if time.monotonic() > deadline or not is_alive():
                raise UserError(
                    "the stand runs, but cannot be entered by ssh",
                    "`make stand-destroy`, then `make stand`, makes it anew",
                    error.output,
                ) from None
        time.sleep(0.1)


def require_toolkit_inside(settings: Settings) -> None:
    """Refuse a project that has the toolkit elsewhere: a stand sees the project alone."""
    if not settings.toolkit.is_relative_to(settings.project):
        raise UserError(
            f"{settings.toolkit}: not inside the project, which is all that a stand sees",
            "make the toolkit a submodule of the project: git submodule add <where it is> common",
        )


def names(text: str) -> Sequence[str]:
    """Return the words of a host name or a path, fit for one label of a host name."""
    return re.findall(r"[a-z0-9]+", text.lower())
