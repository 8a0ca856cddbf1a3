"""What all stands have in common: options, access by ssh, what each can do, the state of services, a test."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NoReturn, Protocol

from toolkit.core import console, process
from toolkit.core.errors import UserError
from toolkit.project.settings import Settings, default_of


@dataclass(frozen=True, kw_only=True)
class StandOptions:
    """The options of a stand; `port` 0 and empty texts leave the choice to the stand.

    `host` is the machine of a remote one, `ansible` another ansible-playbook than the toolkit's own; `label` tells
    stands of one project apart.
    """

    kind: str = field(default_factory=partial(default_of, "STAND"))
    mode: str = field(default_factory=partial(default_of, "STAND_MODE"))
    suite: str = ""
    host: str = ""
    port: int = 0
    ansible: str = ""
    mirror: str = ""
    max_age: int = field(default_factory=lambda: int(default_of("CHROOT_MAX_AGE")))
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Access:
    """Access to a stand by ssh: the name of its host, its user, and a configuration (`None`: the user's own).

    `is_local` says that it is this machine, which takes no ssh.
    """

    host: str
    user: str
    config: Path | None = None
    is_local: bool = False

    @property
    def options(self) -> list[str]:
        """Return the options of ssh for it."""
        return ["-F", str(self.config)] if self.config else []

    def command(self, *words: str, terminal: bool = False) -> list[str]:
        """Return the command that runs these words in the stand, by ssh; without any, a shell."""
        if self.is_local:
            return [*words] or [os.environ.get("SHELL", "/bin/sh")]
        return [
            "ssh",
            *self.options,
            *(["-t"] if terminal else ["-o", "BatchMode=yes"] if words else []),
            self.host,
            *([shlex.join(words)] if words else []),
        ]

    def read(self, *words: str) -> str:
        """Run a command in the stand and return what it printed."""
        return process.read(self.command(*words))


class Stand(Protocol):
    """A stand of a project, which may or may not be there yet."""

    def up(self) -> tuple[str, ...]:
        """Make it where there is none, start it and provision it; return the tasks that changed something."""

    def access(self) -> Access:
        """Return the access to it. Raises `UserError` when it does not run."""

    def destroy(self) -> None:
        """End it, and remove all that belongs to it; one that is not there is no error."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """The state of a service: whether it runs, how it ended, and the answer of each address that it listens on."""

    name: str
    running: bool
    ended: str
    listens: Mapping[str, str]

    @property
    def text(self) -> str:
        """Return it as one line."""
        answers = [f"{address} ({answer})" if answer else address for address, answer in self.listens.items()]
        listens = f", listens on {', '.join(answers)}" if answers else ""
        return f"{self.name}: {'running' if self.running else self.ended}{listens}"

    @property
    def is_broken(self) -> bool:
        """Tell whether the service does not run, or answers nothing but errors."""
        answers = [answer for answer in self.listens.values() if answer]
        return not self.running or (bool(answers) and all(answer.startswith("HTTP 5") for answer in answers))


def statuses(access: Access) -> list[Status]:
    """Return the state of all services of a stand."""
    # Its exit status is 1 where one does not run, which is no error here.
    shown = access.read("sh", "-c", "stand-services status --json || test $? = 1")
    return [Status(**item) for item in json.loads(shown)]


def test(stand: Stand) -> None:
    """Make a stand, expect its services to answer and a second provisioning to change nothing, and end it in any case.

    Raises `UserError` with all that is wrong.
    """
    try:
        stand.up()
        found = statuses(stand.access())
        for status in found:
            console.step("SERVICE", status.text)
        broken = [status.text for status in found if status.is_broken]
        if broken:
            raise UserError(
                f"a service does not answer: {'; '.join(broken)}",
                "`make stand`, then `make stand-tmux`, shows what it wrote",
            )
        console.step("STAND", "is provisioned again, which has to change nothing")
        changed = stand.up()
        if changed:
            raise UserError(
                f"provisioned again, these changed: {'; '.join(changed)}",
                "a task has to find its own work done; `changed_when` says so of a command",
            )
    finally:
        stand.destroy()
    console.step("STAND", "passed")


def enter(access: Access, *words: str) -> NoReturn:
    """Enter a stand: ssh takes the place of this process."""
    command = access.command(*words, terminal=True)
    sys.stdout.flush()
    console.debug(f"+ {shlex.join(command)}")
    os.execvp(command[0], command)


def require_toolkit_inside(settings: Settings) -> None:
    """Refuse a project whose toolkit is outside of it: a stand sees the project alone."""
    if not settings.toolkit.is_relative_to(settings.project):
        raise UserError(
            f"{settings.toolkit}: not inside the project, which is all that a stand sees",
            "make the toolkit a submodule of the project: git submodule add <where it is> common",
        )


def name_of(settings: Settings, options: StandOptions) -> str:
    """Return the name of a stand: its project's, cut, and a hash of the project's path, as two may have one name."""
    digest = hashlib.sha256(os.fsencode(settings.project)).hexdigest()[:8]
    return "-".join(filter(None, [host_label(settings.project.name)[:40].rstrip("-"), options.label, digest]))


def host_label(text: str) -> str:
    """Return a text as a label of a host name can hold it, RFC 1123: small letters, digits and hyphens; or nothing."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))


def free_port(port: int = 0) -> int:
    """Return a port of the loopback that nothing listens on: this one, or any for 0. Raises `OSError` when taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return int(probe.getsockname()[1])
