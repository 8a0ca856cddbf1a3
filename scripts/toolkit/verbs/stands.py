"""Verbs on stands: made and provisioned, entered, tested, ended; their boxes and containers."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import time
from dataclasses import replace
from pathlib import Path

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.debian import chroot, suites
from toolkit.project.settings import Settings
from toolkit.stand import base, machine
from toolkit.stand import box as boxes
from toolkit.stand.base import Stand, StandOptions
from toolkit.stand.container_stand import Container
from toolkit.stand.remote import Remote
from toolkit.stand.vagrant import Vagrant
from toolkit.verbs import stand_settings
from toolkit.verbs.running import Run


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


def _test(chosen: Settings, options: StandOptions) -> None:
    """Test a stand of its own, made and ended for it; a container shares its ports with the one that is there."""
    if options.kind == "container" and machine.is_running(Container(settings=chosen, options=options).name):
        raise UserError(
            "the stand of this project runs, and its services have the ports that the test's need",
            "`make stand-destroy` first",
        )
    base.test(choose(chosen, replace(options, label="test")))


def _where_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stand", type=_kind, default="container", help="container (the default), remote or vagrant")
    parser.add_argument("--host", default="", help="the host of a remote stand, as ssh knows it")
    parser.set_defaults(mode="tmux", suite="", port=0, ansible="", mirror="", max_age=7)


stand_ssh_options = stand_tmux_options = stand_destroy_options = _where_options


def stand_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `stand`."""
    _where_options(parser)
    parser.add_argument("--mode", type=stand_settings.mode, default="tmux", help="how services run there")
    parser.add_argument("--suite", default="", help="such as trixie (default: that of this machine)")
    parser.add_argument("--port", type=_port, default=0, help="where a container's sshd listens (default: a free port)")
    parser.add_argument("--ansible", default="", help="an ansible-playbook instead of the toolkit's own")
    chroot.add_arguments(parser)


stand_test_options = stand_options


def _kind(text: str) -> str:
    if text not in base.KINDS:
        raise UserError(f"STAND={text}: no such stand", f"write one of {', '.join(base.KINDS)}: STAND=remote")
    return text


def _port(text: str) -> int:
    if not text.isdecimal():
        raise UserError(f"STAND_PORT={text}: not a port", "write a number: STAND_PORT=2222")
    return int(text)


def _options(run: Run) -> StandOptions:
    arguments = run.arguments
    return StandOptions(
        kind=arguments.stand,
        mode=arguments.mode,
        suite=arguments.suite,
        host=arguments.host,
        port=arguments.port,
        ansible=arguments.ansible,
        mirror=arguments.mirror,
        max_age=arguments.max_age,
    )


def stand(run: Run) -> None:
    """Make the stand where there is none, and provision it."""
    bring_up(choose(run.settings, _options(run)))


def stand_ssh(run: Run) -> None:
    """Enter the stand."""
    base.enter(choose(run.settings, _options(run)).access())


def stand_tmux(run: Run) -> None:
    """Enter the stand, in the tmux session of its services."""
    base.enter(choose(run.settings, _options(run)).access(), "stand-attach")


def stand_test(run: Run) -> None:
    """Test a stand."""
    _test(run.settings, _options(run))


def stand_destroy(run: Run) -> None:
    """End the stand."""
    choose(run.settings, _options(run)).destroy()


def boot_container_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `boot-container`."""
    parser.add_argument("file", type=Path, help="what describes it")


def boot_container(run: Run) -> None:
    """Make a container where there is none, and start it; `make stand` runs this, through sudo where it has to."""
    _require_containers()
    machine.boot(machine.read(run.arguments.file))


def end_container_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `end-container`."""
    parser.add_argument("name", help="what it is called")


def end_container(run: Run) -> None:
    """Shut a container down and remove it."""
    _require_containers()
    machine.end(run.arguments.name)


def _require_containers() -> None:
    if os.geteuid() != 0:
        raise UserError("only root can boot containers", "run `make stand`, which asks sudo")
    if not shutil.which("systemd-nspawn"):
        raise UserError("systemd-nspawn: no such program", "run `make setup`, or `apt install systemd-container`")


def box_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `box`."""
    parser.add_argument("--suite", default="", help="such as trixie (default: that of this machine)")
    parser.add_argument("--mirror", default="", help="where packages come from: a URI, or a line of sources.list")


def box(run: Run) -> None:
    """Make a box, and say how to use it."""
    suite = run.arguments.suite or suites.own()
    made = boxes.make(chroot.minimal(suite, run.arguments.mirror), run.settings)
    console.note(f"""the box {made.name} is {made.path}; a stand of this suite is made of it:
    STAND_SUITE={suite} vagrant up --provider=libvirt""")
