"""Verbs on stands: made and provisioned, entered, tested, ended; their boxes and containers."""

from __future__ import annotations

import argparse
import shlex
import time
from pathlib import Path

from toolkit.core import console, root
from toolkit.core.errors import UserError
from toolkit.debian import chroot, suites
from toolkit.project.settings import default_of
from toolkit.stand import base, box_build, container
from toolkit.stand.base import Stand, StandOptions
from toolkit.stand.container_stand import ContainerStand
from toolkit.stand.lima import LimaStand
from toolkit.stand.local import LocalStand
from toolkit.stand.remote import RemoteStand
from toolkit.stand.vagrant import VagrantStand
from toolkit.verbs import stand_settings
from toolkit.verbs.running import Run

#: The kinds of stands, by the value of STAND.
KINDS: dict[str, type[ContainerStand | RemoteStand | VagrantStand | LimaStand | LocalStand]] = {
    "container": ContainerStand,
    "remote": RemoteStand,
    "vagrant": VagrantStand,
    "lima": LimaStand,
    "local": LocalStand,
}


def _chosen(run: Run, label: str = "") -> Stand:
    """Return the stand of the kind that was asked for."""
    options = run.options(StandOptions, label=label)
    return KINDS[options.kind](settings=run.settings, options=options)


def _where_options(parser: argparse.ArgumentParser) -> None:
    kinds = f"{', '.join(KINDS)} (default: %(default)s)"
    parser.add_argument("--stand", dest="kind", type=_kind, default=default_of("STAND"), help=kinds)
    parser.add_argument("--host", default="", help="the host of a remote stand, as ssh knows it")


stand_ssh_options = stand_tmux_options = stand_destroy_options = _where_options


def stand_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `stand`."""
    _where_options(parser)
    stand_settings.add_mode(parser)
    parser.add_argument("--suite", default="", help="such as trixie (default: that of this machine)")
    parser.add_argument("--port", type=_port, default=0, help="where a container's sshd listens (default: a free port)")
    parser.add_argument("--ansible", default="", help="an ansible-playbook instead of the toolkit's own")
    chroot.add_arguments(parser)


stand_test_options = stand_options


def _kind(text: str) -> str:
    if text not in KINDS:
        raise UserError(f"STAND={text}: no such stand", f"write one of {', '.join(KINDS)}: STAND=remote")
    return text


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise UserError(f"STAND_PORT={text}: not a port", "write a number: STAND_PORT=2222")
    return int(text)


def stand(run: Run) -> None:
    """Make the stand where there is none, provision it, and say what is in it."""
    start, chosen = time.monotonic(), _chosen(run)
    changed = chosen.up()
    access = chosen.access()
    for status in base.statuses(access):
        console.step("SERVICE", status.text)
    by_ssh = "" if access.is_local else f", or {shlex.join(access.command())}"
    console.note(f"          enter it with `make stand-tmux`{by_ssh}")
    console.step("STAND", f"ready ({time.monotonic() - start:.0f} s, {len(changed)} changes)")


def stand_ssh(run: Run) -> None:
    """Enter the stand."""
    base.enter(_chosen(run).access())


def stand_tmux(run: Run) -> None:
    """Enter the stand, in the tmux session of its services."""
    base.enter(_chosen(run).access(), "stand-attach")


def stand_test(run: Run) -> None:
    """Test a stand of its own, made and ended for it; a container shares its ports with the one that is there."""
    existing = _chosen(run)
    if isinstance(existing, ContainerStand) and container.is_running(existing.name):
        raise UserError(
            "the stand of this project runs, and its services have the ports that the test's need",
            "`make stand-destroy` first",
        )
    base.test(_chosen(run, label="test"))


def stand_destroy(run: Run) -> None:
    """End the stand."""
    _chosen(run).destroy()


def boot_container_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `boot-container`."""
    parser.add_argument("file", type=Path, help="what describes it")


def boot_container(run: Run) -> None:
    """Make a container where there is none, and start it; `make stand` runs this, through sudo where it has to."""
    root.require("stand")
    container.boot(container.read(run.arguments.file))


def end_container_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `end-container`."""
    parser.add_argument("name", help="what it is called")


def end_container(run: Run) -> None:
    """Shut a container down and remove it."""
    root.require("stand")
    container.end(run.arguments.name)


def box_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `box`."""
    parser.add_argument("--suite", default="", help="such as trixie (default: that of this machine)")
    parser.add_argument("--mirror", default="", help="where packages come from: a URI, or a line of sources.list")


def box(run: Run) -> None:
    """Make a box, and say how to use it."""
    suite = run.arguments.suite or suites.own()
    made = box_build.make(chroot.minimal(suite, run.arguments.mirror), run.settings)
    console.note(f"""the box {made.name} is {made.path}; a stand of this suite is made of it:
    STAND_SUITE={suite} vagrant up --provider=libvirt""")
