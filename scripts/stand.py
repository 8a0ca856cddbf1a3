#!/usr/bin/env python3
"""Run the project in a stand: make and provision it, enter it, test it, or end it."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.debian import chroot
from toolkit.project import settings
from toolkit.project.settings import Settings
from toolkit.stand import ansible_variables, base, machine
from toolkit.stand.base import Stand, StandOptions
from toolkit.stand.container_stand import Container
from toolkit.stand.remote import Remote
from toolkit.stand.vagrant import Vagrant

ACTIONS = ("up", "ssh", "tmux", "test", "destroy")


def choose(chosen: Settings, options: StandOptions) -> Stand:
    """Return the stand of the kind that was asked for."""
    if options.kind == "vagrant":
        return Vagrant(settings=chosen, options=options)
    if options.kind == "remote":
        return Remote(settings=chosen, options=options)
    return Container(settings=chosen, options=options)


def bring_up(stand: Stand) -> None:
    """Make or provision a stand, and say what is in it."""
    start = time.monotonic()
    changed = stand.up()
    access = stand.access()
    for status in base.statuses(access):
        console.step("SERVICE", status.text)
    console.note(f"          enter it with `make stand-tmux`, or {shlex.join(access.command())}")
    console.step("STAND", f"ready ({time.monotonic() - start:.0f} s, {len(changed)} changes)")


def test(chosen: Settings, options: StandOptions) -> None:
    """Test a stand of its own, made and ended for it; a container shares its ports with the one that is there."""
    if options.kind == "container" and machine.is_running(Container(settings=chosen, options=options).name):
        raise UserError(
            "the stand of this project runs, and its services have the ports that the test's need",
            "`make stand-destroy` first",
        )
    base.test(choose(chosen, replace(options, label="test")))


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = settings.parser(__doc__ or "")
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument("--stand", choices=base.KINDS, default="container", help="where (default: a container)")
    parser.add_argument("--mode", choices=ansible_variables.MODES, default="tmux", help="how services run there")
    parser.add_argument("--suite", default="", help="such as trixie (default: that of this machine)")
    parser.add_argument("--host", default="", help="the host of a remote stand, as ssh knows it")
    parser.add_argument("--port", type=int, default=0, help="where a container's sshd listens (default: a free port)")
    parser.add_argument("--ansible", default="", help="an ansible-playbook instead of the toolkit's own")
    chroot.add_arguments(parser)
    return parser


def main(argv: Sequence[str]) -> int:
    """Do what is asked for."""
    arguments = build_parser().parse_args(argv)
    chosen = settings.from_arguments(arguments)
    options = StandOptions(
        kind=arguments.stand,
        mode=arguments.mode,
        suite=arguments.suite,
        host=arguments.host,
        port=arguments.port,
        ansible=arguments.ansible,
        mirror=arguments.mirror,
        max_age=arguments.max_age,
    )
    stand = choose(chosen, options)
    match arguments.action:
        case "up":
            bring_up(stand)
        case "ssh":
            base.enter(stand.access())
        case "tmux":
            base.enter(stand.access(), "stand-attach")
        case "test":
            test(chosen, options)
        case "destroy":
            stand.destroy()
    return 0


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(sys.argv[1:])))
