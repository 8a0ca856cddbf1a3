"""Verbs that print what Vagrant and Ansible ask, with the standard library alone."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys

from toolkit.core.errors import UserError
from toolkit.project.settings import default_of
from toolkit.stand import ansible_variables, base, vagrant, vagrant_check
from toolkit.stand.ansible_variables import Guest
from toolkit.verbs.running import Run


def add_mode(parser: argparse.ArgumentParser) -> None:
    """Add the option that says how services run in a stand."""
    modes = f"how services run there: {' or '.join(ansible_variables.MODES)} (default: %(default)s)"
    parser.add_argument("--mode", type=_mode, default=default_of("STAND_MODE"), help=modes)


def _mode(text: str) -> str:
    if text not in ansible_variables.MODES:
        raise UserError(f"STAND_MODE={text}: no such mode", f"write {' or '.join(ansible_variables.MODES)}")
    return text


def stand_variables_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `stand-variables`."""
    add_mode(parser)
    parser.add_argument("--suite", default="", help="the suite of the stand, such as bookworm")
    parser.add_argument("--user", default="vagrant", help="who develops in the stand (default: vagrant)")
    parser.add_argument("--nested", action="store_true", help="virtual machines inside the stand")


def stand_variables(run: Run) -> None:
    """Print the variables of Ansible."""
    print(json.dumps(ansible_variables.collect(run.settings, run.options(Guest)), indent=2))


def vagrant_settings_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `vagrant-settings`."""
    parser.add_argument("--provider", default="", help="what runs the machine (default: Vagrant chooses)")
    parser.add_argument("--plugins", default="", help="the plugins that Vagrant has, of those that matter")
    parser.add_argument("--check", action="store_true", help="look whether this host can run the machine")


def vagrant_settings(run: Run) -> None:
    """Print what a Vagrantfile asks for; before a machine is made, look whether the host can."""
    arguments, chosen = run.arguments, vagrant.read(os.environ)
    if arguments.check:
        # The answer alone goes to standard output.
        with contextlib.redirect_stdout(sys.stderr):
            base.require_toolkit_inside(run.settings)
            vagrant_check.check(chosen, run.settings.project, arguments.provider, arguments.plugins.split())
    print(json.dumps(vagrant.describe(chosen, run.settings), indent=2))
